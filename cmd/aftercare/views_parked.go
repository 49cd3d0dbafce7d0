package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"aftercare/projections"
)

// shownParked is how many parked events are listed at most.
const shownParked = 10_000

func (p program) viewsParked(c *config) *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name:      "parked",
		Usage:     "the events that views could not take, and those behind them in their streams",
		ArgsUsage: "[VIEW…]",
		Flags:     []cli.Flag{jsonFlag(&asJSON)},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return c.with(ctx, func(a *app) error {
				if _, err := a.choose(ctx, cmd.Args().Slice()); err != nil {
					return err
				}
				all, err := projections.ParkedEvents(ctx, a.pool, shownParked, cmd.Args().Slice()...)
				if err != nil {
					return err
				}
				if asJSON {
					return p.printParked(all)
				}
				if len(all) == 0 {
					fmt.Fprintln(p.Out, "nothing is parked")
					return nil
				}
				w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
				defer w.Flush() //nolint:errcheck // as for every other print
				fmt.Fprintln(w, "VIEW\tSTREAM\tREVISION\tTYPE\tATTEMPTS\tPARKED\tERROR")
				for _, e := range all {
					fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%d\t%s\t%s\n", e.View, e.Stream, e.Revision, e.Type, e.Attempts, e.ParkedAt.UTC().Format(time.RFC3339), e.Error)
				}
				return nil
			})
		},
	}
}

// printParked prints a line of JSON for each event.
func (p program) printParked(all []projections.Parked) error {
	for _, e := range all {
		err := p.printLine(struct {
			View     string    `json:"view"`
			Stream   string    `json:"stream"`
			Revision int64     `json:"revision"`
			Type     string    `json:"type"`
			EventID  string    `json:"eventId"`
			Attempts int       `json:"attempts"`
			Error    string    `json:"error"`
			ParkedAt time.Time `json:"parkedAt"`
		}{e.View, e.Stream, e.Revision, e.Type, e.EventID.String(), e.Attempts, e.Error, e.ParkedAt.UTC()})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p program) viewsReplay(c *config) *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name:      "replay",
		Usage:     "give views their parked events again, now that what was wrong is mended",
		ArgsUsage: "[VIEW…]",
		Flags:     []cli.Flag{jsonFlag(&asJSON)},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return c.with(ctx, func(a *app) error {
				chosen, err := a.choose(ctx, cmd.Args().Slice())
				if err != nil {
					return err
				}
				left := 0
				for _, v := range chosen {
					done, err := a.runner(chosen).Replay(ctx, v.Name())
					if err != nil {
						return err
					}
					left += done.Left
					if asJSON {
						err = p.printLine(struct {
							View  string `json:"view"`
							Taken int    `json:"taken"`
							Left  int    `json:"left"`
						}{v.Name(), done.Taken, done.Left})
					} else {
						_, err = fmt.Fprintf(p.Out, "%s: %d taken, %d still parked\n", v.Name(), done.Taken, done.Left)
					}
					if err != nil {
						return err
					}
				}
				if left > 0 {
					return &exitError{exitRefused, fmt.Sprintf("%d events are still parked: see aftercare views parked", left)}
				}
				return nil
			})
		},
	}
}
