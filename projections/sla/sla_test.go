package sla_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/domain/clock"
	domainticket "aftercare/domain/ticket"
	"aftercare/projections/postgres/pgtest"
	"aftercare/projections/sla"
	"aftercare/projections/ticket"
	"aftercare/projections/viewtest"
)

func at(hours float64) time.Time { return viewtest.At(hours) }

func given(t *testing.T, h viewtest.History) *pgxpool.Pool {
	t.Helper()
	pool := pgtest.Pool(t)
	viewtest.Live(t, pool, ticket.View(), h.Events)
	viewtest.Live(t, pool, sla.View(), h.Events)
	return pool
}

func clocks(t *testing.T, pool *pgxpool.Pool, n int) []sla.Instance {
	t.Helper()
	found, err := sla.OfTickets(t.Context(), pool, []domain.UUID{viewtest.ID(n)})
	if err != nil {
		t.Fatal(err)
	}
	return found[viewtest.ID(n)]
}

func started(instance int, hours, due float64) clock.Started {
	return clock.Started{At: at(hours), Instance: instance, Clock: "resolution", Promise: clock.Promise{
		Definition: clock.Version{ID: "gold", Version: 2}, Calendar: clock.Version{ID: "week", Version: 3}, Start: at(hours), Due: at(due),
		Unit: clock.Minutes, Counted: []clock.Span{{Start: at(hours), End: at(due)}},
	}}
}

