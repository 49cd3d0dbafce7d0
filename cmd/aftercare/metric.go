package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections"
	"aftercare/projections/metric"
)

func (p program) metric(c *config) *cli.Command {
	return &cli.Command{
		Name:  "metric",
		Usage: "read models defined by SQL files: a folder with metric.yaml, create.sql and apply.sql",
		Commands: []*cli.Command{
			p.metricCheck(c), p.metricRun(c), p.metricList(c), p.metricShow(c), p.metricResume(c), p.metricDrop(c), p.metricGrant(c),
		},
	}
}

// One of these is what the metric commands take.
const (
	metricPlace = "FOLDER|" // and the names of the shipped ones
	metricName  = "NAME"
)

// one returns the one argument of a command.
func one(cmd *cli.Command) (string, error) {
	if cmd.Args().Len() != 1 {
		return "", usage("%s takes one %s", cmd.Name, cmd.ArgsUsage)
	}
	return cmd.Args().First(), nil
}

func shippedMetrics() string { return strings.Join(metric.Shipped(), "|") }

func (a *app) metrics() *metric.Store { return &metric.Store{Pool: a.pool, Logger: a.logger} }

func (p program) metricCheck(c *config) *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name:      "check",
		Usage:     "try a metric on some of the events there are, and leave nothing behind",
		ArgsUsage: metricPlace + shippedMetrics(),
		Flags:     []cli.Flag{jsonFlag(&asJSON)},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			place, err := one(cmd)
			if err != nil {
				return err
			}
			d, err := metric.Find(place) // which needs no servers
			if err != nil {
				return err
			}
			return c.with(ctx, func(a *app) error {
				trial, err := a.tryMetric(ctx, d)
				if err != nil {
					return err
				}
				if asJSON {
					return p.printJSON(map[string]any{
						"metric": d.Name, "version": d.Version, "events": trial.Events, "rows": trial.Rows, "types": handledTypes(a.codec, d),
					}, nil)
				}
				fmt.Fprintf(p.Out, "%s, version %d, is good: tried on %d events, in one batch and in many, which gave %d rows of %s\n",
					d.Name, d.Version, trial.Events, trial.Rows, d.Result)
				fmt.Fprintf(p.Out, "`aftercare metric run %s` would fill %s.%s from all events of %s\n",
					place, projections.Schema(metric.ViewName(d.Name)), d.Result, strings.Join(handledTypes(a.codec, d), ", "))
				return nil
			})
		},
	}
}

// Bounds of the events a metric is tried on.
const (
	triedEvents  = 2000
	lookedEvents = 200_000
)

// tryMetric checks a metric on the first events of the log that it handles.
func (a *app) tryMetric(ctx context.Context, d metric.Definition) (metric.Trial, error) {
	var sample []codec.Raw
	looked := 0
	for e, err := range a.feed.Read(ctx, domain.Position{}) {
		if err != nil {
			return metric.Trial{}, err
		}
		if d.Handles(e.Type) {
			sample = append(sample, e)
		}
		if looked++; looked == lookedEvents || len(sample) == triedEvents {
			break
		}
	}
	return metric.Check(ctx, a.pool, d, a.codec.Names(), sample)
}

func handledTypes(c *codec.Codec, d metric.Definition) []string {
	var list []string
	for _, name := range c.Names() {
		if d.Handles(name) {
			list = append(list, name)
		}
	}
	return list
}

func (p program) metricRun(c *config) *cli.Command {
	var form tableForm
	return &cli.Command{
		Name:      "run",
		Usage:     "check a metric, fill it from all events there are, keep it up to date from then on, and show its numbers",
		ArgsUsage: metricPlace + shippedMetrics(),
		Flags:     form.flags(),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			place, err := one(cmd)
			if err != nil {
				return err
			}
			d, err := metric.Find(place)
			if err != nil {
				return err
			}
			return c.with(ctx, func(a *app) error {
				if _, err := a.tryMetric(ctx, d); err != nil {
					return err
				}
				store := a.metrics()
				err := store.Install(ctx, d, func(ctx context.Context, v projections.View) error { return p.fillMetric(ctx, a, v) })
				if err != nil {
					return err
				}
				return p.showMetric(ctx, store, d.Name, form)
			})
		},
	}
}

