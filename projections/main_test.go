package projections_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
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

// added is the one event of these tests: a number for a stream.
type added struct {
	At time.Time `json:"at"`
	N  int       `json:"n"`
}

func (added) EventType() string       { return "sum.added.v1" }
func (e added) OccurredAt() time.Time { return e.At }

// seen is an event that no view of these tests handles.
type seen struct {
	At time.Time `json:"at"`
}

func (seen) EventType() string       { return "sum.seen.v1" }
func (e seen) OccurredAt() time.Time { return e.At }

var events = codec.New(codec.JSON[added](), codec.JSON[seen]())

// Numbers that the sums view has trouble with while it is ill.
const (
	refused  = 13
	panicked = 14
)

type sum struct {
	Stream string
	Events int64
	Total  int64
	Last   int64
}

// sums keeps a row a stream. A sick one refuses some numbers.
func sums(sick *atomic.Bool) projections.View {
	return &fold.View[sum]{
		ID: "sums", Table: "sum",
		Create:  `create table sum (stream text not null, events bigint not null, total bigint not null, last bigint not null)`,
		Index:   `create unique index on sum (stream)`,
		Types:   []string{added{}.EventType()},
		Columns: []string{"stream", "events", "total", "last"},
		Fields:  func(r *sum) []any { return []any{&r.Stream, &r.Events, &r.Total, &r.Last} },
		Fold: func(rows []sum, e domain.Recorded) ([]sum, error) {
			a, ok := e.Event.(added)
			if !ok {
				return rows, nil
			}
			if sick != nil && sick.Load() {
				switch a.N {
				case refused:
					return rows, errors.New("thirteen\x00\xff")
				case panicked:
					panic("fourteen")
				}
			}
			if len(rows) == 0 {
				rows = []sum{{Stream: e.Stream}}
			}
			rows[0].Events++
			rows[0].Total += int64(a.N)
			rows[0].Last = int64(e.Revision) //nolint:gosec // small
			return rows, nil
		},
	}
}

type line struct {
	Stream   string
	Revision int64
	N        int64
}

// lines keeps a row an event.
func lines() projections.View {
	return &fold.View[line]{
		ID: "lines", Table: "line", AppendOnly: true,
		Create:  `create table line (stream text not null, revision bigint not null, n bigint not null)`,
		Index:   `create unique index on line (stream, revision)`,
		Types:   []string{added{}.EventType()},
		Columns: []string{"stream", "revision", "n"},
		Fields:  func(r *line) []any { return []any{&r.Stream, &r.Revision, &r.N} },
		Fold: func(_ []line, e domain.Recorded) ([]line, error) {
			a, ok := e.Event.(added)
			if !ok {
				return nil, nil
			}
			return []line{{e.Stream, int64(e.Revision), int64(a.N)}}, nil //nolint:gosec // small
		},
	}
}

// bench is a store, a database and views over them.
type bench struct {
	testing.TB
	store   *feedtest.Store
	pool    *pgxpool.Pool
	tracker *projections.Tracker
	views   []projections.View
}

func newBench(tb testing.TB, views ...projections.View) *bench {
	tb.Helper()
	return benchOn(tb, feedtest.New(tb), pgtest.Pool(tb), views...)
}

func benchOn(tb testing.TB, store *feedtest.Store, pool *pgxpool.Pool, views ...projections.View) *bench {
	tb.Helper()
	return &bench{
		TB: tb, store: store, pool: pool, views: views,
		tracker: &projections.Tracker{Pool: pool, Log: store.Log(), Now: now},
	}
}

func (b *bench) runner() *projections.Runner {
	return &projections.Runner{Pool: b.pool, Log: b.store.Log(), Codec: events, Views: b.views, Tracker: b.tracker}
}

// start runs r until the function it returns is called, which gives the error of Run.
func (b *bench) start(r *projections.Runner) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	b.Cleanup(func() { _ = stop() })
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

func (b *bench) wait(at domain.Position, names ...string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if p, err := b.tracker.Wait(ctx, at, names...); err != nil {
		b.Fatalf("%v; progress %+v", err, p)
	}
}

func query[T any](b *bench, sql string) []T {
	b.Helper()
	rows, err := b.pool.Query(context.Background(), sql)
	if err != nil {
		b.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	if err != nil {
		b.Fatal(err)
	}
	return found
}

func (b *bench) prints(view string) map[string]projections.Print {
	b.Helper()
	p, err := projections.Fingerprint(context.Background(), b.pool, projections.Schema(view))
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (b *bench) parked() int {
	b.Helper()
	return query[struct{ N int }](b, `select count(*) from aftercare.parked_event`)[0].N
}

func (b *bench) exec(sql string) {
	b.Helper()
	if _, err := b.pool.Exec(context.Background(), sql); err != nil {
		b.Fatal(err)
	}
}

// failing is what the runner says of a view.
func (b *bench) failing(view string) error { return b.tracker.Failing(view) }

// head is a position that nothing has come to yet.
func (b *bench) head() domain.Position { return domain.Position{Commit: 1 << 40, Prepare: 1 << 40} }

func stream(i int) string { return fmt.Sprintf("sum-%d", i) }
