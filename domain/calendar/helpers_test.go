package calendar_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the same zones everywhere

	"pgregory.net/rapid"

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

func calendarOf(tb rapid.TB, d calendar.Definition) *calendar.Calendar {
	tb.Helper()
	c, err := calendar.New(d)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func instant(tb rapid.TB, s string) time.Time {
	tb.Helper()
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		tb.Fatal(err)
	}
	return t.UTC()
}

func date(tb rapid.TB, s string) calendar.Date {
	tb.Helper()
	d, err := calendar.ParseDate(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// changes are zones with an instant around which their clocks did something worth testing.
var changes = []struct{ zone, around string }{
	{"Europe/Berlin", "2026-03-29T01:00:00Z"},
	{"Europe/Berlin", "2026-10-25T01:00:00Z"},
	{"America/New_York", "2026-11-01T06:00:00Z"},
	{"America/Sao_Paulo", "2018-11-04T03:00:00Z"},    // midnight does not exist
	{"America/Sao_Paulo", "2018-02-18T02:00:00Z"},    // 23:00 to 24:00 exists twice
	{"Africa/Cairo", "2024-04-25T22:00:00Z"},         // midnight does not exist
	{"Africa/Cairo", "2024-10-31T21:00:00Z"},         // 23:00 to 24:00 exists twice
	{"Asia/Beirut", "2024-03-30T22:00:00Z"},          // midnight does not exist
	{"America/St_Johns", "2010-11-07T02:31:00Z"},     // parts of two dates exist twice
	{"Australia/Lord_Howe", "2026-04-04T15:00:00Z"},  // half an hour
	{"Pacific/Apia", "2011-12-30T10:00:00Z"},         // a day is skipped
	{"Pacific/Kwajalein", "1993-08-21T12:00:00Z"},    // a day is skipped
	{"America/Juneau", "1867-10-19T00:31:00Z"},       // a day exists twice
	{"Asia/Kathmandu", "1985-12-31T18:30:00Z"},       // +05:30 to +05:45
	{"Africa/Casablanca", "2026-02-15T02:00:00Z"},    // negative summer time
	{"America/Nuuk", "2024-03-31T01:00:00Z"},         // rule with a negative hour
	{"Antarctica/Troll", "2026-03-29T01:00:00Z"},     // two hours
	{"Europe/Amsterdam", "1937-06-30T23:40:28Z"},     // +00:19:32 before
	{"Africa/Monrovia", "1972-01-07T00:44:30Z"},      // -00:44:30 before
	{"Asia/Shanghai", "1900-12-31T15:54:17Z"},        // local mean time before
	{"America/New_York", "2049-03-14T07:00:00Z"},     // beyond the table of changes
	{"Asia/Pyongyang", "2018-05-04T15:00:00Z"},       // 23:30 becomes 24:00
	{"America/Caracas", "2007-12-09T07:00:00Z"},      // half an hour back, for good
	{"Antarctica/Casey", "2020-10-03T16:01:00Z"},     // three hours, at 00:01
	{"Europe/Dublin", "1916-05-21T02:25:21Z"},        // seconds in the offset
	{"Asia/Manila", "1844-12-31T16:00:00Z"},          // a day is skipped
	{"Asia/Shanghai", "2026-02-14T00:00:00Z"},        // none
	{"Pacific/Chatham", "2026-09-26T14:00:00Z"},      // +12:45
	{"America/Scoresbysund", "2024-03-31T01:00:00Z"}, // changed zone and summer time at once
}

// drawSetup draws a calendar and an instant near a change of its clocks.
func drawSetup(t *rapid.T) (calendar.Definition, time.Time) {
	change := rapid.SampledFrom(changes).Draw(t, "change")
	around, err := time.Parse(time.RFC3339, change.around)
	if err != nil {
		t.Fatal(err)
	}
	def := calendar.Definition{Zone: change.zone, Week: map[string][]calendar.Interval{}}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		if hours := drawHours(t, day); len(hours) > 0 {
			def.Week[day] = hours
		}
	}
	days := rapid.SliceOfN(rapid.IntRange(-4, 4), 0, 3)
	for _, n := range days.Draw(t, "holidays") {
		def.Holidays = append(def.Holidays, calendar.DateOf(around).AddDays(n).String())
	}
	if hours := drawHours(t, "makeup hours"); len(hours) > 0 {
		def.MakeupHours = hours
		for _, n := range days.Draw(t, "makeup") {
			def.Makeup = append(def.Makeup, calendar.DateOf(around).AddDays(n).String())
		}
	}
	return def, around
}

// drawHours draws up to three intervals in order, some touching, some to the end of the day.
func drawHours(t *rapid.T, label string) []calendar.Interval {
	cuts := rapid.SliceOfNDistinct(rapid.IntRange(0, 96), 0, 6, rapid.ID).Draw(t, label)
	slices.Sort(cuts)
	var out []calendar.Interval
	for i := 0; i+1 < len(cuts); {
		out = append(out, calendar.Interval{quarter(cuts[i]), quarter(cuts[i+1])})
		i++
		if cuts[i]%2 == 0 { // leave a break, or none
			i++
		}
	}
	return out
}

func quarter(n int) string {
	return twoDigits(n/4) + ":" + twoDigits(n%4*15)
}

func twoDigits(n int) string { return fmt.Sprintf("%02d", n) }

// drawNear draws an instant up to some days around another, mostly with whole seconds.
func drawNear(t *rapid.T, around time.Time, days int, label string) time.Time {
	n := rapid.IntRange(-days*24*60, days*24*60).Draw(t, label)
	fine := rapid.SampledFrom([]time.Duration{0, 0, 0, time.Second, 17*time.Second + 5, 59*time.Second + 999_999_999}).Draw(t, label+" fine")
	return around.Add(time.Duration(n)*time.Minute + fine)
}

func drawPauses(t *rapid.T, around time.Time) []calendar.Span {
	n := rapid.IntRange(0, 4).Draw(t, "pauses")
	out := make([]calendar.Span, 0, n)
	for range n {
		start := drawNear(t, around, 3, "pause")
		out = append(out, calendar.Span{Start: start, End: start.Add(time.Duration(rapid.IntRange(-10, 3000).Draw(t, "length")) * time.Minute)})
	}
	return out
}

// openAt is the definition read naively: what the wall clock shows, looked up in the lists.
func openAt(def calendar.Definition, zone *time.Location, t time.Time) bool {
	local := t.In(zone)
	day := local.Format(time.DateOnly)
	hours := def.Week[strings.ToLower(local.Format("Mon"))]
	switch {
	case slices.Contains(def.Makeup, day):
		hours = def.MakeupHours
	case slices.Contains(def.Holidays, day):
		hours = nil
	}
	clock := local.Format("15:04:05")
	return slices.ContainsFunc(hours, func(h calendar.Interval) bool { return h[0]+":00" <= clock && clock < h[1]+":00" })
}

func pausedAt(pauses []calendar.Span, t time.Time) bool {
	return slices.ContainsFunc(pauses, func(p calendar.Span) bool { return !t.Before(p.Start) && t.Before(p.End) })
}
