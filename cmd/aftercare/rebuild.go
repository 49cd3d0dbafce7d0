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
	return &cli.Command{
		Name:      "rebuild",
		Usage:     "make views anew from the whole log, beside the live ones, and switch",
		ArgsUsage: "[VIEW…]",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "check", Usage: "compare every table before and after, byte for byte, and time reading alone", Destination: &check},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			chosen, err := chooseViews(cmd.Args().Slice())
			if err != nil {
				return err
			}
			return c.with(ctx, func(a *app) error {
				return a.settled(ctx, p.Err, &position{}, func(ctx context.Context) error { return p.remake(ctx, a, chosen, check) })
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

// remake rebuilds views, with the comparison if asked for.
func (p program) remake(ctx context.Context, a *app, chosen []projections.View, check bool) error {
	var before map[string]map[string]projections.Print
	if check {
		head, err := a.feed.Head(ctx)
		if err != nil {
			return err
		}
		if err := a.caughtUp(ctx, head.Position); err != nil {
			return err
		}
		if before, err = a.fingerprints(ctx, chosen); err != nil {
			return err
		}
	}
	var events atomic.Int64
	stop := meter(p.Err, "rebuild", func() (int64, int64, string) { return 0, 0, fmt.Sprintf("%d events", events.Load()) })
	r := a.rebuilder()
	r.Observe = func(n int) { events.Store(int64(n)) }
	report, err := r.Rebuild(ctx, chosen...)
	stop()
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Out, "rebuilt %d views from %d events at %.0f events/s: loading %s, indexing %s, switching %s; %d parked\n", len(chosen),
		report.Events, report.PerSecond(), report.Loading, report.Indexing, report.Switching, report.Parked)
	if !check {
		return nil
	}
	if err := p.timeReading(ctx, a, report); err != nil {
		return err
	}
	after, err := a.fingerprints(ctx, chosen)
	if err != nil {
		return err
	}
	return p.compare(before, after)
}

// timeReading reads the same log with the official client and does nothing with it.
func (p program) timeReading(ctx context.Context, a *app, report projections.Report) error {
	began, n := a.now(), 0
	for _, err := range a.feed.Read(ctx, domain.Position{}) {
		if err != nil {
			return err
		}
		n++
	}
	took := a.now().Sub(began).Seconds()
	alone := float64(n) / took
	fmt.Fprintf(p.Out, "only reading: %d events at %.0f events/s; the rebuild is at %.2f of that\n", n, alone, report.PerSecond()/alone)
	return nil
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
