package projections_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/projections"
)

// slow is a view whose statements take their time.
type slow struct{ projections.View }

func (s slow) Apply(ctx context.Context, tx pgx.Tx, batch []domain.Recorded) error {
	if _, err := tx.Exec(ctx, `select pg_sleep(0.2)`); err != nil {
		return err
	}
	return s.View.Apply(ctx, tx, batch)
}

func TestARunnerKeepsItsLeasesHoweverFewConnectionsItHas(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	names := make([]string, 10)
	for i := range names {
		names[i] = fmt.Sprint("lines", i)
		b.views = append(b.views, slow{renamed{lines(), names[i]}})
	}
	config := b.pool.Config()
	config.MaxConns = 2
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	r := b.runner()
	r.Pool, r.TTL, r.Most, r.Name = pool, 500*time.Millisecond, 1, "here"
	stop := b.start(r)
	b.wait(b.add("sum-1", 1), names...)
	at := b.add("sum-1", 1, 1)
	for reached := false; !reached; {
		status, err := b.tracker.Status(t.Context(), names...)
		if err != nil {
			t.Fatal(err)
		}
		reached = true
		for _, v := range status.Views {
			if v.Holder != "here" {
				t.Fatalf("view %s is kept by %q", v.View, v.Holder)
			}
			reached = reached && v.Position.Compare(at) >= 0
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
