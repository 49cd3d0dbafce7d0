package clock_test

import (
	"testing"

	"aftercare/domain/clock"
)

// superseded is a desk whose one clock of eight open hours was received on Monday at 10:00, and under other terms from now on.
func superseded(t *testing.T, budget int, carry clock.Carry, change func(*clock.Definition)) *desk {
	t.Helper()
	old := resolution(480, clock.Minutes)
	d := newDesk(t, terms(t, old, office()))
	d.fact("received", "03-02 10:00")
	d.due("03-03 11:00")
	urgent := resolution(budget, clock.Minutes)
	urgent.Name, urgent.Carry = "urgent", carry
	if change != nil {
		change(&urgent)
	}
	d.rules.set(terms(t, urgent, office()))
	return d
}

// replaced checks that the events are a Superseded and the Started after it, and returns that promise.
func replaced(t *testing.T, events []clock.Event, when string) clock.Started {
	t.Helper()
	if len(events) < 2 {
		t.Fatalf("got %+v, want an instance superseded", events)
	}
	same(t, events[0], clock.Event(clock.Superseded{At: at(when), Instance: 1, By: 2, Reason: "priority"}))
	e, ok := events[1].(clock.Started)
	if !ok || e.Instance != 2 || e.Supersedes != 1 || !e.At.Equal(at(when)) {
		t.Fatalf("got %+v, want the second instance", events[1])
	}
	return e
}

func TestCarries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		carry   clock.Carry
		wait    [2]string // a finished pause before
		due     string
		start   string
		carried int64
		stop    int64 // time used up when it is resolved on Monday at 16:30
	}{
		"restart gives the whole budget":               {clock.Restart, [2]string{}, "03-03 11:00", "03-02 16:00", 0, 30 * minute},
		"restart forgets pauses":                       {clock.Restart, [2]string{"03-02 11:00", "03-02 15:00"}, "03-03 11:00", "03-02 16:00", 0, 30 * minute},
		"carry elapsed takes off what was counted":     {clock.CarryElapsed, [2]string{}, "03-02 16:00", "03-02 16:00", 5 * hour, 5*hour + 30*minute},
		"carry elapsed takes off nothing paused":       {clock.CarryElapsed, [2]string{"03-02 11:00", "03-02 15:00"}, "03-02 17:00", "03-02 16:00", 2 * hour, 2*hour + 30*minute},
		"from origin counts from the start of the old": {clock.FromOrigin, [2]string{}, "03-02 14:00", "03-02 10:00", 0, 5*hour + 30*minute},
		"from origin keeps pauses":                     {clock.FromOrigin, [2]string{"03-02 11:00", "03-02 15:00"}, "03-02 17:00", "03-02 10:00", 0, 2*hour + 30*minute},
		"without a word it counts from the origin":     {0, [2]string{}, "03-02 14:00", "03-02 10:00", 0, 5*hour + 30*minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := superseded(t, 180, c.carry, nil)
			if c.wait[0] != "" {
				d.pause(c.wait[0])
				d.resume(c.wait[1])
			}
			e := replaced(t, d.supersede("03-02 16:00", clock.Change{Reason: "priority"}), "03-02 16:00")
			d.due(c.due)
			if !e.Promise.Start.Equal(at(c.start)) || e.Promise.Carried != c.carried {
				t.Errorf("from %v with %d s carried, want %s and %d", e.Promise.Start, e.Promise.Carried, c.start, c.carried)
			}
			stopped := d.fact("resolved", "03-02 16:30")[0]
			met, _ := stopped.(clock.Met)
			late, _ := stopped.(clock.MetLate)
			got := max(met.Elapsed, late.Elapsed)
			if got != c.stop {
				t.Errorf("used %d s, want %d", got, c.stop)
			}
		})
	}
}

func TestMoreElapsedThanTheNewBudgetIsDueAtOnceAndBreachedAfter(t *testing.T) {
	t.Parallel()
	d := superseded(t, 60, clock.CarryElapsed, nil)
	d.supersede("03-02 16:00", clock.Change{Reason: "priority"})
	d.due("03-02 16:00")
	none(t, d.lapse("03-02 16:00"))
	same(t, d.lapse("03-02 16:00:01"), []clock.Event{clock.Breached{At: at("03-02 16:00"), Instance: 2}})
}

func TestANewDueTimeThatIsPastIsBreachedThen(t *testing.T) {
	t.Parallel()
	d := superseded(t, 60, clock.FromOrigin, nil)
	d.supersede("03-02 16:00", clock.Change{Reason: "priority"})
	same(t, d.lapse("03-02 16:00"), []clock.Event{clock.Breached{At: at("03-02 11:00"), Instance: 2}})
}

func TestSupersededWhilePaused(t *testing.T) {
	t.Parallel()
	for carry, due := range map[clock.Carry]string{
		clock.Restart:      "03-03 12:00", // three hours from Tuesday 09:00
		clock.CarryElapsed: "03-03 11:00", // one of them used up before the pause
		clock.FromOrigin:   "03-03 11:00",
	} {
		t.Run(carry.String(), func(t *testing.T) {
			t.Parallel()
			d := superseded(t, 180, carry, nil)
			d.pause("03-02 11:00")
			got := d.supersede("03-02 16:00", clock.Change{Reason: "priority"})
			replaced(t, got, "03-02 16:00")
			same(t, got[2:], []clock.Event{clock.Paused{At: at("03-02 16:00"), Instance: 2, Reason: "customer"}})
			none(t, d.lapse("03-05 00:00"))
			d.resume("03-03 09:00")
			d.due(due)
		})
	}
}

