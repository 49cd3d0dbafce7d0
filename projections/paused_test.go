package projections_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/projections"
)

// pause stops all that goes through a pool when a statement is about to be sent, as a process that is stopped is, in the midst of a
// transaction.
type pause struct {
	statement       string
	armed, at, over chan struct{} // closed one after the other
	once            sync.Once
}

func (p *pause) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	select {
	case <-p.armed:
	default:
		return ctx
	}
	if strings.Contains(q.SQL, p.statement) {
		p.once.Do(func() { close(p.at) })
	}
	select {
	case <-p.at:
		<-p.over
	default:
	}
	return ctx
}

func (*pause) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestOthersTakeOverFromARunnerThatIsStoppedInTheMidstOfATransaction(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"while it renews its leases": "insert into aftercare.lease", "while it folds": "update aftercare.checkpoint",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, sums(nil), lines())
			p := &pause{statement: statement, armed: make(chan struct{}), at: make(chan struct{}), over: make(chan struct{})}
			config := b.pool.Config()
			config.ConnConfig.Tracer = p
			pool, err := pgxpool.NewWithConfig(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			first := b.runner()
			first.Pool, first.TTL = pool, time.Second
			first.Tracker = &projections.Tracker{Pool: pool, Log: b.store.Log()}
			stop := b.start(first)
			wake := sync.OnceFunc(func() { close(p.over) })
			t.Cleanup(wake)
			b.wait(b.add("sum-1", 1), "sums", "lines")
			close(p.armed)
			b.add("sum-1", 2)
			<-p.at

			second := b.runner()
			second.TTL = time.Second
			b.start(second)
			b.wait(b.add("sum-1", 3), "sums", "lines")
			wake()
			b.wait(b.add("sum-1", 4), "sums", "lines")
			if err := stop(); err != nil {
				t.Error(err)
			}
			b.wait(b.add("sum-1", 5), "sums", "lines")
			if diff := cmp.Diff([]sum{{"sum-1", 5, 15, 4}}, query[sum](b, `select * from view_sums.sum`)); diff != "" {
				t.Errorf("sums, -want +got:\n%s", diff)
			}
			if got := len(query[line](b, `select * from view_lines.line`)); got != 5 {
				t.Errorf("got %d lines, want 5", got)
			}
			if got := b.parked(); got != 0 {
				t.Errorf("got %d parked events, want none", got)
			}
		})
	}
}

func TestAViewWhoseCheckpointIsLockedDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil), lines())
	stop := b.start(b.runner())
	b.wait(b.add("sum-1", 1), "sums", "lines")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.held(func(func(int)) {
		r := b.runner()
		r.Patience = 50 * time.Millisecond
		stop = b.start(r)
		at := b.fill(3, 3)
		b.wait(at, "lines")
	})
	b.wait(b.add("sum-1", 2), "sums", "lines")
}