func TestAPromiseIsKeptWithItsReasons(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	h.Case(1,
		domainticket.Received{At: at(0), Details: domainticket.Details{Priority: "low", Team: "one"}},
		started(1, 0, 8),
		clock.Paused{At: at(2), Instance: 1, Reason: "customer"},
		clock.Resumed{At: at(3), Instance: 1, Due: at(9), Counted: []clock.Span{{Start: at(0), End: at(2)}, {Start: at(3), End: at(9)}}},
		clock.Breached{At: at(9), Instance: 1},
		domainticket.Assigned{At: at(9), Team: "two"},
		clock.MetLate{At: at(10), Instance: 1, Due: at(9), Elapsed: 9 * 3600, Overrun: 3600},
		domainticket.Assigned{At: at(11), Team: "three"},
	)
	got := clocks(t, given(t, h), 1)
	want := []sla.Instance{{
		Ticket: viewtest.ID(1), Instance: 1, Clock: "resolution", Origin: sla.OriginOurs, Definition: "gold", DefinitionVersion: 2,
		Calendar: "week", CalendarVersion: 3, StartedAt: new(at(0)), DueAt: new(at(9)), PromisedDueAt: new(at(8)), StoppedAt: new(at(10)),
		BreachedAt: new(at(9)), Verdict: sla.MetLate, ElapsedSeconds: new(int64(9 * 3600)), OverrunSeconds: new(int64(3600)), PausedSeconds: 3600,
		Promise: []byte(`{"due": "2026-01-05T16:00:00Z", "unit": "minutes", "start": "2026-01-05T08:00:00Z", "budget": 0, ` +
			`"counted": [{"end": "2026-01-05T16:00:00Z", "start": "2026-01-05T08:00:00Z"}], "calendar": {"id": "week", "version": 3}, ` +
			`"definition": {"id": "gold", "version": 2}}`),
		Counted: []byte(`[{"end": "2026-01-05T10:00:00Z", "start": "2026-01-05T08:00:00Z"}, ` +
			`{"end": "2026-01-05T17:00:00Z", "start": "2026-01-05T11:00:00Z"}]`),
		ReceivedAt: at(0), Priority: "low", Team: "two",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("clocks differ (-want +got):\n%s", diff)
	}
}

func TestASupersededInstanceKeepsItsVerdict(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	h.Case(1, domainticket.Received{At: at(0)}, started(1, 0, 8), clock.Superseded{At: at(4), Instance: 1, By: 2, Reason: "priority"},
		clock.Started{At: at(4), Instance: 2, Clock: "resolution", Supersedes: 1, Carry: clock.FromOrigin, Promise: clock.Promise{Start: at(0), Due: at(6), Unit: clock.Minutes}})
	h.Case(2, domainticket.Received{At: at(0)}, started(1, 0, 2), clock.Breached{At: at(2), Instance: 1},
		clock.Superseded{At: at(4), Instance: 1, By: 2, Reason: "policy"})
	h.Case(3, domainticket.Received{At: at(0)}, started(1, 0, 2), clock.Paused{At: at(1), Instance: 1, Reason: "parts"},
		clock.Cancelled{At: at(2), Instance: 1, Reason: "void"})
	pool := given(t, h)
	one, two, three := clocks(t, pool, 1), clocks(t, pool, 2), clocks(t, pool, 3)
	if len(one) != 2 || one[0].Verdict != sla.Superseded || one[0].SupersededBy != 2 || one[0].Reason != "priority" ||
		one[1].Verdict != sla.Running || one[1].Supersedes != 1 {
		t.Errorf("case 1 has %+v, want one superseded and one running", one)
	}
	if len(two) != 1 || two[0].Verdict != sla.Breached || two[0].SupersededBy != 2 {
		t.Errorf("case 2 has %+v, want a breach superseded", two)
	}
	if len(three) != 1 || three[0].Verdict != sla.Cancelled || three[0].PausedSeconds != 3600 || three[0].Paused {
		t.Errorf("case 3 has %+v, want it cancelled", three)
	}
}

func TestASourcesTargetIsJudgedByWhatHappened(t *testing.T) {
	t.Parallel()
	received := domainticket.Received{At: at(0), Details: domainticket.Details{Channel: "web"}}
	target := func(name string, due float64) clock.TargetRecorded {
		return clock.TargetRecorded{At: at(0), Clock: name, Due: at(due), Source: "old"}
	}
	for name, c := range map[string]struct {
		events  []domain.Event
		verdict sla.Verdict
		stopped *time.Time
		overrun *int64
	}{
		"open":                    {[]domain.Event{received, target("resolution", 5)}, sla.Running, nil, nil},
		"exactly at due":          {[]domain.Event{received, target("resolution", 5), domainticket.Closed{At: at(5)}}, sla.Met, new(at(5)), new(int64(0))},
		"late":                    {[]domain.Event{received, target("resolution", 5), domainticket.Closed{At: at(6)}}, sla.MetLate, new(at(6)), new(int64(3600))},
		"learned after the end":   {[]domain.Event{received, domainticket.Closed{At: at(6)}, target("resolution", 5)}, sla.MetLate, new(at(6)), new(int64(3600))},
		"resolved, then closed":   {[]domain.Event{received, target("resolution", 5), domainticket.Resolved{At: at(4)}, domainticket.Closed{At: at(9)}}, sla.Met, new(at(4)), new(int64(0))},
		"reopened":                {[]domain.Event{received, target("resolution", 5), domainticket.Resolved{At: at(4)}, domainticket.Reopened{At: at(4.5)}}, sla.Running, nil, nil},
		"resolved again":          {[]domain.Event{received, target("resolution", 5), domainticket.Resolved{At: at(4)}, domainticket.Reopened{At: at(4.5)}, domainticket.Resolved{At: at(7)}}, sla.MetLate, new(at(7)), new(int64(7200))},
		"another due time":        {[]domain.Event{received, target("resolution", 5), domainticket.Closed{At: at(6)}, target("resolution", 7)}, sla.Met, new(at(6)), new(int64(0))},
		"cancelled":               {[]domain.Event{received, target("resolution", 5), domainticket.Cancelled{At: at(1)}}, sla.Cancelled, nil, nil},
		"no automatic response":   {[]domain.Event{received, target(sla.FirstResponse, 5), domainticket.Responded{At: at(1), By: domainticket.Autoresponder}}, sla.Running, nil, nil},
		"the first response":      {[]domain.Event{received, target(sla.FirstResponse, 5), domainticket.Responded{At: at(1), By: domainticket.Person}, domainticket.Responded{At: at(9), By: domainticket.Person}}, sla.Met, new(at(1)), new(int64(0))},
		"acknowledged":            {[]domain.Event{received, target(sla.Acknowledgement, 5), domainticket.Acknowledged{At: at(6)}}, sla.MetLate, new(at(6)), new(int64(3600))},
		"closed before it opened": {[]domain.Event{received, target("resolution", 5), domainticket.Closed{At: at(-1)}}, sla.Met, new(at(-1)), new(int64(0))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var h viewtest.History
			h.Case(1, c.events...)
			got := clocks(t, given(t, h), 1)
			if len(got) != 1 || got[0].Origin != sla.OriginTarget || got[0].Source != "old" || got[0].Channel != "web" {
				t.Fatalf("clocks = %+v, want one target", got)
			}
			if got[0].Verdict != c.verdict || !cmp.Equal(got[0].StoppedAt, c.stopped) || !cmp.Equal(got[0].OverrunSeconds, c.overrun) {
				t.Errorf("target is %v, stopped %v, overrun %v, want %v, %v, %v",
					got[0].Verdict, got[0].StoppedAt, got[0].OverrunSeconds, c.verdict, c.stopped, c.overrun)
			}
		})
	}
}

func TestASourcesVerdictIsItsLastWord(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	h.Case(1, domainticket.Received{At: at(0), Details: domainticket.Details{Priority: "low"}},
		clock.VerdictRecorded{At: at(1), Clock: "resolution", Met: true, Source: "old"},
		domainticket.PriorityChanged{At: at(2), To: "high"},
		clock.VerdictRecorded{At: at(3), Clock: "resolution", Met: false, Source: "old"},
		domainticket.PriorityChanged{At: at(4), To: "low"})
	want := []sla.Instance{{
		Ticket: viewtest.ID(1), Clock: "resolution", Origin: sla.OriginVerdict, Source: "old", StoppedAt: new(at(3)), Verdict: sla.Missed,
		ReceivedAt: at(0), Priority: "high",
	}}
	if diff := cmp.Diff(want, clocks(t, given(t, h), 1), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("verdicts differ (-want +got):\n%s", diff)
	}
}
