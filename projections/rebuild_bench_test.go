package projections_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/domain/ticket"
	"aftercare/projections"
	"aftercare/projections/archive"
	"aftercare/projections/feed/feedtest"
	"aftercare/projections/fold"
	"aftercare/projections/postgres/pgtest"
)

var ticketCodec = codec.New(
	codec.JSON[ticket.Received](), codec.JSON[ticket.Assigned](), codec.JSON[ticket.WaitStarted](), codec.JSON[ticket.Resumed](),
	codec.JSON[ticket.Resolved](), codec.JSON[ticket.Closed](),
)

type caseRow struct {
	Stream, Number                 string
	Received                       time.Time
	Priority, Team, Agent, Outcome *string
	WaitingFor                     *string
	Resolved, Closed               *time.Time
	Assignments                    int64
}

// cases is a view as a real one is: a row a case, out of six types of events.
func cases() projections.View {
	return &fold.View[caseRow]{
		ID: "cases", Table: "cases",
		Create: `create table cases (stream text not null, number text not null, received timestamptz not null, priority text, team text,
			agent text, outcome text, waiting_for text, resolved timestamptz, closed timestamptz, assignments bigint not null)`,
		Index: `create unique index on cases (stream); create index on cases (received); create index on cases (team, resolved)`,
		Types: ticketCodec.Names(),
		Columns: []string{
			"stream", "number", "received", "priority", "team", "agent", "outcome", "waiting_for", "resolved", "closed", "assignments",
		},
		Fields: func(r *caseRow) []any {
			return []any{
				&r.Stream, &r.Number, &r.Received, &r.Priority, &r.Team, &r.Agent, &r.Outcome, &r.WaitingFor, &r.Resolved, &r.Closed, &r.Assignments,
			}
		},
		Fold: func(rows []caseRow, r domain.Recorded) ([]caseRow, error) {
			if len(rows) == 0 {
				rows = []caseRow{{Stream: r.Stream}}
			}
			row := &rows[0]
			switch e := r.Event.(type) {
			case ticket.Received:
				row.Number, row.Received, row.Priority = e.Number, e.At, &e.Priority
			case ticket.Assigned:
				row.Team, row.Agent = &e.Team, &e.Agent
				row.Assignments++
			case ticket.WaitStarted:
				row.WaitingFor = &e.Reason
			case ticket.Resumed:
				row.WaitingFor = nil
			case ticket.Resolved:
				row.Resolved = &e.At
			case ticket.Closed:
				row.Closed, row.Outcome = &e.At, &e.Outcome
			}
			return rows, nil
		},
	}
}

func caseEvents(i int) []domain.Event {
	at := time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC)
	team, agent := fmt.Sprintf("team-%d", i%17), fmt.Sprintf("agent-%d", i%301)
	return []domain.Event{
		ticket.Received{At: at, Number: fmt.Sprintf("S-%07d", i), Details: ticket.Details{Priority: fmt.Sprintf("p%d", i%4)}},
		ticket.Assigned{At: at.Add(time.Minute), Team: team, Agent: agent},
		ticket.WaitStarted{At: at.Add(time.Hour), Reason: "customer"},
		ticket.Resumed{At: at.Add(2 * time.Hour)},
		ticket.Resolved{At: at.Add(3 * time.Hour), Resolution: "repaired", Agent: agent},
		ticket.Closed{At: at.Add(4 * time.Hour), Outcome: "done"},
	}
}

// BenchmarkRebuild compares rebuilding a view with only reading the same log through the official client. The number of
// events is AFTERCARE_BENCH_EVENTS, 120,000 by default.
func BenchmarkRebuild(b *testing.B) {
	total := 120_000
	if n, err := strconv.Atoi(os.Getenv("AFTERCARE_BENCH_EVENTS")); err == nil {
		total = n
	}
	store, pool := feedtest.Durable(b), pgtest.Pool(b)
	count := 0
	for i := 0; count < total; i++ {
		batch := caseEvents(i)
		store.Record(ticketCodec, fmt.Sprintf("ticket-%d", i), batch...)
		count += len(batch)
	}
	rebuilder := &projections.Rebuilder{
		Pool: pool, Log: store.Log(), Archive: &archive.Archive{Dir: b.TempDir(), Log: store.Log()}, Codec: ticketCodec, Now: now,
	}
	var read, rebuilt time.Duration
	for b.Loop() {
		start := now()
		seen := 0
		for _, err := range store.Log().Read(b.Context(), domain.Position{}) {
			if err != nil {
				b.Fatal(err)
			}
			seen++
		}
		read += now().Sub(start)
		start = now()
		report, err := rebuilder.Rebuild(b.Context(), cases())
		if err != nil {
			b.Fatal(err)
		}
		rebuilt += now().Sub(start)
		b.Logf("reading %s, loading %s, indexing %s, switching %s", report.Reading, report.Loading, report.Indexing, report.Switching)
		if seen != count || report.Events != count {
			b.Fatalf("read %d and rebuilt from %d events, want %d", seen, report.Events, count)
		}
	}
	perSecond := func(d time.Duration) float64 { return float64(count) * float64(b.N) / d.Seconds() }
	b.ReportMetric(perSecond(read), "read-events/s")
	b.ReportMetric(perSecond(rebuilt), "rebuild-events/s")
	b.ReportMetric(perSecond(rebuilt)/perSecond(read), "ratio")
}
