package observe_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections"
	"aftercare/projections/feed/feedtest"
	"aftercare/projections/fold"
	"aftercare/projections/postgres/pgtest"
)

// now is the clock of the store and of the database, too.
var now = time.Now //nolint:forbidigo // what is compared with the times of real servers

func TestMain(m *testing.M) {
	// The throw-away Postgres outlives the tests.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("aftercare/deploy/localpg.(*server).wait"))
}

// added is the one event of these tests. A view refuses 13.
type added struct {
	At time.Time `json:"at"`
	N  int       `json:"n"`
}

func (added) EventType() string       { return "sum.added.v1" }
func (e added) OccurredAt() time.Time { return e.At }

var events = codec.New(codec.JSON[added]())

type line struct{ N int64 }

// lines keeps a row an event.
func lines() projections.View {
	return &fold.View[line]{
		ID: "lines", Table: "line", AppendOnly: true,
		Create: `create table line (n bigint not null)`, Index: `create index on line (n)`,
		Types:   []string{added{}.EventType()},
		Columns: []string{"n"},
		Fields:  func(r *line) []any { return []any{&r.N} },
		Fold: func(_ []line, e domain.Recorded) ([]line, error) {
			a, ok := e.Event.(added)
			if !ok {
				return nil, nil
			}
			if a.N == 13 {
				return nil, errors.New("thirteen")
			}
			return []line{{int64(a.N)}}, nil
		},
	}
}

// bench is a store, a database and a view over them.
type bench struct {
	testing.TB
	store   *feedtest.Store
	pool    *pgxpool.Pool
	tracker *projections.Tracker
}

func newBench(tb testing.TB) *bench {
	tb.Helper()
	b := &bench{TB: tb, store: feedtest.New(tb), pool: pgtest.Pool(tb)}
	b.tracker = &projections.Tracker{Pool: b.pool, Log: b.store.Log(), Now: now}
	return b
}

// run keeps the view, observed, until the returned function is called.
func (b *bench) run(o ...projections.Observer) (stop func()) {
	b.Helper()
	r := projections.Runner{
		Pool: b.pool, Log: b.store.Log(), Codec: events, Views: []projections.View{lines()}, Name: "here", Tracker: b.tracker, Observers: o,
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	b.Cleanup(stop)
	return stop
}

// add appends numbers to a stream.
func (b *bench) add(stream string, numbers ...int) domain.Position {
	b.Helper()
	batch := make([]domain.Event, len(numbers))
	for i, n := range numbers {
		batch[i] = added{time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC), n}
	}
	return b.store.Record(events, stream, batch...)
}

func (b *bench) wait(at domain.Position) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if p, err := b.tracker.Wait(ctx, at, "lines"); err != nil {
		b.Fatalf("%v; progress %+v", err, p)
	}
}
