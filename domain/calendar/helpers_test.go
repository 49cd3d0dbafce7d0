package calendar_test

import (
	"testing"

	"aftercare/domain/calendar"
)

// desk is open Monday to Friday, 09:00 to 12:00 and 13:00 to 19:00.
func desk(zone string) calendar.Definition {
	day := []calendar.Interval{{"09:00", "12:00"}, {"13:00", "19:00"}}
	return calendar.Definition{Zone: zone, Week: map[string][]calendar.Interval{
		"mon": day, "tue": day, "wed": day, "thu": day, "fri": day,
	}}
}

// fullWeek is open from one wall time to another on every day.
func fullWeek(zone, from, to string) calendar.Definition {
	d := calendar.AlwaysOpen(zone)
	for name := range d.Week {
		d.Week[name] = []calendar.Interval{{from, to}}
	}
	return d
}

func calendarOf(tb testing.TB, d calendar.Definition) *calendar.Calendar {
	tb.Helper()
	c, err := calendar.New(d)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}