func TestUnderTermsThatDoNotPauseTimeGoesOn(t *testing.T) {
	t.Parallel()
	d := superseded(t, 180, clock.Restart, func(d *clock.Definition) { d.Pause = nil })
	d.pause("03-02 11:00")
	if got := d.supersede("03-02 16:00", clock.Change{Reason: "priority"}); len(got) != 2 {
		t.Fatalf("got %+v, want no pause", got)
	}
	d.due("03-03 11:00")
}

func TestAChangeLearnedLateKeepsThePauseAfterIt(t *testing.T) {
	t.Parallel()
	d := superseded(t, 180, clock.Restart, nil)
	d.pause("03-02 14:00")
	got := d.supersede("03-02 11:00", clock.Change{Reason: "priority"})
	same(t, got[2:], []clock.Event{clock.Paused{At: at("03-02 14:00"), Instance: 2, Reason: "customer"}})

	d = superseded(t, 180, clock.Restart, nil)
	d.pause("03-02 10:30")
	d.resume("03-02 14:00")
	d.supersede("03-02 13:30", clock.Change{Reason: "priority"})
	d.due("03-02 17:00")
}

func TestDaysCarriedOverCountFromTheOrigin(t *testing.T) {
	t.Parallel()
	d := superseded(t, 1, clock.CarryElapsed, func(d *clock.Definition) { d.Unit = clock.WorkingDays })
	d.pause("03-02 11:00")
	d.resume("03-02 15:00")
	e := replaced(t, d.supersede("03-02 16:00", clock.Change{Reason: "priority"}), "03-02 16:00")
	if e.Carry != clock.FromOrigin {
		t.Errorf("got the carry %v", e.Carry)
	}
	// Tuesday 17:00, and the three open hours of the pause later.
	d.due("03-04 12:00")
	d.counted(
		span("03-02 10:00", "03-02 11:00"), span("03-02 15:00", "03-02 17:00"),
		span("03-03 09:00", "03-03 12:00"), span("03-03 13:00", "03-03 17:00"), span("03-04 09:00", "03-04 12:00"),
	)
}

func TestAPauseAfterDueLeavesTheCountedStretches(t *testing.T) {
	t.Parallel()
	d := superseded(t, 0, clock.FromOrigin, func(d *clock.Definition) { d.Unit = clock.CalendarDays })
	d.pause("03-03 09:00")
	d.resume("03-03 10:00")
	d.supersede("03-03 10:00", clock.Change{Reason: "priority"})
	d.due("03-03 00:00")
	d.counted(span("03-02 10:00", "03-03 00:00"))
}

func TestAPromiseStandsUnderNewerVersionsUntilItIsRecomputed(t *testing.T) {
	t.Parallel()
	first := terms(t, resolution(480, clock.Minutes), office())
	d := newDesk(t, first)
	d.fact("received", "03-02 10:00")
	d.rules.set(version(first, 2, func(d *clock.Definition) { d.Budget = 60 }))
	none(t, d.supersede("03-02 10:30", clock.Change{Reason: "priority"}))
	d.supersede("03-02 10:30", clock.Change{Reason: "policy", Recompute: true, Carry: clock.Restart})
	d.due("03-02 11:30")
	none(t, d.supersede("03-02 10:40", clock.Change{Reason: "policy", Recompute: true}))
}

func TestAPromiseThatDoesNotApplyAnyMoreIsCancelledUnlessBreached(t *testing.T) {
	t.Parallel()
	d := started(t)
	d.rules.set()
	same(t, d.supersede("03-02 11:00", clock.Change{Reason: "classification"}), []clock.Event{
		clock.Cancelled{At: at("03-02 11:00"), Instance: 1, Reason: "not_applicable"},
	})

	d = started(t)
	d.lapse("03-02 16:00")
	d.rules.set()
	none(t, d.supersede("03-02 16:00", clock.Change{Reason: "classification"}))
}

func TestAClockThatAppliesOnlyNowCountsFromTheReceipt(t *testing.T) {
	t.Parallel()
	d := started(t)
	visit := resolution(120, clock.Minutes)
	visit.Clock, visit.Stop, visit.Cancel = "visit", []string{"arrived"}, []string{"closed"}
	later := visit
	later.Clock, later.Start = "repair", []string{"diagnosed"}
	d.rules.set(append(d.rules.now, terms(t, visit, office()), terms(t, later, office()))...)
	for _, fact := range []string{"arrived", "closed"} {
		none(t, d.Supersede(d.board, d.c, at("03-02 10:00"), at("03-02 11:00"), clock.Change{
			Reason: "classification", Happened: func(f string) bool { return f == fact },
		}))
	}
	none(t, d.supersede("03-02 11:00", clock.Change{Reason: "x", Happened: func(string) bool { return true }}))
	if got := d.supersede("03-02 11:00", clock.Change{Reason: "classification"}); len(got) != 1 {
		t.Fatalf("got %+v, want one clock started", got)
	}
	d.due("03-02 12:00")
	none(t, d.supersede("03-02 11:30", clock.Change{Reason: "classification"}))
}

func TestNothingIsLeftToPauseWhenTheNewBudgetIsUsedUp(t *testing.T) {
	t.Parallel()
	d := superseded(t, 30, clock.CarryElapsed, nil)
	d.pause("03-02 11:00")
	if got := d.supersede("03-02 16:00", clock.Change{Reason: "priority"}); len(got) != 2 {
		t.Fatalf("got %+v, want no pause", got)
	}
	same(t, d.lapse("03-02 16:00:01"), []clock.Event{clock.Breached{At: at("03-02 16:00"), Instance: 2}})
}
