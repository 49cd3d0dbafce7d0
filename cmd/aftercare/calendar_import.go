package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"aftercare/commands/policies"
	"aftercare/commands/policies/holidays"
	"aftercare/domain/calendar"
	"aftercare/domain/policy"
)

// calendarImport is what a calendar is made of besides its holidays.
type calendarImport struct {
	id, title, zone, years string
	number                 int
	hours, days            []string
	to                     string
}

func (p program) calendarImport() *cli.Command {
	var o calendarImport
	return &cli.Command{
		Name:      "import",
		Usage:     "make a calendar policy of files with holidays: JSON of holiday-cn, a year each, or iCalendar",
		ArgsUsage: "FILE...",
		Description: "Days that a feed calls observances are no holidays: they are listed, and left out. Years without published days are not among those\n" +
			"known: what is promised into them is provisional. Read the file before you publish it.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "id", Usage: "the policy's `ID`", Required: true, Destination: &o.id},
			&cli.IntFlag{Name: "version", Usage: "the `NUMBER` of the version", Value: 1, Destination: &o.number},
			&cli.StringFlag{Name: "title", Usage: "what people call it", Destination: &o.title},
			&cli.StringFlag{Name: "zone", Usage: "the IANA `ZONE` it is in", Required: true, Destination: &o.zone},
			&cli.StringSliceFlag{Name: "hours", Usage: "open `FROM-TO` on working days; again for each stretch of a day", Value: []string{"09:00-18:00"}, Destination: &o.hours},
			&cli.StringSliceFlag{Name: "days", Usage: "the working `DAYS` of the week", Value: []string{"mon", "tue", "wed", "thu", "fri"}, Destination: &o.days},
			&cli.StringFlag{Name: "years", Usage: "take `FROM-TO` only, as years that are known; needed where events only recur", Destination: &o.years},
			&cli.StringFlag{Name: "to", Usage: "write to a new `FILE` instead of standard output", Destination: &o.to},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if !cmd.Args().Present() {
				return usage("calendar import takes files with holidays")
			}
			feed, err := o.read(cmd.Args().Slice())
			if err != nil {
				return err
			}
			version, err := o.version(feed)
			if err != nil {
				return err
			}
			comments := make(map[string]string)
			for field, days := range map[string][]holidays.Day{"holidays": feed.Off, "makeup": feed.Worked} {
				for i, d := range days {
					comments[fmt.Sprintf("$.policies[0].calendar.%s[%d]", field, i)] = strings.Join(strings.Fields(d.Name), " ")
				}
			}
			if err := o.write(p.Out, version, comments); err != nil {
				return err
			}
			p.tellFeed(feed, version.Calendar.Known)
			return nil
		},
	}
}

// read reads all files.
func (o calendarImport) read(names []string) (holidays.Feed, error) {
	first, last, err := o.span()
	if err != nil {
		return holidays.Feed{}, err
	}
	feeds := make([]holidays.Feed, len(names))
	for i, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return holidays.Feed{}, err
		}
		if strings.EqualFold(filepath.Ext(name), ".json") {
			feeds[i], err = holidays.ReadJSON(f)
		} else {
			feeds[i], err = holidays.ReadICS(f, first, last)
		}
		_ = f.Close() // it was only read
		if err != nil {
			return holidays.Feed{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	all := holidays.Merge(feeds...)
	if o.years != "" {
		all = all.Within(first, last)
	}
	return all, nil
}

// span reads --years.
func (o calendarImport) span() (first, last int, err error) {
	if o.years == "" {
		return 0, 0, nil
	}
	from, to, _ := strings.Cut(o.years, "-")
	first, err = strconv.Atoi(from)
	if err == nil {
		last, err = strconv.Atoi(to)
	}
	if err != nil || first < 1 || last < first || last > 9998 {
		return 0, 0, usage("--years: %q is not as 2020-2030", o.years)
	}
	return first, last, nil
}

// version makes the policy, and refuses one that could not be published.
func (o calendarImport) version(feed holidays.Feed) (policy.Version, error) {
	var hours []calendar.Interval
	for _, text := range o.hours {
		hours = append(hours, strings.SplitN(text, "-", 2))
	}
	week := make(map[string][]calendar.Interval)
	for _, day := range o.days {
		week[day] = hours
	}
	d := feed.Calendar(o.zone, week, hours)
	v := policy.Version{ID: o.id, Number: o.number, Title: o.title, Origin: strings.Join(feed.Papers, " "), Calendar: &d}
	return v, v.Validate()
}

// write writes the policy to standard output, or to a file that was not there.
func (o calendarImport) write(out io.Writer, v policy.Version, comments map[string]string) error {
	if o.to == "" {
		return policies.Write(out, []policy.Version{v}, comments)
	}
	f, err := os.OpenFile(o.to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // G302: it is for everybody to read
	if err != nil {
		return err
	}
	if err := policies.Write(f, []policy.Version{v}, comments); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// tellFeed says on standard error what was taken and what was not.
func (p program) tellFeed(feed holidays.Feed, known *calendar.Years) {
	for _, c := range feed.Counts() {
		fmt.Fprintf(p.Err, "%d: %d days off, %d worked instead\n", c.Year, c.Off, c.Worked)
	}
	for _, d := range feed.Observed {
		fmt.Fprintf(p.Err, "an observance, left out: %s %s\n", d.Date, d.Name)
	}
	for _, s := range feed.Skipped {
		fmt.Fprintf(p.Err, "left out: %s\n", s)
	}
	if known != nil {
		fmt.Fprintf(p.Err, "known are %d to %d; what is promised into other years is provisional\n", known.From, known.To)
	}
}
