package calendar_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/domain/calendar"
)

func TestNewReportsEveryProblemAtOnce(t *testing.T) {
	t.Parallel()
	_, err := calendar.New(calendar.Definition{
		Zone: "Mars/Olympus",
		Week: map[string][]calendar.Interval{
			"mon":    {{"09:00", "12:00"}, {"11:00", "13:00"}},
			"tue":    {{"13:00", "18:00"}, {"09:00", "12:00"}},
			"wed":    {{"9:00", "24:01"}, {"18:00", "09:00"}, {"09:00", "09:00"}},
			"thu":    {{"09:00"}, {"09:00", "10:00", "11:00"}, nil},
			"Monday": {{"09:00", "12:00"}},
		},
		Holidays: []string{"2026-01-01", "2026-02-29", "1/1/2026"},
		Makeup:   []string{"2026-13-01"},
	})
	problems, ok := errors.AsType[calendar.DefinitionErrors](err)
	if !ok {
		t.Fatalf("got %v, want problems", err)
	}
	want := []string{
		"calendar.unknown-zone field=zone value=Mars/Olympus",
		"calendar.overlapping-intervals field=week.mon[1] from=11:00 to=13:00",
		"calendar.unsorted-intervals field=week.tue[1] from=09:00 to=12:00",
		"calendar.malformed-time field=week.wed[0] value=9:00",
		"calendar.malformed-time field=week.wed[0] value=24:01",
		"calendar.empty-interval field=week.wed[1] from=18:00 to=09:00",
		"calendar.empty-interval field=week.wed[2] from=09:00 to=09:00",
		"calendar.malformed-interval field=week.thu[0] value=09:00",
		"calendar.malformed-interval field=week.thu[1] value=09:00,10:00,11:00",
		"calendar.malformed-interval field=week.thu[2] value=",
		"calendar.unknown-day field=week value=Monday",
		"calendar.malformed-date field=holidays[1] value=2026-02-29",
		"calendar.malformed-date field=holidays[2] value=1/1/2026",
		"calendar.malformed-date field=makeup[0] value=2026-13-01",
		"calendar.missing-makeup-hours field=makeupHours",
	}
	if diff := cmp.Diff(want, strings.Split(problems.Error(), "; ")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if !errors.Is(err, domain.Refuse(domain.Invalid, "calendar.unknown-zone")) {
		t.Error("a problem is not found in the error")
	}
}

func TestTheZoneOfTheMachineIsNoZone(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"", "Local", "local", "../UTC", "Europe", "CEST+2"} {
		if _, err := calendar.New(calendar.AlwaysOpen(zone)); err == nil {
			t.Errorf("zone %q: got no error", zone)
		}
	}
}

func TestIntervalsThatTouchAreOne(t *testing.T) {
	t.Parallel()
	def := fullWeek("UTC", "09:00", "12:00")
	for name := range def.Week {
		def.Week[name] = append(def.Week[name], calendar.Interval{"12:00", "24:00"})
	}
	got := calendarOf(t, def).Spans(date(t, "2026-01-01"))
	want := []calendar.Span{{Start: instant(t, "2026-01-01T09:00:00Z"), End: instant(t, "2026-01-02T00:00:00Z")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stretches (-want +got):\n%s", diff)
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	d := date(t, "2024-02-28").AddDays(2)
	if text, err := d.MarshalText(); err != nil || string(text) != "2024-03-01" {
		t.Errorf("got %s, %v, want 2024-03-01", text, err)
	}
	if d.Weekday() != time.Friday || date(t, "1969-12-31").Weekday() != time.Wednesday || date(t, "0001-01-01").Weekday() != time.Monday {
		t.Errorf("got the weekdays %s, %s, %s", d.Weekday(), date(t, "1969-12-31").Weekday(), date(t, "0001-01-01").Weekday())
	}
	var back calendar.Date
	if err := back.UnmarshalText([]byte("2024-03-01")); err != nil || back.Compare(d) != 0 || back.IsZero() {
		t.Errorf("got %s, %v, want %s", back, err, d)
	}
	if err := back.UnmarshalText([]byte("2024-3-1")); err == nil || back != d {
		t.Errorf("got %s, %v, want an error and nothing changed", back, err)
	}
}

func FuzzNew(f *testing.F) {
	f.Add("Europe/London", "mon", "09:00", "17:00", "2026-01-01", "2026-01-03")
	f.Add("Pacific/Apia", "fri", "00:00", "24:00", "2011-12-30", "2011-12-31")
	f.Add("", "someday", "9", "", "0000-00-00", "9999-12-31")
	f.Fuzz(func(t *testing.T, zone, day, from, to, holiday, makeup string) {
		hours := []calendar.Interval{{from, to}}
		c, err := calendar.New(calendar.Definition{
			Zone: zone, Week: map[string][]calendar.Interval{day: hours},
			Holidays: []string{holiday}, Makeup: []string{makeup}, MakeupHours: hours,
		})
		if err != nil {
			if problems, ok := errors.AsType[calendar.DefinitionErrors](err); !ok || len(problems) == 0 {
				t.Fatalf("got %v, want problems", err)
			}
			return
		}
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		due, _, err := c.Due(start, time.Minute, nil)
		if err != nil || c.Elapsed(start, due, nil) != time.Minute {
			t.Fatalf("got %s, %v, with %s elapsed", due, err, c.Elapsed(start, due, nil))
		}
	})
}

func TestWhatReachesIntoUnknownYearsIsProvisional(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	d := calendar.AlwaysOpen("Asia/Shanghai")
	if calendarOf(t, d).Provisional(time.Time{}, time.Date(9999, 1, 1, 0, 0, 0, 0, zone)) {
		t.Error("a calendar that knows all years is provisional")
	}
	d.Known = &calendar.Years{From: 2015, To: 2026}
	c := calendarOf(t, d)
	first, end := time.Date(2015, 1, 1, 0, 0, 0, 0, zone), time.Date(2027, 1, 1, 0, 0, 0, 0, zone)
	for name, q := range map[string]struct {
		from, to time.Time
		want     bool
	}{
		"all of them":       {first, end, false},
		"a moment later":    {first, end.Add(1), true},
		"a moment earlier":  {first.Add(-1), end, true},
		"wholly afterwards": {end, end.Add(time.Hour), true},
	} {
		if got := c.Provisional(q.from, q.to); got != q.want {
			t.Errorf("%s: got %t, want %t", name, got, q.want)
		}
	}
	for _, years := range []calendar.Years{{2026, 2015}, {0, 2026}, {2015, 9999}} {
		d.Known = &years
		var problems calendar.DefinitionErrors
		if _, err := calendar.New(d); !errors.As(err, &problems) || len(problems) != 1 || problems[0].Code != "calendar.bad-years" {
			t.Errorf("%+v: got %v", years, err)
		}
	}
}
