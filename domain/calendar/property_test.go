package calendar_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aftercare/domain/calendar"
)

// Some changes happen at odd seconds, so the walk is by the second for a short while and by the minute else.
func TestElapsedIsWhatALookAtTheWallClockEveryStepCounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		def, around := drawSetup(t)
		c := calendarOf(t, def)
		step, length := time.Minute, rapid.IntRange(0, 5*24*60).Draw(t, "length")
		if _, offset := around.In(c.Zone()).Zone(); offset%60 != 0 || around.Year() < 1980 {
			step, length = time.Second, length%(6*60*60)
		}
		from := around.Add(time.Duration(rapid.IntRange(-length, 60).Draw(t, "from")) * step)
		to := from.Add(time.Duration(length) * step)
		pauses := drawPauses(t, around)
		for i := range pauses {
			pauses[i] = calendar.Span{Start: pauses[i].Start.Truncate(step), End: pauses[i].End.Truncate(step)}
		}
		var want time.Duration
		for at := from; at.Before(to); at = at.Add(step) {
			open := openAt(def, c.Zone(), at)
			if open != c.IsOpen(at) {
				t.Fatalf("at %s: got open %v, want %v", at, !open, open)
			}
			if open && !pausedAt(pauses, at) {
				want += step
			}
		}
		if got := c.Elapsed(from, to, pauses); got != want {
			t.Fatalf("from %s to %s: got %s, want %s", from, to, got, want)
		}
	})
}

func TestDueIsTheLeastInstantAtWhichTheBudgetHasElapsed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		def, around := drawSetup(t)
		c := calendarOf(t, def)
		start, pauses := drawNear(t, around, 4, "start"), drawPauses(t, around)
		budget := time.Duration(rapid.IntRange(1, 5*24*60).Draw(t, "budget")) * time.Minute
		if rapid.Bool().Draw(t, "odd") {
			budget--
		}
		due, counted, err := c.Due(start, budget, pauses)
		if errors.Is(err, calendar.ErrNeverOpen) || errors.Is(err, calendar.ErrTooFar) {
			if got := c.Elapsed(start, start.AddDate(5, 0, 0), pauses); got >= budget {
				t.Fatalf("got %v, though %s of %s elapse", err, got, budget)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if at, err := c.DueAt(start, budget, pauses); err != nil || !at.Equal(due) {
			t.Fatalf("got %s, %v without stretches, want %s", at, err, due)
		}
		if got := c.Elapsed(start, due, pauses); got != budget {
			t.Fatalf("got %s until due, want %s", got, budget)
		}
		if got := c.Elapsed(start, due.Add(-1), pauses); got != budget-1 {
			t.Fatalf("got %s just before due, want %s", got, budget-1)
		}
		checkCounted(t, c, counted, start, due, budget, pauses)
		sooner, _, err := c.Due(start, budget/2, pauses)
		if err != nil || sooner.After(due) {
			t.Fatalf("got %s, %v for half the budget, want not after %s", sooner, err, due)
		}
	})
}

func checkCounted(t *rapid.T, c *calendar.Calendar, counted []calendar.Span, start, due time.Time, budget time.Duration, pauses []calendar.Span) {
	var sum time.Duration
	last := start.Add(-1)
	for _, s := range counted {
		sum += s.End.Sub(s.Start)
		if !s.Start.After(last) || !s.Start.Before(s.End) {
			t.Fatalf("stretch %v does not follow %s", s, last)
		}
		if open := slices.Collect(c.Open(s.Start, s.End)); !cmp.Equal(open, []calendar.Span{s}) {
			t.Fatalf("stretch %v is open only in %v", s, open)
		}
		if pausedAt(pauses, s.Start) || pausedAt(pauses, s.End.Add(-1)) {
			t.Fatalf("stretch %v was paused", s)
		}
		last = s.End
	}
	if sum != budget || !last.Equal(due) {
		t.Fatalf("got stretches of %s until %s, want %s until %s", sum, last, budget, due)
	}
}

func TestElapsedIsTheSumOverOpenStretchesAndAdds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		def, around := drawSetup(t)
		c := calendarOf(t, def)
		at := []time.Time{drawNear(t, around, 20, "a"), drawNear(t, around, 20, "b"), drawNear(t, around, 20, "c")}
		slices.SortFunc(at, time.Time.Compare)
		pauses := drawPauses(t, around)
		whole := c.Elapsed(at[0], at[2], pauses)
		if got := c.Elapsed(at[0], at[1], pauses) + c.Elapsed(at[1], at[2], pauses); got != whole {
			t.Fatalf("got %s in two parts, want %s", got, whole)
		}
		if got := c.Elapsed(at[2], at[0], pauses); at[0].Before(at[2]) && got != 0 {
			t.Fatalf("got %s backwards, want 0", got)
		}
		var sum time.Duration
		var last time.Time
		for s := range c.Open(at[0], at[2]) {
			if !s.Start.After(last) || !s.Start.Before(s.End) || s.Start.Before(at[0]) || s.End.After(at[2]) {
				t.Fatalf("stretch %v does not follow %s within %s", s, last, at)
			}
			sum, last = sum+s.End.Sub(s.Start), s.End
		}
		if got := c.Elapsed(at[0], at[2], nil); got != sum {
			t.Fatalf("got %s, want the sum %s", got, sum)
		}
	})
}

