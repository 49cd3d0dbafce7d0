package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

	"aftercare/deploy/localpg"
	"aftercare/projections"
	"aftercare/projections/feed"
	"aftercare/projections/metric"
	"aftercare/projections/postgres"
)

// patience is how long the doctor waits for an answer.
const patience = 5 * time.Second

func (p program) doctor(c *config) *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "look for what keeps Aftercare from running, and say what to do",
		Action: func(ctx context.Context, _ *cli.Command) error {
			sick := 0
			say := func(what string, err error, fine string) {
				if err != nil {
					sick++
					fmt.Fprintf(p.Out, "✗ %-14s %s\n", what, p.say(err))
					return
				}
				fmt.Fprintf(p.Out, "✓ %-14s %s\n", what, fine)
			}
			bin, err := localpg.Find() //nolint:contextcheck // asking a program for its version takes milliseconds
			if c.PostgresURL == "" {
				say("postgres", err, fmt.Sprintf("version %d in %s", bin.Major, bin.Dir))
			}
			say("tz database", nil, tzVersion())
			i, err := c.running()
			switch {
			case err != nil:
				say("data", err, "")
			case i != nil:
				say("data", nil, fmt.Sprintf("%s, in use by process %d", c.DataDir, i.PID))
			default:
				release, err := c.lock()
				if err == nil {
					release()
				}
				say("data", err, c.DataDir+", not in use")
			}
			s := stores{eventStoreURL: c.EventStoreURL, postgresURL: c.PostgresURL}
			if i != nil {
				s = stores{eventStoreURL: or(c.EventStoreURL, i.EventStoreURL), postgresURL: or(c.PostgresURL, i.PostgresURL)}
			}
			if s.eventStoreURL != "" {
				head, err := (&feed.Log{URL: s.eventStoreURL, Timeout: patience}).Head(ctx)
				say("event store", err, fmt.Sprintf("answers, the head is at %d", head.Position.Commit))
			}
			if s.postgresURL != "" {
				lines, err := c.viewLines(ctx, s)
				say("read models", err, "up")
				for _, l := range lines {
					fmt.Fprintln(p.Out, "  "+l)
				}
			}
			if sick > 0 {
				return &exitError{code: exitFailed}
			}
			return nil
		},
	}
}

// viewLines says how the views do. A view that is stuck or has parked events is an error.
func (c *config) viewLines(ctx context.Context, s stores) (lines []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pool, err := postgres.Open(ctx, s.postgresURL, postgres.Options{Wait: -1, Logger: c.logger})
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	tracker := &projections.Tracker{Pool: pool, Log: &feed.Log{URL: s.eventStoreURL, Timeout: patience}, Now: c.now}
	statuses, err := tracker.Status(ctx)
	if err != nil {
		return nil, err
	}
	var bad []error
	for _, v := range statuses.Views {
		lines = append(lines, fmt.Sprintf("%-14s %d events, %d behind (%s), %d parked", v.View, v.Events, v.Lag.Events, v.Lag.Age.Round(time.Millisecond), v.Parked))
		if v.Parked > 0 {
			bad = append(bad, fmt.Errorf("view %s could not take %d events", v.View, v.Parked))
		}
		if v.Failing != nil {
			bad = append(bad, fmt.Errorf("view %s: %w", v.View, v.Failing))
		}
	}
	metrics, err := (&metric.Store{Pool: pool}).List(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range metrics {
		if m.Error != nil {
			bad = append(bad, fmt.Errorf("metric %s is parked: %s", m.Name, *m.Error))
		}
	}
	return lines, errors.Join(bad...)
}
