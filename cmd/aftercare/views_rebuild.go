package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v3"

	"aftercare/projections"
	"aftercare/projections/metric"
)

func (p program) viewsRebuild(c *config) *cli.Command {
	var asJSON, hold bool
	var asOf, into string
	return &cli.Command{
		Name:      "rebuild",
		Usage:     "make views anew from the whole log, beside the live ones, and switch",
		ArgsUsage: "[VIEW…]",
		Description: "All views are rebuilt when none is named. The live ones serve until the new ones have caught up and take their place, and stay as\n" +
			"previous versions. Interrupted, it goes on where it was when it is run again.\n\n" +
			"With --no-switch the new versions wait for `views switch`. With --as-of and --into versions are made that hold only what was\n" +
			"recorded by then, in the Postgres schema view_VIEW_as_of_NAME; they serve nobody and stay until `views drop`.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "no-switch", Usage: "leave the new versions beside the live ones", Destination: &hold},
			&cli.StringFlag{Name: "as-of", Usage: "an `INSTANT` (RFC 3339)", Destination: &asOf},
			&cli.StringFlag{Name: "into", Usage: "the `NAME` of the versions as of that instant", Destination: &into},
			jsonFlag(&asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			var at time.Time
			if asOf != "" || into != "" {
				var err error
				if at, err = time.Parse(time.RFC3339Nano, asOf); err != nil || into == "" || hold {
					return usage("--as-of takes an instant, such as 2026-04-01T00:00:00+08:00, goes with --into NAME, and not with --no-switch")
				}
			}
			return c.with(ctx, func(a *app) error {
				chosen, err := a.choose(ctx, cmd.Args().Slice())
				if err != nil {
					return err
				}
				return a.settled(ctx, p.Err, &position{}, func(ctx context.Context) error {
					r := a.rebuilder()
					r.Hold, r.AsOf, r.Into = hold, at, into
					report, err := p.remake(ctx, a, r, chosen)
					if errors.Is(err, projections.ErrName) {
						return usage("--into: %v", err)
					}
					if err != nil {
						return err
					}
					if !asJSON {
						p.tellReport(report, len(chosen))
						return nil
					}
					return p.printJSON(shownReport(report, chosen), nil)
				})
			})
		},
	}
}

// printLine prints a value as a line of JSON.
func (p program) printLine(v any) error { return json.NewEncoder(p.Out).Encode(v) }

func shownReport(r projections.Report, chosen []projections.View) any {
	names := make([]string, len(chosen))
	for i, v := range chosen {
		names[i] = v.Name()
	}
	return struct {
		Views            []string `json:"views"`
		Events           int      `json:"events"`
		Read             int      `json:"readFromStore"`
		Resumed          int      `json:"resumed"`
		Parked           int      `json:"parked"`
		EventsPerSecond  float64  `json:"eventsPerSecond"`
		ReadingSeconds   float64  `json:"readingSeconds"`
		LoadingSeconds   float64  `json:"loadingSeconds"`
		IndexingSeconds  float64  `json:"indexingSeconds"`
		SwitchingSeconds float64  `json:"switchingSeconds"`
	}{
		names, r.Events, r.Read, r.Resumed, r.Parked, r.PerSecond(), r.Reading.Seconds(), r.Loading.Seconds(), r.Indexing.Seconds(), r.Switching.Seconds(),
	}
}

func (p program) tellReport(r projections.Report, views int) {
	fmt.Fprintf(p.Out, "rebuilt %d views from %d events at %.0f events/s: reading %s, loading %s, indexing %s, switching %s; %d parked\n", views,
		r.Events, r.PerSecond(), r.Reading.Round(time.Millisecond), r.Loading.Round(time.Millisecond), r.Indexing.Round(time.Millisecond),
		r.Switching.Round(time.Millisecond), r.Parked)
}

