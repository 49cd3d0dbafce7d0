package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

func (p program) clock(c *config) *cli.Command {
	var api, zone string
	return &cli.Command{
		Name:  "clock",
		Usage: "look at promises",
		Commands: []*cli.Command{{
			Name: "explain", Usage: "print why each due time of a ticket is what it is", ArgsUsage: "NUMBER|ID",
			Flags: []cli.Flag{
				apiFlag(&api),
				&cli.StringFlag{Name: "zone", Usage: "the IANA `ZONE` to print times in", Value: "UTC", Destination: &zone},
			},
			Action: func(ctx context.Context, cmd *cli.Command) error {
				if cmd.Args().Len() != 1 {
					return usage("clock explain takes a service number or an id")
				}
				location, err := time.LoadLocation(zone)
				if err != nil {
					return usage("--zone: %q is not an IANA zone", zone)
				}
				t, err := p.fetch(ctx, c, api, cmd.Args().First())
				if err != nil {
					return err
				}
				fmt.Fprintf(p.Out, "Ticket %s, %s, received %s\n", t.Number, strings.ToLower(t.Phase), when(&t.ReceivedAt, location))
				if len(t.Clocks) == 0 {
					fmt.Fprintln(p.Out, "No promise was made about it.")
				}
				for _, clock := range t.Clocks {
					p.explain(clock, location)
				}
				return nil
			},
		}},
	}
}

func when(t *time.Time, zone *time.Location) string {
	if t == nil {
		return "never"
	}
	return t.In(zone).Format("Mon 2006-01-02 15:04:05 MST")
}

// explain prints one clock, from the record.
func (p program) explain(c shownClock, zone *time.Location) {
	if c.Instance == nil {
		fmt.Fprintf(p.Out, "\n%s, as %s recorded it: %s\n", c.Clock, text(c.Source), strings.ToLower(strings.ReplaceAll(c.State, "_", " ")))
		if c.Due != nil {
			fmt.Fprintf(p.Out, "  due        %s\n", when(c.Due, zone))
		}
		if c.StoppedAt != nil {
			fmt.Fprintf(p.Out, "  stopped    %s\n", when(c.StoppedAt, zone))
		}
		return
	}
	fmt.Fprintf(p.Out, "\n%d. %s: %s\n", *c.Instance, c.Clock, strings.ToLower(strings.ReplaceAll(c.State, "_", " ")))
	fmt.Fprintf(p.Out, "  due        %s\n", when(c.Due, zone))
	if c.PromisedDue != nil && c.Due != nil && !c.PromisedDue.Equal(*c.Due) {
		fmt.Fprintf(p.Out, "  promised   %s, moved by pauses of %s\n", when(c.PromisedDue, zone), rounded(time.Duration(c.PausedSeconds)*time.Second))
	}
	if pr := c.Promise; pr != nil {
		fmt.Fprintf(p.Out, "  because    %d %s from %s\n", pr.Budget, strings.ReplaceAll(pr.Unit, "_", " "), when(&pr.Start, zone))
		if pr.CarriedSeconds > 0 {
			fmt.Fprintf(p.Out, "             of which %s were used up before\n", seconds(pr.CarriedSeconds))
		}
		tz := ""
		if pr.TZ != nil {
			tz = ", tz database " + *pr.TZ
		}
		fmt.Fprintf(p.Out, "  under      %s version %d, calendar %s version %d%s\n", pr.Definition.ID, pr.Definition.Version, pr.Calendar.ID, pr.Calendar.Version, tz)
		if pr.Provisional {
			fmt.Fprintln(p.Out, "             provisional: the holidays of a year it reaches into were not published yet")
		}
		for i, s := range pr.Counted {
			label := ""
			if i == 0 {
				label = "counted"
			}
			fmt.Fprintf(p.Out, "  %-10s %s to %s (%s)\n", label, when(&s.Start, zone), when(&s.End, zone), rounded(s.End.Sub(s.Start)))
		}
	}
	for _, f := range []struct {
		label string
		at    *time.Time
	}{{"breached", c.BreachedAt}, {"stopped", c.StoppedAt}} {
		if f.at != nil {
			fmt.Fprintf(p.Out, "  %-10s %s\n", f.label, when(f.at, zone))
		}
	}
	if c.OverrunSeconds != nil && *c.OverrunSeconds > 0 {
		fmt.Fprintf(p.Out, "  late by    %s of counted time\n", seconds(*c.OverrunSeconds))
	}
	if c.Reason != nil && c.SupersededBy == nil {
		fmt.Fprintf(p.Out, "  ended by   %s\n", text(c.Reason))
	}
	if c.Supersedes != nil {
		fmt.Fprintf(p.Out, "  took the place of %d\n", *c.Supersedes)
	}
	if c.SupersededBy != nil {
		fmt.Fprintf(p.Out, "  superseded by %d: %s\n", *c.SupersededBy, text(c.Reason))
	}
}

// rounded says a stretch of time to the second, and a shorter one as what it is.
func rounded(d time.Duration) string {
	if d < time.Second {
		return "less than a second"
	}
	return d.Round(time.Second).String()
}

func seconds(n int64) string { return (time.Duration(n) * time.Second).String() }
