package calendar_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain/calendar"
)

func TestWorkingDaysAreAddedAtTheSameWallTime(t *testing.T) {
	t.Parallel()
	day := []calendar.Interval{{"08:30", "12:00"}, {"13:00", "17:00"}}
	def := calendar.Definition{Zone: "America/New_York", Week: map[string][]calendar.Interval{
		"mon": day, "tue": {{"09:30", "15:00"}}, "wed": {{"12:15", "12:45"}, {"13:00", "17:00"}}, "thu": day, "fri": day,
	}, Holidays: []string{"2026-03-05"}}
	c := calendarOf(t, def)
	for name, test := range map[string]struct {
		start string
		n     int
		want  string
	}{
		"over a weekend with a change of clocks": {"2026-03-06 10:00:30", 1, "2026-03-09 10:00:30"},
		"over a holiday":                         {"2026-03-04 14:00:00", 1, "2026-03-06 14:00:00"},
		"before opening":                         {"2026-03-09 06:00:00", 3, "2026-03-12 08:30:00"},
		"at opening":                             {"2026-03-12 08:30:00", 1, "2026-03-13 08:30:00"},
		"at closing counts from the next day":    {"2026-03-12 17:00:00", 1, "2026-03-16 08:30:00"},
		"a second before closing":                {"2026-03-12 16:59:59", 1, "2026-03-13 16:59:59"},
		"in the break counts from its end":       {"2026-03-12 12:20:00", 1, "2026-03-13 13:00:00"},
		"on a weekend":                           {"2026-03-14 12:00:00", 3, "2026-03-19 08:30:00"},
		"later than closing on the last day":     {"2026-03-09 16:00:00", 1, "2026-03-10 15:00:00"},
		"before opening on the last day":         {"2026-03-09 08:30:00", 1, "2026-03-10 09:30:00"},
		"in a break of the last day":             {"2026-03-10 12:50:00", 1, "2026-03-11 12:45:00"},
		"none is the start":                      {"2026-03-09 10:00:00", 0, "2026-03-09 10:00:00"},
		"none outside hours is the opening":      {"2026-03-09 18:00:00", 0, "2026-03-10 09:30:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start, err := time.ParseInLocation(time.DateTime, test.start, c.Zone())
			if err != nil {
				t.Fatal(err)
			}
			due, counted, err := c.AddWorkdays(start, test.n)
			if got := due.In(c.Zone()).Format(time.DateTime); err != nil || got != test.want {
				t.Errorf("got %s, %v, want %s", got, err, test.want)
			}
			if want := slices.Collect(c.Open(start, due)); !cmp.Equal(counted, want) {
				t.Errorf("got stretches %v, want %v", counted, want)
			}
		})
	}
}

func TestTheSameWallTimeWhereItIsMissingOrDouble(t *testing.T) {
	t.Parallel()
	c := calendarOf(t, fullWeek("Europe/Berlin", "00:00", "24:00"))
	broken := calendarOf(t, fullWeek("Europe/Berlin", "00:00", "23:59"))
	for start, want := range map[string]string{
		"2026-03-28T01:30:00Z": "2026-03-29T01:00:00Z", // 02:30 is skipped: the change
		"2026-10-24T00:30:00Z": "2026-10-25T00:30:00Z", // 02:30 exists twice: the first
		"2026-10-24T01:30:00Z": "2026-10-25T02:30:00Z",
	} {
		for _, c := range []*calendar.Calendar{c, broken} {
			if got, _, err := c.AddWorkdays(instant(t, start), 1); err != nil || !got.Equal(instant(t, want)) {
				t.Errorf("%s: got %s, %v, want %s", start, got, err, want)
			}
			if got := c.AddDays(instant(t, start), 1); !got.Equal(instant(t, want)) {
				t.Errorf("%s: got %s one day later, want %s", start, got, want)
			}
		}
	}
}