// fillMetric rebuilds a metric, and says on standard error how far that is.
func (p program) fillMetric(ctx context.Context, a *app, v projections.View) error {
	report, err := p.remake(ctx, a, a.rebuilder(), []projections.View{v})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Err, "filled from %d events at %.0f events/s\n", report.Events, report.PerSecond())
	return nil
}

func (p program) metricList(c *config) *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name:  "list",
		Usage: "the metrics there are: installed, parked with their error, and shipped with the program",
		Flags: []cli.Flag{jsonFlag(&asJSON)},
		Action: func(ctx context.Context, _ *cli.Command) error {
			return c.with(ctx, func(a *app) error {
				all, err := a.metrics().List(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return p.printJSON(listedMetrics(all), nil)
				}
				w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "NAME\tVERSION\tSTATE\tDESCRIPTION")
				installed := map[string]bool{}
				for _, m := range all {
					installed[m.Name] = true
					fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", m.Name, m.Version, metricState(m), m.Description.In(p.words().Tag()))
				}
				for _, name := range metric.Shipped() {
					if d, err := metric.Find(name); err == nil && !installed[name] {
						fmt.Fprintf(w, "%s\t%d\tshipped\t%s\n", name, d.Version, d.Description.In(p.words().Tag()))
					}
				}
				return w.Flush()
			})
		},
	}
}

// metricState is how a metric does, in a word, and for one that is parked why.
func metricState(m metric.Installed) string {
	switch {
	case m.Error != nil:
		return "parked: " + *m.Error
	case !m.Ready:
		return "not filled"
	}
	return "kept"
}

type listedMetric struct {
	Name        string     `json:"name"`
	Version     int        `json:"version"`
	Description string     `json:"description"`
	Table       string     `json:"table"`
	Ready       bool       `json:"ready"`
	InstalledAt time.Time  `json:"installedAt"`
	Error       *string    `json:"error"`
	ParkedAt    *time.Time `json:"parkedAt"`
}

func listedMetrics(all []metric.Installed) []listedMetric {
	list := make([]listedMetric, len(all))
	for i, m := range all {
		list[i] = listedMetric{
			m.Name, m.Version, m.Description.EN, projections.Schema(metric.ViewName(m.Name)) + "." + m.Result, m.Ready, m.InstalledAt, m.Error, m.ParkedAt,
		}
	}
	return list
}

func (p program) metricResume(c *config) *cli.Command {
	return p.metricDo(c, "resume", "go on with a parked metric from where it stopped", metricName, func(ctx context.Context, s *metric.Store, name string) (string, error) {
		return name + " goes on", s.Resume(ctx, name)
	})
}

func (p program) metricDrop(c *config) *cli.Command {
	return p.metricDo(c, "drop", "remove a metric, with its tables", metricName, func(ctx context.Context, s *metric.Store, name string) (string, error) {
		return name + " is gone; its events are not", s.Drop(ctx, name)
	})
}

func (p program) metricGrant(c *config) *cli.Command {
	return p.metricDo(c, "grant", "let a database role, such as that of a BI tool, read the results of all metrics by SQL", "ROLE",
		func(ctx context.Context, s *metric.Store, role string) (string, error) {
			group, err := s.Grant(ctx, role)
			return fmt.Sprintf("%s reads the metrics as a member of %s", role, group), err
		})
}

// metricDo is a command that does one thing with one name.
func (p program) metricDo(c *config, name, usage, takes string, do func(context.Context, *metric.Store, string) (string, error)) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: takes,
		Action: func(ctx context.Context, cmd *cli.Command) error {
			what, err := one(cmd)
			if err != nil {
				return err
			}
			return c.with(ctx, func(a *app) error {
				said, err := do(ctx, a.metrics(), what)
				if refusal, ok := errors.AsType[*domain.Error](err); ok && refusal.Kind == domain.NotFound {
					return fmt.Errorf("there is no metric %q; `aftercare metric list` shows them", what)
				}
				if err == nil {
					fmt.Fprintln(p.Out, said)
				}
				return err
			})
		},
	}
}
