package clock_test

import (
	"testing"

	"aftercare/domain"
	"aftercare/domain/calendar"
	"aftercare/domain/clock"
)

func TestUnits(t *testing.T) {
	t.Parallel()
	holiday := office()
	holiday.Holidays = []string{"2026-03-03"}
	late := calendar.Definition{Zone: "America/New_York", Week: office().Week}
	for name, c := range map[string]struct {
		unit     clock.Unit
		budget   int
		calendar calendar.Definition
		start    string
		due      string
	}{
		"minutes go on over lunch and night":            {clock.Minutes, 8 * 60, office(), "03-02 10:00", "03-03 11:00"},
		"minutes that end at closing are due then":      {clock.Minutes, 6 * 60, office(), "03-02 10:00", "03-02 17:00"},
		"minutes from outside hours begin at opening":   {clock.Minutes, 60, office(), "03-01 22:00", "03-02 10:00"},
		"minutes over a holiday":                        {clock.Minutes, 7 * 60, holiday, "03-02 10:00", "03-04 10:00"},
		"working days end at closing":                   {clock.WorkingDays, 1, office(), "03-02 10:00", "03-03 17:00"},
		"working days skip the weekend":                 {clock.WorkingDays, 3, office(), "03-05 23:00", "03-10 17:00"},
		"working days skip holidays":                    {clock.WorkingDays, 1, holiday, "03-02 10:00", "03-04 17:00"},
		"no working day is the day itself":              {clock.WorkingDays, 0, office(), "03-02 10:00", "03-02 17:00"},
		"no working day from a weekend is its midnight": {clock.WorkingDays, 0, office(), "03-07 10:00", "03-08 00:00"},
		"no working day from after closing is midnight": {clock.WorkingDays, 0, office(), "03-02 18:00", "03-03 00:00"},
		"no working day from closing is due at once":    {clock.WorkingDays, 0, office(), "03-02 17:00", "03-02 17:00"},
		"the same time on the next working day":         {clock.WorkingDaysSameTime, 1, office(), "03-06 10:30", "03-09 10:30"},
		"the same time from outside hours is opening":   {clock.WorkingDaysSameTime, 2, office(), "03-07 10:30", "03-11 09:00"},
		"the same time over the change of clocks":       {clock.WorkingDaysSameTime, 1, office(), "03-27 10:30", "03-30 09:30"},
		"the same time in New York":                     {clock.WorkingDaysSameTime, 1, late, "03-06 15:30", "03-09 14:30"},
		"calendar days end at midnight":                 {clock.CalendarDays, 15, office(), "03-02 10:00", "03-18 00:00"},
		"calendar days over the change of clocks":       {clock.CalendarDays, 15, office(), "03-20 10:00", "04-04 23:00"},
		"no calendar day is the day itself":             {clock.CalendarDays, 0, office(), "03-02 10:00", "03-03 00:00"},
		"days later at the same time":                   {clock.CalendarDaysSameTime, 2, office(), "03-06 10:30", "03-08 10:30"},
		"days later over the change of clocks":          {clock.CalendarDaysSameTime, 2, office(), "03-28 10:30", "03-30 09:30"},
		"days later at an hour that is skipped":         {clock.CalendarDaysSameTime, 1, office(), "03-28 01:30", "03-29 01:00"},
		"days later at an hour that is twice":           {clock.CalendarDaysSameTime, 1, office(), "10-24 00:30", "10-25 00:30"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, terms(t, resolution(c.budget, c.unit), c.calendar))
			d.fact("received", c.start)
			d.due(c.due)
		})
	}
}

func TestCountedStretchesLeadFromStartToDue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		unit clock.Unit
		want []clock.Span
	}{
		"minutes":                 {clock.Minutes, []clock.Span{span("03-02 10:00", "03-02 10:01")}},
		"working_days":            {clock.WorkingDays, []clock.Span{span("03-02 10:00", "03-02 12:00"), span("03-02 13:00", "03-02 17:00"), span("03-03 09:00", "03-03 12:00"), span("03-03 13:00", "03-03 17:00")}},
		"working_days_same_time":  {clock.WorkingDaysSameTime, []clock.Span{span("03-02 10:00", "03-02 12:00"), span("03-02 13:00", "03-02 17:00"), span("03-03 09:00", "03-03 10:00")}},
		"calendar_days":           {clock.CalendarDays, []clock.Span{span("03-02 10:00", "03-04 00:00")}},
		"calendar_days_same_time": {clock.CalendarDaysSameTime, []clock.Span{span("03-02 10:00", "03-03 10:00")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.unit.String() != name {
				t.Errorf("got the name %q", c.unit)
			}
			d := newDesk(t, terms(t, resolution(1, c.unit), office()))
			d.fact("received", "03-02 10:00")
			d.counted(c.want...)
		})
	}
}

func TestNamesOfUnitsAndCarries(t *testing.T) {
	t.Parallel()
	for u := clock.Minutes; u <= clock.CalendarDaysSameTime; u++ {
		text, err := u.MarshalText()
		var back clock.Unit
		if err != nil || back.UnmarshalText(text) != nil || back != u {
			t.Errorf("%v came back as %v, %v", u, back, err)
		}
	}
	for c := clock.Restart; c <= clock.FromOrigin; c++ {
		text, err := c.MarshalText()
		var back clock.Carry
		if err != nil || back.UnmarshalText(text) != nil || back != c {
			t.Errorf("%v came back as %v, %v", c, back, err)
		}
	}
	for _, bad := range []string{"", "hours", "Minutes"} {
		if _, err := clock.ParseUnit(bad); !isCode(err, "clock.unknown-unit") {
			t.Errorf("unit %q: %v", bad, err)
		}
		if _, err := clock.ParseCarry(bad); !isCode(err, "clock.unknown-carry") {
			t.Errorf("carry %q: %v", bad, err)
		}
	}
	if got := clock.Unit(99).String() + clock.Carry(99).String(); got != "" {
		t.Errorf("unknown values are named %q", got)
	}
}

func isCode(err error, code string) bool {
	refusal, ok := err.(*domain.Error) //nolint:errorlint // these refusals are never wrapped
	return ok && refusal.Code == code && refusal.Kind == domain.Invalid
}
