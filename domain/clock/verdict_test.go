package clock_test

import (
	"testing"

	"aftercare/domain/calendar"
	"aftercare/domain/clock"
)

// started is a desk with one clock of four open hours, received on Monday at 10:00: due on Monday at 15:00.
func started(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, terms(t, resolution(240, clock.Minutes), office()))
	d.fact("received", "03-02 10:00")
	d.due("03-02 15:00")
	return d
}

func TestPromiseNamesItsReasons(t *testing.T) {
	t.Parallel()
	d := newDesk(t, terms(t, resolution(240, clock.Minutes), office()))
	same(t, d.fact("received", "03-02 10:00"), []clock.Event{clock.Started{
		At: at("03-02 10:00"), Instance: 1, Clock: "resolution", Promise: clock.Promise{
			Definition: clock.Version{ID: "pack/resolution", Version: 1}, Calendar: clock.Version{ID: "cal", Version: 1}, TZ: "2026a",
			Start: at("03-02 10:00"), Budget: 240, Unit: clock.Minutes, Due: at("03-02 15:00"),
			Counted: []clock.Span{span("03-02 10:00", "03-02 12:00"), span("03-02 13:00", "03-02 15:00")},
		},
	}})
}

// The holidays of 2027 are not published: who knows whether it is due a day later.
func TestAPromiseIntoAYearThatIsNotPublishedIsProvisional(t *testing.T) {
	t.Parallel()
	c := office()
	c.Known = &calendar.Years{From: 2026, To: 2026}
	for when, want := range map[string]bool{"12-29 10:00": false, "12-30 10:00": true} {
		d := newDesk(t, terms(t, resolution(2, clock.WorkingDays), c))
		d.fact("received", when)
		if got := d.board.Instances[0].Promise; got.Provisional != want {
			t.Errorf("received at %s, due %s: provisional is %t", when, got.Due, got.Provisional)
		}
	}
}

func TestStopExactlyAtDueIsMet(t *testing.T) {
	t.Parallel()
	d := started(t)
	none(t, d.lapse("03-02 15:00"))
	same(t, d.fact("resolved", "03-02 15:00"), []clock.Event{
		clock.Met{At: at("03-02 15:00"), Instance: 1, Due: at("03-02 15:00"), Elapsed: 4 * hour},
	})
	none(t, d.lapse("03-09 00:00"))
	none(t, d.fact("resolved", "03-09 00:00"))
}

func TestOneSecondAfterDueIsLate(t *testing.T) {
	t.Parallel()
	same(t, started(t).fact("resolved", "03-02 15:00:01"), []clock.Event{
		clock.MetLate{At: at("03-02 15:00:01"), Instance: 1, Due: at("03-02 15:00"), Elapsed: 4*hour + 1, Overrun: 1},
	})
}

func TestOverrunCountsOpenTimeOnly(t *testing.T) {
	t.Parallel()
	same(t, started(t).fact("resolved", "03-03 09:30"), []clock.Event{
		clock.MetLate{At: at("03-03 09:30"), Instance: 1, Due: at("03-02 15:00"), Elapsed: 6*hour + 30*minute, Overrun: 2*hour + 30*minute},
	})
}

func TestLapsesOnceAndAfterDue(t *testing.T) {
	t.Parallel()
	d := started(t)
	none(t, d.lapse("03-02 14:59:59"))
	none(t, d.lapse("03-02 15:00"))
	same(t, d.lapse("03-02 15:00:01"), []clock.Event{clock.Breached{At: at("03-02 15:00"), Instance: 1}})
	none(t, d.lapse("03-02 15:00:01"))
	none(t, d.lapse("12-31 00:00"))
}

