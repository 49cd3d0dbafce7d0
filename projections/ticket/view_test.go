package ticket_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/seal"
	domainticket "aftercare/domain/ticket"
	"aftercare/projections/postgres/pgtest"
	"aftercare/projections/ticket"
	"aftercare/projections/timeline"
	"aftercare/projections/viewtest"
)

func at(hours float64) time.Time { return viewtest.At(hours) }

// given folds a history into the views of this package's queries.
func given(t *testing.T, h viewtest.History) *pgxpool.Pool {
	t.Helper()
	pool := pgtest.Pool(t)
	viewtest.Live(t, pool, ticket.View(), h.Events)
	viewtest.Live(t, pool, timeline.View(), h.Events)
	return pool
}

func row(t *testing.T, pool *pgxpool.Pool, n int) ticket.Row {
	t.Helper()
	found, err := ticket.ByIDs(t.Context(), pool, []domain.UUID{viewtest.ID(n)})
	if err != nil {
		t.Fatal(err)
	}
	r, ok := found[viewtest.ID(n)]
	if !ok {
		t.Fatalf("no case %d", n)
	}
	return r
}

func TestACaseIsOneRow(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	h.Case(1,
		domainticket.Received{
			At: at(0), Number: "AC-1", Customer: "li", Name: seal.New("li", "Li Na"), Contact: viewtest.Forgotten("li"),
			Title: seal.New("li", "No heat"), Source: &domainticket.Source{System: "old", Key: "17"},
			Details: domainticket.Details{Kind: "incident", Priority: "low", Team: "one", Attributes: map[string]string{"a": "1", "b": "2"}},
		},
		clock.Started{At: at(0), Instance: 1, Clock: "resolution"},
		domainticket.Acknowledged{At: at(1)},
		domainticket.Responded{At: at(1), By: domainticket.Autoresponder},
		domainticket.Responded{At: at(2), By: domainticket.Person},
		domainticket.Responded{At: at(3), By: domainticket.Person},
		domainticket.Assigned{At: at(3), Team: "one", Agent: "anna"},
		domainticket.Assigned{At: at(4), Team: "two", Agent: "anna"},
		domainticket.Classified{At: at(4), Details: domainticket.Details{Product: "boiler", Attributes: map[string]string{"b": "3"}}},
		domainticket.PriorityChanged{At: at(4), From: "low", To: "high"},
		domainticket.WaitStarted{At: at(5), Reason: "parts"},
		domainticket.Resumed{At: at(6)},
		domainticket.Resolved{At: at(7)},
		domainticket.Reopened{At: at(8), From: domainticket.Done},
		domainticket.Resolved{At: at(9)},
		domainticket.StatusRecorded{At: at(10), Seq: 1, Status: "Closed!"},
		domainticket.Closed{At: at(10)},
		clock.Met{At: at(20), Instance: 1, Due: at(30)},
	)
	want := ticket.Row{
		ID: viewtest.ID(1), Number: "AC-1", Phase: domainticket.Shut,
		Details: domainticket.Details{
			Kind: "incident", Priority: "high", Product: "boiler", Team: "two", Agent: "anna", Attributes: map[string]string{"a": "1", "b": "3"},
		},
		Customer: "li", Name: ticket.Text{Value: "Li Na"}, Contact: ticket.Text{Forgotten: true}, Title: ticket.Text{Value: "No heat"},
		SourceSystem: "old", SourceKey: "17", Status: "Closed!",
		ReceivedAt: at(0), AcknowledgedAt: new(at(1)), FirstRespondedAt: new(at(2)), FirstResolvedAt: new(at(7)),
		ResolvedAt: new(at(9)), ClosedAt: new(at(10)), FirstEventAt: at(0), LastEventAt: at(10),
		Reopened: 1, Reassigned: 1, SourceRows: 1, Facts: 16, Revision: 17, CommitPosition: 1800,
	}
	if diff := cmp.Diff(want, row(t, given(t, h), 1)); diff != "" {
		t.Errorf("row differs (-want +got):\n%s", diff)
	}
}

func TestAWaitingCaseSaysForWhom(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	h.Case(1, domainticket.Received{At: at(0)}, domainticket.WaitStarted{At: at(1), Reason: "vendor"})
	h.Case(2, domainticket.Received{At: at(0)}, domainticket.WaitStarted{At: at(1), Reason: "vendor"}, domainticket.Resolved{At: at(2)})
	pool := given(t, h)
	if r := row(t, pool, 1); r.Phase != domainticket.Waiting || r.WaitReason != "vendor" {
		t.Errorf("waiting case is %v for %q, want waiting for vendor", r.Phase, r.WaitReason)
	}
	if r := row(t, pool, 2); r.Phase != domainticket.Done || r.WaitReason != "" {
		t.Errorf("resolved case is %v for %q, want resolved for nothing", r.Phase, r.WaitReason)
	}
}
