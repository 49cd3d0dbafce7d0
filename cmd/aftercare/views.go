package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"aftercare/graph/model"
	"aftercare/projections"
)

// views is the group of commands for read models.
func (p program) views(c *config) *cli.Command {
	return &cli.Command{
		Name:  "views",
		Usage: "the read models: how they do, and making them anew while they serve",
		Commands: []*cli.Command{
			p.viewsList(c), p.viewsLag(c), p.viewsRebuild(c), p.viewsSwitch(c), p.viewsDrop(c), p.viewsParked(c), p.viewsReplay(c),
		},
	}
}

// shownView is a version of a view as it is listed.
type shownView struct {
	View    string `json:"view"`
	Version string `json:"version"`
	// State is live, filling, ready, previous or as of.
	State        string     `json:"state"`
	Percent      *int       `json:"percent,omitempty"`
	Schema       string     `json:"schema"`
	Generation   int64      `json:"generation,omitempty"`
	Position     string     `json:"position,omitempty"`
	Events       int64      `json:"events"`
	Parked       int64      `json:"parked"`
	Behind       *int       `json:"behind,omitempty"`
	More         bool       `json:"more,omitempty"`
	LagSeconds   *float64   `json:"lagSeconds,omitempty"`
	AsOf         *time.Time `json:"asOf,omitempty"`
	Holder       string     `json:"holder,omitempty"`
	Failing      string     `json:"failing,omitempty"`
	FailingSince *time.Time `json:"failingSince,omitempty"`
	UpdatedAt    time.Time  `json:"updatedAt"`
}

func (p program) viewsList(c *config) *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name:      "list",
		Usage:     "every version of every view: up to where it is, how far behind, what is parked, who keeps it",
		ArgsUsage: "[VIEW…]",
		Flags:     []cli.Flag{jsonFlag(&asJSON)},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return c.with(ctx, func(a *app) error {
				all, store, err := a.shownViews(ctx, cmd.Args().Slice())
				if err != nil {
					return err
				}
				if asJSON {
					answer := struct {
						Views []shownView `json:"views"`
						Store string      `json:"store,omitempty"`
					}{all, ""}
					if store != nil {
						answer.Store = store.Error()
					}
					return p.printJSON(answer, nil)
				}
				p.printViews(all)
				if store != nil {
					fmt.Fprintln(p.Err, "aftercare: the event store cannot be read, so no lag is known:", store)
				}
				return nil
			})
		},
	}
}

// shownViews lists the versions of views, and says what kept the store from being read.
func (a *app) shownViews(ctx context.Context, names []string) (all []shownView, store, err error) {
	live, err := a.tracker.Status(ctx, names...)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		if !slices.ContainsFunc(live.Views, func(s projections.Status) bool { return s.View == name }) {
			return nil, nil, usage("no view %q", name)
		}
	}
	versions, err := projections.Versions(ctx, a.pool, names...)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range live.Views {
		shown := shownView{
			View: s.View, Version: "live", State: "live", Schema: projections.Schema(s.View), Generation: s.Generation,
			Position: model.FormatPosition(s.Position), Events: s.Events, Parked: s.Parked, Holder: s.Holder,
			FailingSince: s.FailingSince, UpdatedAt: s.UpdatedAt,
		}
		if live.Store == nil {
			age := s.Lag.Age.Seconds()
			shown.Behind, shown.More, shown.LagSeconds = &s.Lag.Events, s.Lag.More, &age
		}
		if s.Failing != nil {
			shown.Failing, _, _ = strings.Cut(s.Failing.Error(), "\n")
		}
		all = append(all, shown)
		for _, v := range versions {
			if v.View == s.View {
				all = append(all, shownVersion(v))
			}
		}
	}
	return all, live.Store, nil
}

func shownVersion(v projections.Version) shownView {
	shown := shownView{
		View: v.View, Version: v.Name, State: "ready", Schema: v.Schema, Position: model.FormatPosition(v.Position),
		Events: v.Events, Parked: v.Parked, AsOf: v.AsOf, UpdatedAt: v.UpdatedAt,
	}
	switch {
	case !v.Filled:
		shown.State = "filling"
		if v.Portions > 0 {
			percent := 100 * v.Done / v.Portions
			shown.Percent = &percent
		}
	case v.Name == projections.Previous:
		shown.State = "previous"
	case v.AsOf != nil:
		shown.State = "as of"
	}
	return shown
}

func (p program) printViews(all []shownView) {
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	defer w.Flush() //nolint:errcheck // as for every other print
	fmt.Fprintln(w, "VIEW\tVERSION\tSTATE\tEVENTS\tBEHIND\tLAG\tPARKED\tKEPT BY\tTROUBLE")
	for _, v := range all {
		state, behind, lag, holder := v.State, "-", "-", "-"
		switch {
		case v.Percent != nil:
			state = fmt.Sprintf("%s, %d %%", v.State, *v.Percent)
		case v.AsOf != nil:
			state = "as of " + v.AsOf.Format(time.RFC3339Nano)
		}
		if v.Behind != nil {
			behind = strconv.Itoa(*v.Behind)
			if v.More {
				behind = "more than " + behind
			}
			lag = time.Duration(*v.LagSeconds * float64(time.Second)).Round(time.Millisecond).String()
		}
		if v.Version == "live" {
			holder = v.Holder
			if holder == "" {
				holder = "nobody"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%d\t%s\t%s\n", v.View, v.Version, state, v.Events, behind, lag, v.Parked, holder, v.Failing)
	}
}

// lagEvery is how often a lag that is watched is looked at.
const lagEvery = time.Second

func (p program) viewsLag(c *config) *cli.Command {
	var asJSON, watch bool
	return &cli.Command{
		Name:      "lag",
		Usage:     "how far the live views are behind the head of the store, in events and in time",
		ArgsUsage: "[VIEW…]",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "watch", Usage: "tell it every second, until Ctrl-C", Destination: &watch},
			jsonFlag(&asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return c.with(ctx, func(a *app) error {
				err := p.tellLag(ctx, a, cmd.Args().Slice(), asJSON)
				for err == nil && watch && pause(ctx, lagEvery) == nil {
					err = p.tellLag(ctx, a, cmd.Args().Slice(), asJSON)
				}
				if ctx.Err() != nil && watch {
					return nil // Ctrl-C is how a watch ends
				}
				return err
			})
		},
	}
}

func (p program) tellLag(ctx context.Context, a *app, names []string, asJSON bool) error {
	all, store, err := a.shownViews(ctx, names)
	if err == nil {
		err = store
	}
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.Version != "live" {
			continue
		}
		if asJSON {
			if err := p.printLine(struct {
				At         time.Time `json:"at"`
				View       string    `json:"view"`
				Behind     int       `json:"behind"`
				More       bool      `json:"more"`
				LagSeconds float64   `json:"lagSeconds"`
			}{a.now().UTC(), v.View, *v.Behind, v.More, *v.LagSeconds}); err != nil {
				return err
			}
			continue
		}
		more := ""
		if v.More {
			more = "more than "
		}
		fmt.Fprintf(p.Out, "%-20s %s%d events, %.3f s behind\n", v.View, more, *v.Behind, *v.LagSeconds)
	}
	return nil
}
