package clock_test

import (
	"testing"

	"aftercare/domain/clock"
)

func TestAPauseMovesDueByTheOpenTimeThatWasLeft(t *testing.T) {
	t.Parallel()
	d := started(t)
	same(t, d.pause("03-02 11:00"), []clock.Event{clock.Paused{At: at("03-02 11:00"), Instance: 1, Reason: "customer"}})
	none(t, d.pause("03-02 11:30"))
	none(t, d.lapse("03-02 16:00"))
	// Three of four hours are left on Monday at 16:00: one until 17:00, two on Tuesday from 09:00.
	same(t, d.resume("03-02 16:00"), []clock.Event{clock.Resumed{
		At: at("03-02 16:00"), Instance: 1, Due: at("03-03 11:00"),
		Counted: []clock.Span{span("03-02 16:00", "03-02 17:00"), span("03-03 09:00", "03-03 11:00")},
	}})
	none(t, d.resume("03-02 16:30"))
	none(t, d.lapse("03-03 11:00"))
	same(t, d.fact("resolved", "03-03 11:30"), []clock.Event{
		clock.MetLate{At: at("03-03 11:30"), Instance: 1, Due: at("03-03 11:00"), Elapsed: 4*hour + 30*minute, Overrun: 30 * minute},
	})
}

func TestAPauseForAnotherReasonDoesNotCount(t *testing.T) {
	t.Parallel()
	d := started(t)
	none(t, d.Pause(d.board, "vendor", at("03-02 11:00")))
}

func TestAPauseThatLastsAtTheStopCounts(t *testing.T) {
	t.Parallel()
	d := started(t)
	d.pause("03-02 11:00")
	same(t, d.fact("resolved", "03-04 10:00"), []clock.Event{
		clock.Met{At: at("03-04 10:00"), Instance: 1, Due: at("03-04 14:00"), Elapsed: 1 * hour},
	})
}

func TestAPauseThatBeganAfterTheStopDoesNotCount(t *testing.T) {
	t.Parallel()
	d := started(t)
	d.pause("03-02 11:00")
	same(t, d.fact("resolved", "03-02 10:30"), []clock.Event{
		clock.Met{At: at("03-02 10:30"), Instance: 1, Due: at("03-02 15:00"), Elapsed: 30 * minute},
	})
}

func TestAPauseOutsideHoursMovesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to string }{
		"over lunch":     {"03-02 12:00", "03-02 13:00"},
		"within lunch":   {"03-02 12:10", "03-02 12:20"},
		"of no length":   {"03-02 11:00", "03-02 11:00"},
		"that went back": {"03-02 11:00", "03-02 10:30"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := started(t)
			d.pause(c.from)
			d.resume(c.to)
			d.due("03-02 15:00")
		})
	}
}

func TestAPauseNeverMovesDueForward(t *testing.T) {
	t.Parallel()
	// The same time next working day is an opening, before which nothing is open since Friday 17:00.
	d := newDesk(t, terms(t, resolution(1, clock.WorkingDaysSameTime), office()))
	d.fact("received", "03-06 09:00")
	d.due("03-09 09:00")
	d.pause("03-06 17:30")
	same(t, d.resume("03-07 12:00"), []clock.Event{clock.Resumed{At: at("03-07 12:00"), Instance: 1, Due: at("03-09 09:00")}})
}

func TestAPauseAtOrAfterDueSavesNothing(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"03-02 15:00", "03-02 15:30"} {
		d := started(t)
		none(t, d.pause(when))
		same(t, d.lapse("03-02 16:00"), []clock.Event{clock.Breached{At: at("03-02 15:00"), Instance: 1}})
		none(t, d.pause("03-02 16:00"))
	}
}

func TestTwoPausesAddUp(t *testing.T) {
	t.Parallel()
	d := started(t)
	d.pause("03-02 10:30")
	d.resume("03-02 11:00")
	d.due("03-02 15:30")
	d.pause("03-02 14:00")
	d.resume("03-02 16:00")
	d.due("03-03 09:30")
	same(t, d.fact("resolved", "03-03 09:30"), []clock.Event{
		clock.Met{At: at("03-03 09:30"), Instance: 1, Due: at("03-03 09:30"), Elapsed: 4 * hour},
	})
}

func TestAPauseLearnedLateIsNotCountedTwice(t *testing.T) {
	t.Parallel()
	d := started(t)
	d.pause("03-02 10:30")
	d.resume("03-02 11:30")
	d.due("03-02 16:00")
	same(t, d.pause("03-02 11:00"), []clock.Event{clock.Paused{At: at("03-02 11:30"), Instance: 1, Reason: "customer"}})
	d.resume("03-02 12:00")
	d.due("03-02 16:30")

	d = started(t)
	same(t, d.pause("03-02 09:00"), []clock.Event{clock.Paused{At: at("03-02 10:00"), Instance: 1, Reason: "customer"}})
	d.resume("03-02 10:15")
	d.due("03-02 15:15")
}

func TestAPauseOverTheChangeOfClocks(t *testing.T) {
	t.Parallel()
	// London goes from GMT to BST on Sunday 29 March at 01:00: on Monday it opens at 08:00 UTC.
	d := newDesk(t, terms(t, resolution(240, clock.Minutes), office()))
	d.fact("received", "03-27 15:00")
	d.due("03-30 10:00")
	d.pause("03-27 16:00")
	same(t, d.resume("03-30 08:30"), []clock.Event{clock.Resumed{
		At: at("03-30 08:30"), Instance: 1, Due: at("03-30 12:30"),
		Counted: []clock.Span{span("03-30 08:30", "03-30 11:00"), span("03-30 12:00", "03-30 12:30")},
	}})
	same(t, d.fact("resolved", "03-30 12:30"), []clock.Event{
		clock.Met{At: at("03-30 12:30"), Instance: 1, Due: at("03-30 12:30"), Elapsed: 4 * hour},
	})
}

func TestDaysOfTheCalendarPauseForAllTime(t *testing.T) {
	t.Parallel()
	d := newDesk(t, terms(t, resolution(2, clock.CalendarDays), office()))
	d.fact("received", "03-27 15:00")
	d.due("03-29 23:00") // 24:00 in London on Sunday, in summer time
	d.pause("03-28 12:00")
	d.resume("03-29 18:00")
	d.due("03-31 05:00") // thirty hours later
	same(t, d.fact("resolved", "03-31 06:00"), []clock.Event{clock.MetLate{
		At: at("03-31 06:00"), Instance: 1, Due: at("03-31 05:00"), Elapsed: 57 * hour, Overrun: 1 * hour,
	}})
}
