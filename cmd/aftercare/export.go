package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v3"

	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/graph/model"
	"aftercare/projections/export"
)

func (p program) export(c *config) *cli.Command {
	return &cli.Command{
		Name:     "export",
		Usage:    "write what is recorded to files for other tools",
		Commands: []*cli.Command{p.exportEvents(c)},
	}
}

func (p program) exportEvents(c *config) *cli.Command {
	var format, to, since, months string
	var types []string
	var asJSON bool
	return &cli.Command{
		Name:  "events",
		Usage: "write events to a folder, a file a month and stretch of the log; again to the same folder, only what is new",
		Description: "Words of persons are never exported: where there are any, data has {\"closed\": true} and whom they concern. The folder can be read as\n" +
			"a partitioned table (month=YYYY-MM); _export.json says what it holds. What was interrupted is finished when it is run again.\n" +
			"An export as xes has whole cases, and cannot be added to.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Usage: "`FORMAT`: parquet, ndjson, csv or xes", Value: string(export.Parquet), Destination: &format},
			&cli.StringFlag{Name: "to", Usage: "the `FOLDER`", Destination: &to},
			&cli.StringFlag{Name: "since", Usage: "only what was recorded after a `POSITION`, as the API tells it, or from an instant (RFC 3339) or day (UTC) on", Destination: &since},
			&cli.StringSliceFlag{Name: "types", Usage: "only events of these `TYPES`, such as ticket.resolved.v1 or ticket.*", Destination: &types},
			&cli.StringFlag{Name: "months", Usage: "whose months: those in which events were `recorded`, or occurred", Value: string(export.Recorded), Destination: &months},
			jsonFlag(&asJSON),
		},
		Action: func(ctx context.Context, _ *cli.Command) error {
			x := export.Export{Dir: to, Format: export.Format(format), Months: export.Clock(months)}
			switch {
			case to == "":
				return usage("export takes a folder: --to FOLDER")
			case !slices.Contains(export.Formats(), x.Format):
				return usage("--format: %q is not parquet, ndjson, csv or xes", format)
			case x.Months != export.Recorded && x.Months != export.Occurred:
				return usage("--months: %q is not recorded or occurred", months)
			}
			var err error
			if x.Selection, err = exportSelection(since, types); err != nil {
				return err
			}
			return c.with(ctx, func(a *app) error { return p.runExport(ctx, a, x, asJSON) })
		},
	}
}

func (p program) runExport(ctx context.Context, a *app, x export.Export, asJSON bool) error {
	x.Archive = a.archive()
	var events atomic.Int64
	x.Observe = func(n int) { events.Store(int64(n)) }
	began := a.now()
	stop := meter(p.Err, "export", func() (int64, int64, string) {
		n := events.Load()
		return 0, 0, fmt.Sprintf("%d events, %.0f/s", n, float64(n)/a.now().Sub(began).Seconds())
	})
	done, err := x.Run(ctx)
	stop()
	if errors.Is(err, export.ErrOther) || errors.Is(err, export.ErrFinished) || errors.Is(err, export.ErrBusy) {
		return &exitError{exitRefused, err.Error()}
	}
	if err != nil {
		return err
	}
	if asJSON {
		return p.printJSON(struct {
			export.Result
			Position string  `json:"position"`
			Seconds  float64 `json:"seconds"`
		}{done, model.FormatPosition(done.Position), a.now().Sub(began).Seconds()}, nil)
	}
	fmt.Fprintf(p.Out, "exported %d events into %d files in %s; %s holds %d events in %d files\n",
		done.Events, done.Files, a.now().Sub(began).Round(time.Millisecond), x.Dir, done.TotalEvents, done.TotalFiles)
	return nil
}

// exportSelection reads which events are asked for.
func exportSelection(since string, types []string) (s export.Selection, err error) {
	known := catalog.Codec().Names()
	for _, pattern := range types {
		if _, err := path.Match(pattern, ""); err != nil {
			return s, usage("--types: %q: %v", pattern, err)
		}
		if !slices.ContainsFunc(known, func(name string) bool { match, _ := path.Match(pattern, name); return match }) {
			return s, usage("--types: there is no type %q; there are %s", pattern, strings.Join(known, ", "))
		}
		s.Types = append(s.Types, pattern)
	}
	slices.Sort(s.Types)
	s.Types = slices.Compact(s.Types)
	if since == "" {
		return s, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(layout, since); err == nil {
			s.Since = at.UTC()
			return s, nil
		}
	}
	if n, err := strconv.ParseInt(since, 10, 64); err == nil && n >= 0 {
		s.After = domain.Position{Commit: uint64(n), Prepare: uint64(n)}
		return s, nil
	}
	if s.After, err = model.ParsePosition(since); err != nil {
		return s, usage("--since: %q is no position, instant or day", since)
	}
	return s, nil
}
