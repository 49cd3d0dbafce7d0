package clock_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"aftercare/domain/calendar"
	"aftercare/domain/clock"
)

// TestPausesAddUpToTheCalendar holds that a due time moved by one pause after another is the one the calendar works out from all of them
// at once, and that the time used up until then is the budget.
func TestPausesAddUpToTheCalendar(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		budget := rapid.IntRange(1, 4000).Draw(rt, "budget")
		start := at("03-20 00:00").Add(time.Duration(rapid.IntRange(0, 14*24*60).Draw(rt, "start")) * time.Minute)
		d := newDesk(t, terms(t, resolution(budget, clock.Minutes), office()))
		d.take(d.Fact(d.board, d.c, "received", start))
		now := start
		var pauses []calendar.Span
		for range rapid.IntRange(0, 5).Draw(rt, "pauses") {
			from := now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "run")) * time.Minute)
			now = from.Add(time.Duration(rapid.IntRange(0, 5000).Draw(rt, "pause")) * time.Minute)
			before := d.board.Instances[0].Due
			if len(d.take(d.Pause(d.board, "customer", from))) > 0 {
				pauses = append(pauses, calendar.Span{Start: from, End: now})
			}
			d.take(d.Resume(d.board, now))
			if d.board.Instances[0].Due.Before(before) {
				rt.Fatalf("a pause moved due from %v to %v", before, d.board.Instances[0].Due)
			}
		}
		want, err := d.rules.now[0].Calendar.DueAt(start, time.Duration(budget)*time.Minute, pauses)
		if err != nil {
			rt.Fatal(err)
		}
		got := d.board.Instances[0].Due
		if !got.Equal(want) {
			rt.Fatalf("due %v, want %v", got, want)
		}
		events := d.Fact(d.board, d.c, "resolved", got)
		if met, ok := events[0].(clock.Met); !ok || met.Elapsed != int64(budget)*60 {
			rt.Fatalf("got %+v, want met after the whole budget", events[0])
		}
	})
}

// TestAnyUnitMovesBehindPauses holds for every unit that pauses never move a due time forward, and that a promise made from the origin
// with the same pauses has the same due time.
func TestAnyUnitMovesBehindPauses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		unit := clock.Unit(rapid.Uint8Range(uint8(clock.Minutes), uint8(clock.CalendarDaysSameTime)).Draw(rt, "unit"))
		def := resolution(rapid.IntRange(1, 5).Draw(rt, "budget"), unit)
		if unit == clock.Minutes {
			def.Budget *= 300
		}
		start := at("10-20 00:00").Add(time.Duration(rapid.IntRange(0, 10*24*60).Draw(rt, "start")) * time.Minute)
		d := newDesk(t, terms(t, def, office()))
		d.take(d.Fact(d.board, d.c, "received", start))
		now := start
		for range rapid.IntRange(0, 3).Draw(rt, "pauses") {
			from := now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(rt, "run")) * time.Minute)
			now = from.Add(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "pause")) * time.Minute)
			before := d.board.Instances[0].Due
			d.take(d.Pause(d.board, "customer", from))
			d.take(d.Resume(d.board, now))
			if d.board.Instances[0].Due.Before(before) {
				rt.Fatalf("a pause moved due from %v to %v", before, d.board.Instances[0].Due)
			}
		}
		due := d.board.Instances[0].Due
		again := def
		again.Name, again.Carry = "again", clock.FromOrigin
		d.rules.set(terms(t, again, office()))
		d.take(d.Supersede(d.board, d.c, start, now, clock.Change{Reason: "x"}))
		promise := d.board.Instances[1].Promise
		if !promise.Due.Equal(due) {
			rt.Fatalf("from the origin due %v, before %v", promise.Due, due)
		}
		for i, s := range promise.Counted {
			if !s.Start.Before(s.End) || s.Start.Before(promise.Start) || s.End.After(due) || i > 0 && s.Start.Before(promise.Counted[i-1].End) {
				rt.Fatalf("counted %v", promise.Counted)
			}
		}
	})
}