func (p program) viewsSwitch(c *config) *cli.Command {
	var asJSON, back bool
	return &cli.Command{
		Name:      "switch",
		Usage:     "put the version that `views rebuild --no-switch` made in the live one's place, or with --back the previous one",
		ArgsUsage: "VIEW…",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "back", Usage: "go back to the version that was live before the last switch", Destination: &back},
			jsonFlag(&asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if !cmd.Args().Present() {
				return usage("switch takes a view")
			}
			version := projections.Next
			if back {
				version = projections.Previous
			}
			return c.with(ctx, func(a *app) error {
				chosen, err := a.choose(ctx, cmd.Args().Slice())
				if err != nil {
					return err
				}
				return a.settled(ctx, p.Err, &position{}, func(ctx context.Context) error {
					for _, v := range chosen {
						began := a.now()
						if m, ok := v.(*metric.View); ok { // whose versions may be of other definitions
							if v, err = a.metrics().Version(ctx, m.Definition.Name, version); err != nil {
								return refusedVersion(err)
							}
						}
						if err := a.rebuilder().Switch(ctx, v, version); err != nil {
							return refusedVersion(err)
						}
						took := a.now().Sub(began)
						if asJSON {
							err = p.printLine(struct {
								View    string  `json:"view"`
								From    string  `json:"from"`
								Seconds float64 `json:"seconds"`
							}{v.Name(), version, took.Seconds()})
						} else {
							_, err = fmt.Fprintf(p.Out, "%s: the %s version is live, after %s\n", v.Name(), version, took.Round(time.Millisecond))
						}
						if err != nil {
							return err
						}
					}
					return nil
				})
			})
		},
	}
}

// refusedVersion makes what is wrong with a version a refusal, with what can be done.
func refusedVersion(err error) error {
	switch {
	case errors.Is(err, projections.ErrNoVersion):
		return &exitError{exitRefused, err.Error() + ": see aftercare views list"}
	case errors.Is(err, projections.ErrOutdated):
		return &exitError{exitRefused, err.Error() + ", or switch with the program that made it"}
	case errors.Is(err, projections.ErrRebuilding):
		return &exitError{exitRefused, err.Error()}
	}
	return err
}

func (p program) viewsDrop(c *config) *cli.Command {
	var asJSON bool
	var version string
	return &cli.Command{
		Name:      "drop",
		Usage:     "remove versions of views that are not live",
		ArgsUsage: "VIEW…",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "version", Usage: "`NAME`: previous, next, or that of one made as of an instant", Value: projections.Previous, Destination: &version},
			jsonFlag(&asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if !cmd.Args().Present() {
				return usage("drop takes a view")
			}
			return c.with(ctx, func(a *app) error {
				for _, view := range cmd.Args().Slice() {
					err := a.rebuilder().Drop(ctx, view, version)
					if errors.Is(err, projections.ErrName) {
						return usage("--version: %v", err)
					}
					if err != nil {
						return refusedVersion(err)
					}
					if asJSON {
						err = p.printLine(map[string]string{"view": view, "dropped": version})
					} else {
						_, err = fmt.Fprintf(p.Out, "%s: the version %s is dropped\n", view, version)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

// choose returns the views of these names, all of the program's own when there are none: a metric is somebody else's, and one that is
// broken would keep the others from being rebuilt with it.
func (a *app) choose(ctx context.Context, names []string) ([]projections.View, error) {
	metrics, err := a.metrics().List(ctx)
	if err != nil {
		return nil, err
	}
	var (
		own    []string
		chosen []projections.View
	)
	for _, name := range names {
		i := slices.IndexFunc(metrics, func(m metric.Installed) bool { return metric.ViewName(m.Name) == name })
		if i < 0 {
			own = append(own, name)
			continue
		}
		chosen = append(chosen, metrics[i].View())
	}
	if len(own) == 0 && len(chosen) > 0 {
		return chosen, nil
	}
	views, err := chooseViews(own)
	return append(views, chosen...), err
}