func TestPausesCountAsTheirUnion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		def, around := drawSetup(t)
		c := calendarOf(t, def)
		from, pauses := drawNear(t, around, 4, "from"), drawPauses(t, around)
		to := from.Add(time.Duration(rapid.IntRange(0, 9*24*60).Draw(t, "length")) * time.Minute)
		want := c.Elapsed(from, to, pauses)
		var split []calendar.Span
		for _, p := range pauses {
			middle := p.Start.Add(p.End.Sub(p.Start) / 3)
			split = append(split, calendar.Span{Start: middle, End: p.End}, calendar.Span{Start: p.Start, End: middle}, p)
		}
		seed := rapid.Uint64().Draw(t, "seed")
		//nolint:gosec // an order to test with, drawn from rapid so that it shrinks and repeats
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(split), func(i, j int) { split[i], split[j] = split[j], split[i] })
		if got := c.Elapsed(from, to, split); got != want {
			t.Fatalf("got %s with the pauses cut up, want %s", got, want)
		}
	})
}

func TestOpenAroundTheClockIsWallTimeOverEveryChange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		change := rapid.SampledFrom(changes).Draw(t, "change")
		around, err := time.Parse(time.RFC3339, change.around)
		if err != nil {
			t.Fatal(err)
		}
		from := drawNear(t, around, 3, "from")
		budget := time.Duration(rapid.Int64Range(1, int64(400*24*time.Hour)).Draw(t, "budget"))
		walked := calendar.AlwaysOpen(change.zone)
		walked.Holidays = []string{"2400-01-01"} // far away, and no short cut any more
		for _, def := range []calendar.Definition{calendar.AlwaysOpen(change.zone), walked} {
			c := calendarOf(t, def)
			due, counted, err := c.Due(from, budget, nil)
			if want := from.Add(budget); err != nil || !due.Equal(want) {
				t.Fatalf("got %s, %v, want %s", due, err, want)
			}
			if want := []calendar.Span{{Start: from.UTC(), End: due}}; !cmp.Equal(counted, want) {
				t.Fatalf("got %v, want %v", counted, want)
			}
			if got := c.Elapsed(from, due, nil); got != budget {
				t.Fatalf("got %s, want %s", got, budget)
			}
		}
	})
}

func TestAnswersDoNotDependOnTheLocationOfTheQuestion(t *testing.T) {
	t.Parallel()
	tokyo := time.FixedZone("", 9*60*60)
	rapid.Check(t, func(t *rapid.T) {
		def, around := drawSetup(t)
		c := calendarOf(t, def)
		start, budget := drawNear(t, around, 4, "start"), time.Duration(rapid.IntRange(0, 9999).Draw(t, "budget"))*time.Minute
		due, counted, err := c.Due(start, budget, nil)
		due2, counted2, err2 := c.Due(start.In(tokyo), budget, nil)
		if !errors.Is(err2, err) || due != due2 || !cmp.Equal(counted, counted2) {
			t.Fatalf("got %s %v %v, want %s %v %v", due2, counted2, err2, due, counted, err)
		}
	})
}

func TestWorkdaysAreTheDatesSeenOpen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		def, around := drawSetup(t)
		c := calendarOf(t, def)
		from := calendar.DateOf(around).AddDays(rapid.IntRange(-5, 5).Draw(t, "from"))
		seen := map[calendar.Date]time.Time{} // the last closing of each date that is seen open
		for s := range c.Open(around.AddDate(0, 0, -15), around.AddDate(0, 0, 15)) {
			for at := s.Start; at.Before(s.End); at = at.Add(time.Minute) {
				seen[c.DateAt(at)] = at
			}
		}
		day, last := from, calendar.DateOf(around).AddDays(12)
		for n := 1; n <= 4; n++ {
			for day = day.AddDays(1); seen[day].IsZero() && day.Compare(last) <= 0; {
				day = day.AddDays(1)
			}
			if day.Compare(last) > 0 {
				return // nothing open nearby
			}
			if got, err := c.WorkdayAfter(from, n); err != nil || got != day {
				t.Fatalf("%d after %s: got %s, %v, want %s", n, from, got, err, day)
			}
			closing, ok := c.Close(day)
			if !ok || closing.Before(seen[day]) || closing.Sub(seen[day]) > time.Minute {
				t.Fatalf("%s: got closing %s, %v, want just after %s", day, closing, ok, seen[day])
			}
			spans := c.Spans(day)
			if end := c.EndOfDay(day); end.Before(closing) || c.DateAt(end).Compare(day) <= 0 || !spans[len(spans)-1].End.Equal(closing) {
				t.Fatalf("%s: got end %s, stretches %v, closing %s", day, end, spans, closing)
			}
		}
	})
}
