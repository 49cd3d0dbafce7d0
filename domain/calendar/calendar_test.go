package calendar_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain/calendar"
)

func TestOpenTimeOnDaysWhenClocksChange(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		def  calendar.Definition
		date string
		want []string
	}{
		"a skipped hour has no minutes": {
			fullWeek("Europe/Berlin", "02:00", "03:30"), "2026-03-29",
			[]string{"2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"},
		},
		"hours wholly skipped": {fullWeek("Europe/Berlin", "02:00", "03:00"), "2026-03-29", nil},
		"a repeated half hour counts twice": {
			fullWeek("Europe/Berlin", "02:00", "02:30"), "2026-10-25",
			[]string{"2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"},
		},
		"midnight does not exist": {
			fullWeek("America/Sao_Paulo", "00:00", "02:00"), "2018-11-04",
			[]string{"2018-11-04T03:00:00Z", "2018-11-04T04:00:00Z"},
		},
		"the hour before midnight exists twice": {
			fullWeek("America/Sao_Paulo", "22:30", "24:00"), "2018-02-17",
			[]string{"2018-02-18T00:30:00Z", "2018-02-18T03:00:00Z"},
		},
		"a minute of tomorrow lies inside today": {
			fullWeek("America/St_Johns", "23:00", "24:00"), "2010-11-06",
			[]string{"2010-11-07T01:30:00Z", "2010-11-07T02:30:00Z", "2010-11-07T02:31:00Z", "2010-11-07T03:30:00Z"},
		},
		"a day that does not exist": {calendar.AlwaysOpen("Pacific/Apia"), "2011-12-30", nil},
		"seconds of local mean time": {
			fullWeek("Africa/Monrovia", "00:00", "01:00"), "1972-01-07",
			[]string{"1972-01-07T00:44:30Z", "1972-01-07T01:00:00Z"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, s := range calendarOf(t, test.def).Spans(date(t, test.date)) {
				got = append(got, s.Start.Format(time.RFC3339), s.End.Format(time.RFC3339))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("stretches (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADayThatDoesNotExistIsNoWorkday(t *testing.T) {
	t.Parallel()
	c := calendarOf(t, calendar.AlwaysOpen("Pacific/Apia"))
	if got, err := c.WorkdayAfter(date(t, "2011-12-29"), 1); err != nil || got != date(t, "2011-12-31") {
		t.Errorf("got %s, %v, want 2011-12-31", got, err)
	}
	if got, want := c.EndOfDay(date(t, "2011-12-30")), instant(t, "2011-12-30T10:00:00Z"); !got.Equal(want) {
		t.Errorf("got the end %s, want %s", got, want)
	}
	if _, ok := c.Close(date(t, "2011-12-30")); ok || c.IsWorkday(date(t, "2011-12-30")) {
		t.Error("got a closing time for a day that does not exist")
	}
	if got, want := c.AddDays(instant(t, "2011-12-29T20:00:00Z"), 1), instant(t, "2011-12-30T10:00:00Z"); !got.Equal(want) {
		t.Errorf("got %s one day later, want the change %s", got, want)
	}
}

func TestABudgetThatEndsAtClosingTimeIsDueThen(t *testing.T) {
	t.Parallel()
	c := calendarOf(t, desk("UTC"))
	start := instant(t, "2026-01-02T12:30:00Z") // a Friday, in the break
	for budget, want := range map[time.Duration]string{
		-time.Hour:              "2026-01-02T12:30:00Z",
		0:                       "2026-01-02T12:30:00Z",
		1:                       "2026-01-02T13:00:00.000000001Z",
		6 * time.Hour:           "2026-01-02T19:00:00Z",
		6*time.Hour + 1:         "2026-01-05T09:00:00.000000001Z",
		9 * time.Hour:           "2026-01-05T12:00:00Z",
		9*time.Hour + time.Hour: "2026-01-05T14:00:00Z",
	} {
		if got, _, err := c.Due(start, budget, nil); err != nil || !got.Equal(instant(t, want)) {
			t.Errorf("budget %s: got %s, %v, want %s", budget, got, err, want)
		}
	}
}

func TestAPauseWithoutAnEndIsNotOver(t *testing.T) {
	t.Parallel()
	c := calendarOf(t, desk("UTC"))
	start := instant(t, "2026-01-02T09:00:00Z")
	paused := []calendar.Span{{Start: start.Add(time.Hour)}}
	if got := c.Elapsed(start, start.AddDate(1, 0, 0), paused); got != time.Hour {
		t.Errorf("got %s, want 1h", got)
	}
	if got, _, err := c.Due(start, time.Hour, paused); err != nil || !got.Equal(start.Add(time.Hour)) {
		t.Errorf("got %s, %v, want %s", got, err, start.Add(time.Hour))
	}
	if got, _, err := c.Due(start, time.Hour+1, paused); !errors.Is(err, calendar.ErrTooFar) {
		t.Errorf("got %s, %v, want %v", got, err, calendar.ErrTooFar)
	}
}

func TestQuestionsWithoutAnAnswerAreRefused(t *testing.T) {
	t.Parallel()
	day := []calendar.Interval{{"09:00", "17:00"}}
	never := calendarOf(t, calendar.Definition{Zone: "UTC"})
	once := calendarOf(t, calendar.Definition{Zone: "UTC", Makeup: []string{"2026-01-03"}, MakeupHours: day})
	rarely := calendarOf(t, calendar.Definition{Zone: "UTC", Week: map[string][]calendar.Interval{"sun": {{"00:00", "00:01"}}}})
	start := instant(t, "2026-01-01T00:00:00Z")
	for name, test := range map[string]struct {
		ask  func() error
		want error
	}{
		"a budget of a closed calendar": {func() error { _, _, err := never.Due(start, 1, nil); return err }, calendar.ErrNeverOpen},
		"a budget beyond the only day":  {func() error { _, _, err := once.Due(start, 9*time.Hour, nil); return err }, calendar.ErrNeverOpen},
		"a budget of the only day":      {func() error { _, _, err := once.Due(start, 8*time.Hour, nil); return err }, nil},
		"a budget of centuries":         {func() error { _, _, err := rarely.Due(start, 24*365*time.Hour, nil); return err }, calendar.ErrTooFar},
		"the longest budget, open": {func() error {
			_, err := calendarOf(t, calendar.AlwaysOpen("UTC")).DueAt(start, math.MaxInt64, nil)
			return err
		}, nil},
		"an opening of a closed one":      {func() error { _, err := never.NextOpen(start); return err }, calendar.ErrNeverOpen},
		"an opening after the only one":   {func() error { _, err := once.NextOpen(start.AddDate(0, 0, 3)); return err }, calendar.ErrNeverOpen},
		"a working day of a closed one":   {func() error { _, err := never.WorkdayAfter(date(t, "2026-01-01"), 1); return err }, calendar.ErrNeverOpen},
		"a second working day":            {func() error { _, err := once.WorkdayAfter(date(t, "2026-01-01"), 2); return err }, calendar.ErrNeverOpen},
		"a working day centuries ahead":   {func() error { _, err := rarely.WorkdayAfter(date(t, "2026-01-01"), 99999); return err }, calendar.ErrTooFar},
		"working days back":               {func() error { _, err := rarely.WorkdayAfter(date(t, "2026-01-01"), -1); return err }, calendar.ErrNegative},
		"working days added, closed":      {func() error { _, _, err := never.AddWorkdays(start, 1); return err }, calendar.ErrNeverOpen},
		"working days added, only one":    {func() error { _, _, err := once.AddWorkdays(start, 1); return err }, calendar.ErrNeverOpen},
		"no working days added, only one": {func() error { _, _, err := once.AddWorkdays(start, 0); return err }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := test.ask(); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestOpenStopsWhenAskedTo(t *testing.T) {
	t.Parallel()
	c := calendarOf(t, desk("UTC"))
	for s := range c.Open(instant(t, "2026-01-01T00:00:00Z"), instant(t, "2026-12-31T00:00:00Z")) {
		if want := instant(t, "2026-01-01T09:00:00Z"); !s.Start.Equal(want) {
			t.Errorf("got %s, want %s", s.Start, want)
		}
		break
	}
	if got := slices.Collect(c.Open(instant(t, "2026-01-02T00:00:00Z"), instant(t, "2026-01-01T00:00:00Z"))); got != nil {
		t.Errorf("got %v backwards, want none", got)
	}
}
