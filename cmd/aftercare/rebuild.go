package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/urfave/cli/v3"

	"aftercare/domain"
	"aftercare/projections"
)

func (p program) rebuild(c *config) *cli.Command {
	var check bool
	var runs int
	return &cli.Command{
		Name:      "rebuild",
		Usage:     "make views anew from the whole log, beside the live ones, and switch",
		ArgsUsage: "[VIEW…]",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "check", Usage: "compare every table before and after, byte for byte, and time reading alone", Destination: &check},
			&cli.IntFlag{Name: "runs", Usage: "with --check: how `OFTEN` to rebuild and to read; the medians are told", Value: 1, Destination: &runs},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if runs < 1 || runs > 1 && !check {
				return usage("--runs must be at least 1, and goes with --check")
			}
			chosen, err := chooseViews(cmd.Args().Slice())
			if err != nil {
				return err
			}
			return c.with(ctx, func(a *app) error {
				return a.settled(ctx, p.Err, &position{}, func(ctx context.Context) error {
					if check {
						return p.checkRebuild(ctx, a, chosen, runs)
					}
					report, err := p.remake(ctx, a, a.rebuilder(), chosen)
					if err == nil {
						p.tellReport(report, len(chosen))
					}
					return err
				})
			})
		},
	}
}

func chooseViews(names []string) ([]projections.View, error) {
	all := views()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []projections.View
	for _, name := range names {
		i := slices.IndexFunc(all, func(v projections.View) bool { return v.Name() == name })
		if i < 0 {
			return nil, usage("no view %q; there are %s", name, strings.Join(viewNames(), ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// remake rebuilds views.
func (p program) remake(ctx context.Context, a *app, r *projections.Rebuilder, chosen []projections.View) (projections.Report, error) {
	var progress atomic.Pointer[projections.RebuildProgress]
	progress.Store(&projections.RebuildProgress{Phase: projections.Reading})
	speed := pace{now: a.now}
	stop := meter(p.Err, "rebuild", func() (int64, int64, string) {
		at := progress.Load()
		words := at.Phase.String() + " " + at.View
		if at.Done > 0 {
			words += speed.words(at.Phase, at.Done, at.Total)
		}
		return int64(at.Done), int64(at.Total), words
	})
	r.Observe = func(at projections.RebuildProgress) { progress.Store(&at) }
	restore := roomy()
	report, err := r.Rebuild(ctx, chosen...)
	for a.stores.owned && errors.Is(err, projections.ErrRebuilding) && pause(ctx, rebuilt) == nil {
		report, err = r.Rebuild(ctx, chosen...) // only our own projector can be at it, with views of an older shape
	}
	restore()
	stop()
	return report, err
}

// checkRebuild rebuilds views so many times, reads the same log as often, and compares the tables with what they were.
func (p program) checkRebuild(ctx context.Context, a *app, chosen []projections.View, runs int) error {
	head, err := a.feed.Head(ctx)
	if err != nil {
		return err
	}
	if err := a.caughtUp(ctx, head.Position); err != nil {
		return err
	}
	before, err := a.fingerprints(ctx, chosen)
	if err != nil {
		return err
	}
	var rebuilt, read, ratio []float64
	for range runs {
		report, err := p.remake(ctx, a, a.rebuilder(), chosen)
		if err != nil {
			return err
		}
		p.tellReport(report, len(chosen))
		alone, err := p.timeReading(ctx, a)
		if err != nil {
			return err
		}
		rebuilt, read, ratio = append(rebuilt, report.PerSecond()), append(read, alone), append(ratio, report.PerSecond()/alone)
	}
	fmt.Fprintf(p.Out, "rebuild %.0f events/s, only reading %.0f events/s, ratio %.2f (medians of %d)\n", median(rebuilt), median(read), median(ratio), runs)
	after, err := a.fingerprints(ctx, chosen)
	if err != nil {
		return err
	}
	return p.compare(before, after)
}

// timeReading reads the whole log with the official client, does nothing with it and returns the events a second.
func (p program) timeReading(ctx context.Context, a *app) (float64, error) {
	began, n := a.now(), 0
	for _, err := range a.feed.Read(ctx, domain.Position{}) {
		if err != nil {
			return 0, err
		}
		n++
	}
	alone := float64(n) / a.now().Sub(began).Seconds()
	fmt.Fprintf(p.Out, "only reading: %d events at %.0f events/s\n", n, alone)
	return alone, nil
}

// median returns the middle of some figures, of two middles the mean.
func median(all []float64) float64 {
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

func (a *app) fingerprints(ctx context.Context, chosen []projections.View) (map[string]map[string]projections.Print, error) {
	all := map[string]map[string]projections.Print{}
	for _, v := range chosen {
		prints, err := projections.Fingerprint(ctx, a.pool, projections.Schema(v.Name()))
		if err != nil {
			return nil, err
		}
		all[v.Name()] = prints
	}
	return all, nil
}

func (p program) compare(before, after map[string]map[string]projections.Print) error {
	var different []error
	for _, view := range viewNames() {
		for table, print := range before[view] {
			now := after[view][table]
			verdict := "equal"
			if now != print {
				verdict = "DIFFERENT"
				different = append(different, fmt.Errorf("%s.%s differs", view, table))
			}
			fmt.Fprintf(p.Out, "%-10s %s.%s: %d rows, sha256 %.16s; rebuilt %d rows, sha256 %.16s\n", verdict, view, table, print.Rows, print.Hash, now.Rows, now.Hash)
		}
	}
	if len(different) > 0 {
		return &exitError{exitMismatch, errors.Join(different...).Error()}
	}
	return nil
}