func TestBreachesComeInTheOrderOfTheirDueTimes(t *testing.T) {
	t.Parallel()
	short := resolution(30, clock.Minutes)
	short.Clock = "first_response"
	d := newDesk(t, terms(t, resolution(240, clock.Minutes), office()), terms(t, short, office()))
	d.fact("received", "03-02 10:00")
	same(t, d.lapse("03-03 00:00"), []clock.Event{
		clock.Breached{At: at("03-02 10:30"), Instance: 2}, clock.Breached{At: at("03-02 15:00"), Instance: 1},
	})
}

func TestAStopInTimeThatIsLearnedAfterTheBreachIsMetAndBothAreOnRecord(t *testing.T) {
	t.Parallel()
	d := started(t)
	d.lapse("03-02 16:00")
	same(t, d.fact("resolved", "03-02 14:00"), []clock.Event{
		clock.Met{At: at("03-02 14:00"), Instance: 1, Due: at("03-02 15:00"), Elapsed: 3 * hour},
	})
	if i := d.board.Instances[0]; !i.Breached || !i.Final {
		t.Fatalf("got %+v, want it breached and final", i)
	}
}

func TestAStopBeforeTheStartHasUsedNoTime(t *testing.T) {
	t.Parallel()
	same(t, started(t).fact("resolved", "03-02 09:00"), []clock.Event{
		clock.Met{At: at("03-02 09:00"), Instance: 1, Due: at("03-02 15:00"), Elapsed: 0},
	})
}

func TestCancelEndsWhatIsNotBreached(t *testing.T) {
	t.Parallel()
	d := started(t)
	same(t, d.take(d.Cancel(d.board, "void", at("03-02 11:00"))), []clock.Event{
		clock.Cancelled{At: at("03-02 11:00"), Instance: 1, Reason: "void"},
	})
	none(t, d.lapse("03-03 00:00"))
	none(t, d.fact("resolved", "03-03 00:00"))
	none(t, d.Cancel(d.board, "void", at("03-03 00:00")))

	d = started(t)
	d.lapse("03-02 16:00")
	none(t, d.Cancel(d.board, "void", at("03-02 16:00")))
}

func TestAFactMayCancelAPromiseUnlessItIsBreached(t *testing.T) {
	t.Parallel()
	visit := resolution(60, clock.Minutes)
	visit.Clock, visit.Stop, visit.Cancel = "visit", []string{"arrived"}, []string{"resolved"}
	d := newDesk(t, terms(t, visit, office()))
	d.fact("received", "03-02 10:00")
	same(t, d.fact("resolved", "03-02 10:30"), []clock.Event{clock.Cancelled{At: at("03-02 10:30"), Instance: 1, Reason: "resolved"}})

	d = newDesk(t, terms(t, visit, office()))
	d.fact("received", "03-02 10:00")
	d.lapse("03-02 11:30")
	none(t, d.fact("resolved", "03-02 11:30"))
}

func TestAClockStartsAgainOnceItEnded(t *testing.T) {
	t.Parallel()
	def := resolution(240, clock.Minutes)
	def.Start = []string{"received", "reopened"}
	d := newDesk(t, terms(t, def, office()))
	d.fact("received", "03-02 10:00")
	none(t, d.fact("reopened", "03-02 10:30"))
	d.fact("resolved", "03-02 11:00")
	got := d.fact("reopened", "03-02 14:00")
	if len(got) != 1 || len(d.board.Instances) != 2 || d.board.Instances[1].Number != 2 {
		t.Fatalf("got %+v, want the second instance", got)
	}
	d.due("03-03 10:00")
}

func TestACalendarThatNeverOpensMakesNoPromise(t *testing.T) {
	t.Parallel()
	never := office()
	never.Week = nil
	none(t, newDesk(t, terms(t, resolution(60, clock.Minutes), never)).fact("received", "03-02 10:00"))
}

func TestEvolveIgnoresInstancesNobodyStarted(t *testing.T) {
	t.Parallel()
	same(t, clock.Board{}.Evolve(clock.Met{Instance: 7}).Evolve(clock.TargetRecorded{Clock: "x"}), clock.Board{})
}
