package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"
)

// The most that one load asks for: it is a measuring tool, not a weapon.
const (
	mostRate = 10_000
	mostTime = time.Hour
	// loadInFlight bounds how many operations are under way at once. What is due beyond that waits, and its waiting counts.
	loadInFlight = 1024
)

// loadPlan is what to ask for.
type loadPlan struct {
	commands, reads int
	lasting         time.Duration
	seed            uint64
	api             string
	client          *http.Client
	now             func() time.Time
}

func (p program) load(c *config) *cli.Command {
	var l loadPlan
	var asJSON, remote bool
	return &cli.Command{
		Name:  "load",
		Usage: "send commands and queries to the API at a constant rate, and measure until when a command is seen",
		Description: "It opens cases of the kind \"load\" and carries them through their life, which stays in the record: use it on an installation for\n" +
			"trials. Operations are sent when they are due, however slow the answers to others are; latencies count from when they were due.\n" +
			"\"visible\" counts from the answer to a command, which is given when it is stored, to an answer to a query that shows it.",
		Flags: []cli.Flag{
			apiFlag(&l.api),
			&cli.IntFlag{Name: "commands", Usage: "commands a `SECOND`", Value: 100, Destination: &l.commands},
			&cli.IntFlag{Name: "reads", Usage: "further queries a `SECOND`: a list with its count, and a statistic", Destination: &l.reads},
			&cli.DurationFlag{Name: "for", Usage: "how `LONG`", Value: 30 * time.Second, Destination: &l.lasting},
			&cli.Uint64Flag{Name: "seed", Usage: "what is done with which case follows from this `NUMBER`", Value: 1, Destination: &l.seed},
			&cli.BoolFlag{Name: "remote", Usage: "the API may be on another machine", Destination: &remote},
			jsonFlag(&asJSON),
		},
		Action: func(ctx context.Context, _ *cli.Command) error {
			if l.commands < 0 || l.reads < 0 || l.commands+l.reads == 0 || l.commands+l.reads > mostRate || l.lasting <= 0 || l.lasting > mostTime {
				return usage("--commands and --reads add up to 1 to %d a second, and --for is at most %s", mostRate, mostTime)
			}
			var err error
			if l.api, err = c.apiURL(l.api); err != nil {
				return err
			}
			if !remote && !loopback(l.api) {
				return usage("%s is on another machine: if that is meant, say --remote", l.api)
			}
			l.now = c.now
			l.client = &http.Client{
				Timeout:   queryTimeout,
				Transport: &http.Transport{MaxIdleConnsPerHost: loadInFlight, MaxConnsPerHost: loadInFlight},
			}
			defer l.client.CloseIdleConnections()
			result, err := p.runLoad(ctx, l)
			if err != nil {
				return err
			}
			if asJSON {
				err = p.printJSON(result, nil)
			} else {
				p.tellLoad(result)
			}
			if err == nil && !result.Sustained {
				return &exitError{exitMismatch, "the rate was not sustained, or operations failed"}
			}
			return err
		},
	}
}

// apiURL returns where operations are sent: the address given, or that of the instance on the data directory.
func (c *config) apiURL(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	i, err := c.running()
	if err != nil {
		return "", err
	}
	if i == nil || i.API == "" {
		return "", errors.New("no API runs on this data directory: start it with `aftercare up`, or name one with --api")
	}
	return i.API + "/graphql", nil
}

func loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// runLoad sends everything when it is due and waits for the last answer.
func (p program) runLoad(ctx context.Context, l loadPlan) (loadResult, error) {
	var r recorder
	began := l.now()
	stop := meter(p.Err, "load", func() (int64, int64, string) {
		done, failed := r.counts()
		return int64(l.now().Sub(began)), int64(l.lasting), fmt.Sprintf("%d operations, %d failed", done, failed)
	})
	defer stop()
	w := newWorkload(l, &r)
	var wg sync.WaitGroup
	slots := make(chan struct{}, loadInFlight)
	var sent atomic.Int64
	at := func(rate int, do func(ctx context.Context, due time.Time)) {
		if rate == 0 {
			return
		}
		wg.Go(func() {
			every := time.Second / time.Duration(rate)
			for due := began; due.Sub(began) < l.lasting; due = due.Add(every) {
				if pause(ctx, due.Sub(l.now())) != nil {
					return
				}
				select {
				case slots <- struct{}{}:
				case <-ctx.Done():
					return
				}
				sent.Add(1)
				wg.Go(func() {
					defer func() { <-slots }()
					do(ctx, due)
				})
			}
		})
	}
	at(l.commands, w.command)
	at(l.reads, w.read)
	wg.Wait()
	if ctx.Err() != nil {
		return loadResult{}, ctx.Err()
	}
	took := l.now().Sub(began)
	return r.result(l, took), nil
}

func (p program) tellLoad(r loadResult) {
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "milliseconds\tcount\tp50\tp90\tp99\tp99.9\tmax\t")
	for _, s := range []struct {
		name string
		s    *summary
	}{{"command", r.Command}, {"visible", r.Visible}, {"command to visible", r.Whole}, {"read", r.Read}} {
		if s.s != nil {
			fmt.Fprintf(w, "%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", s.name, s.s.Count, s.s.P50, s.s.P90, s.s.P99, s.s.P999, s.s.Max)
		}
	}
	_ = w.Flush()
	fmt.Fprintf(p.Out, "%.1f commands/s and %.1f reads/s over %.1f s, of %d and %d asked for", r.CommandRate, r.ReadRate, r.Seconds, r.Commands, r.Reads)
	if len(r.Failures) == 0 {
		fmt.Fprintln(p.Out, "; nothing failed")
		return
	}
	fmt.Fprintln(p.Out, "; failed:")
	for code, n := range r.Failures {
		fmt.Fprintf(p.Out, "  %s: %d\n", code, n)
	}
}

// newWorkload returns what a load does.
func newWorkload(l loadPlan, r *recorder) *workload {
	return &workload{loadPlan: l, recorder: r, random: rand.New(rand.NewPCG(l.seed, 0))} //nolint:gosec // to be repeatable
}
