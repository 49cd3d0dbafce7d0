package calendar_test

import (
	"testing"
	"time"

	"aftercare/domain/calendar"
)

func BenchmarkDue(b *testing.B) {
	start := time.Date(2026, 1, 5, 3, 0, 0, 0, time.UTC)
	def := desk("Europe/London")
	for day := calendar.DateOf(start); day.Year < 2027; day = day.AddDays(11) {
		def.Holidays = append(def.Holidays, day.String())
	}
	for name, bench := range map[string]struct {
		def    calendar.Definition
		budget time.Duration
	}{
		"a day":              {def, 9 * time.Hour},
		"a month":            {def, 21 * 9 * time.Hour},
		"a year":             {def, 230 * 9 * time.Hour},
		"a year always open": {calendar.AlwaysOpen("Europe/London"), 365 * 24 * time.Hour},
	} {
		b.Run(name, func(b *testing.B) {
			c := calendarOf(b, bench.def)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := c.Due(start, bench.budget, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+" without stretches", func(b *testing.B) {
			c := calendarOf(b, bench.def)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.DueAt(start, bench.budget, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
