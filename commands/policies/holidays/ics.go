package holidays

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/teambition/rrule-go"

	"aftercare/domain/calendar"
)

// ReadICS reads the whole days of an iCalendar file that are in the years from first to last. Where both are 0 they are the years of the events that
// do not recur. What recurs, also with exceptions, is there each time. Cancelled events are not.
func ReadICS(r io.Reader, first, last int) (Feed, error) {
	file, err := ics.ParseCalendar(r)
	if err != nil {
		return Feed{}, fmt.Errorf("read iCalendar: %w", err)
	}
	events := file.Events()
	if first == 0 && last == 0 {
		first, last = years(events)
	}
	if first == 0 {
		return Feed{}, errors.New("read iCalendar: there is no event that does not recur, so the years must be given")
	}
	var f Feed
	for _, e := range events {
		name := text(e, ics.ComponentPropertySummary)
		if strings.EqualFold(text(e, ics.ComponentPropertyStatus), "CANCELLED") {
			continue
		}
		days, err := daysOf(e, first, last)
		if err != nil {
			f.Skipped = append(f.Skipped, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		for _, d := range days {
			if observance(e) {
				f.Observed = append(f.Observed, Day{d, name})
			} else {
				f.Off = append(f.Off, Day{d, name})
			}
		}
	}
	return Merge(f).Within(first, last), nil
}

// years are those of the events that do not recur.
func years(events []*ics.VEvent) (first, last int) {
	for _, e := range events {
		start, err := date(e, ics.ComponentPropertyDtStart)
		if err != nil || e.HasProperty(ics.ComponentPropertyRrule) {
			continue
		}
		if first == 0 || start.Year < first {
			first = start.Year
		}
		last = max(last, start.Year)
	}
	return first, last
}

// longest is how many days one event may have. Feeds have weeks; more is a mistake.
const longest = 62

var (
	errNotWhole = errors.New("it is not of whole days")
	errLong     = errors.New("it ends before it begins, or is longer than two months")
)

// daysOf returns the days of an event, each time it takes place.
func daysOf(e *ics.VEvent, first, last int) (days []calendar.Date, err error) {
	start, err := date(e, ics.ComponentPropertyDtStart)
	if err != nil {
		return nil, err
	}
	length := 1
	switch {
	case e.HasProperty(ics.ComponentPropertyDtEnd): // which is not part of it
		end, err := date(e, ics.ComponentPropertyDtEnd)
		if err != nil {
			return nil, err
		}
		length = max(1, int(midnight(end).Sub(midnight(start)).Hours())/24)
		if end.Compare(start) < 0 || length > longest {
			return nil, errLong
		}
	case e.HasProperty(ics.ComponentPropertyDuration):
		return nil, errors.New("it has a duration instead of an end")
	}
	begins, err := occurrences(e, start, first, last)
	if err != nil {
		return nil, err
	}
	for _, at := range begins {
		for i := range length {
			if d := calendar.DateOf(at).AddDays(i); d.Year >= first && d.Year <= last {
				days = append(days, d)
			}
		}
	}
	return days, nil
}

// occurrences returns when an event begins, from a while before the first year to the end of the last one.
func occurrences(e *ics.VEvent, start calendar.Date, first, last int) ([]time.Time, error) {
	rules := []string{"DTSTART:" + midnight(start).Format("20060102T150405Z")}
	recurs := false
	for _, property := range []ics.ComponentProperty{ics.ComponentPropertyRrule, ics.ComponentPropertyRdate, ics.ComponentPropertyExdate} {
		for _, p := range e.GetProperties(property) {
			value := p.Value
			if property != ics.ComponentPropertyRrule {
				value = instants(value)
			}
			rules = append(rules, string(property)+":"+value)
			recurs = true
		}
	}
	if !recurs {
		return []time.Time{midnight(start)}, nil
	}
	set, err := rrule.StrSliceToRRuleSet(rules)
	if err != nil {
		return nil, fmt.Errorf("it recurs in a way that is not understood: %w", err)
	}
	from := time.Date(first, time.January, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -longest)
	begins := set.Between(from, time.Date(last+1, time.January, 1, 0, 0, 0, 0, time.UTC), true)
	if !e.HasProperty(ics.ComponentPropertyRrule) && !slices.Contains(begins, midnight(start)) {
		begins = append(begins, midnight(start)) // it is there besides the dates that are listed
	}
	return begins, nil
}

// instants writes a list of dates as midnights.
func instants(list string) string {
	dates := strings.Split(list, ",")
	for i, d := range dates {
		if len(d) == len("20060102") {
			dates[i] = d + "T000000Z"
		}
	}
	return strings.Join(dates, ",")
}

func midnight(d calendar.Date) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

func date(e *ics.VEvent, property ics.ComponentProperty) (calendar.Date, error) {
	t, err := time.Parse("20060102", text(e, property))
	if err != nil {
		return calendar.Date{}, errNotWhole
	}
	return calendar.DateOf(t), nil
}

// observance reports whether an event says that nobody is off.
func observance(e *ics.VEvent) bool {
	for _, p := range e.GetProperties(ics.ComponentPropertyCategories) {
		for category := range strings.SplitSeq(p.Value, ",") {
			if strings.EqualFold(strings.TrimSpace(category), "observance") {
				return true
			}
		}
	}
	said := strings.ToLower(strings.TrimSpace(text(e, ics.ComponentPropertyDescription)))
	return strings.HasPrefix(said, "observance")
}

func text(e *ics.VEvent, property ics.ComponentProperty) string {
	if p := e.GetProperty(property); p != nil {
		return p.Value
	}
	return ""
}
