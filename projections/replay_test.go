package projections_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/projections"
)

// held holds the lock of the sums view's checkpoint while f runs, which may wait with blocked until so many connections
// wait for a lock.
func (b *bench) held(f func(blocked func(n int))) {
	b.Helper()
	ctx := b.Context()
	conn, err := pgx.ConnectConfig(ctx, b.pool.Config().ConnConfig)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx) //nolint:errcheck // also ends the transaction
	tx, err := conn.Begin(ctx)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := tx.Exec(ctx, `select from aftercare.checkpoint where view = 'sums' for update`); err != nil {
		b.Fatal(err)
	}
	f(func(n int) {
		for waiting := 0; waiting < n; {
			err := tx.QueryRow(ctx, `
				select count(*), pg_stat_clear_snapshot()::text from pg_stat_activity
				 where datname = current_database() and wait_event_type = 'Lock'`).Scan(&waiting, new(string))
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	if err := tx.Rollback(ctx); err != nil {
		b.Fatal(err)
	}
}

// ill returns a bench whose runner is stopped, with three parked events of sum-1, and the switch that heals the view.
func ill(t *testing.T) (*bench, *atomic.Bool) {
	t.Helper()
	var sick atomic.Bool
	sick.Store(true)
	b := newBench(t, sums(&sick))
	stop := b.start(b.runner())
	b.wait(b.add("sum-1", 1, refused, 3, 4), "sums")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := b.parked(); got != 3 {
		t.Fatalf("got %d parked events, want 3", got)
	}
	return b, &sick
}

func TestReplaysAtTheSameTimeFoldEveryEventOnce(t *testing.T) {
	t.Parallel()
	b, sick := ill(t)
	sick.Store(false)
	var (
		wg    sync.WaitGroup
		taken atomic.Int64
	)
	b.held(func(blocked func(int)) {
		for range 2 {
			wg.Go(func() {
				done, err := b.runner().Replay(t.Context(), "sums")
				if err != nil {
					t.Error(err)
				}
				taken.Add(int64(done.Taken))
			})
		}
		blocked(2) // both know what is parked
	})
	wg.Wait()
	if got := taken.Load(); got != 3 {
		t.Errorf("got %d events taken, want 3", got)
	}
	got := query[sum](b, `select * from view_sums.sum`)
	if diff := cmp.Diff([]sum{{"sum-1", 4, 8 + refused, 3}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAReplayFoldsNothingThatARebuildHas(t *testing.T) {
	t.Parallel()
	b, sick := ill(t)
	sick.Store(false)
	var wg sync.WaitGroup
	b.held(func(blocked func(int)) {
		wg.Go(func() {
			rebuilder := &projections.Rebuilder{Pool: b.pool, Log: b.store.Log(), Codec: events}
			if _, err := rebuilder.Rebuild(t.Context(), b.views...); err != nil {
				t.Error(err)
			}
		})
		blocked(1) // the rebuild is about to take the live tables' place
		wg.Go(func() {
			if _, err := b.runner().Replay(t.Context(), "sums"); err != nil {
				t.Error(err)
			}
		})
		blocked(2)
	})
	wg.Wait()
	got := query[sum](b, `select * from view_sums.sum`)
	if diff := cmp.Diff([]sum{{"sum-1", 4, 8 + refused, 3}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAViewWithoutItsCheckpointBeginsAnew(t *testing.T) {
	t.Parallel()
	for name, running := range map[string]bool{"while it is kept": true, "before it is kept": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, sums(nil))
			stop := b.start(b.runner())
			b.wait(b.add("sum-1", 1, 2), "sums")
			if !running {
				if err := stop(); err != nil {
					t.Fatal(err)
				}
			}
			b.exec(`delete from aftercare.checkpoint where view = 'sums'`)
			at := b.add("sum-1", 3)
			if !running {
				b.tracker = &projections.Tracker{Pool: b.pool, Log: b.store.Log(), Now: now}
				b.start(b.runner())
			}
			b.wait(at, "sums")
			got := query[sum](b, `select * from view_sums.sum`)
			if diff := cmp.Diff([]sum{{"sum-1", 3, 6, 2}}, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestReplaysWhileEventsOfTheirStreamsComeKeepTheOrder(t *testing.T) {
	t.Parallel()
	var sick atomic.Bool
	b := newBench(t, sums(&sick))
	r := b.runner()
	r.Most = 5
	b.start(r)
	done := make(chan domain.Position)
	go func() {
		var at domain.Position
		for i := range 400 {
			sick.Store(i%40 < 10)
			at = b.add(stream(i%3), refused, 1)
		}
		sick.Store(false)
		done <- at
	}()
	var at domain.Position
	for at == (domain.Position{}) {
		select {
		case at = <-done:
		default:
		}
		if _, err := r.Replay(t.Context(), "sums"); err != nil {
			t.Fatal(err)
		}
	}
	b.wait(at, "sums")
	if _, err := r.Replay(t.Context(), "sums"); err != nil {
		t.Fatal(err)
	}
	if got := b.parked(); got != 0 {
		t.Errorf("got %d parked events, want none", got)
	}
	for _, s := range query[sum](b, `select * from view_sums.sum`) {
		if s.Events != s.Last+1 || s.Total != s.Events/2*(refused+1) {
			t.Errorf("got %+v, want every event once and in order", s)
		}
	}
}
