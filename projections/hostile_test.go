package projections_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections"
)

// panics is a view that panics in one of its methods.
type panics struct {
	projections.View
	in string
}

func (p panics) Name() string { return "panics" }

func (p panics) Tables() string {
	if p.in == "Tables" {
		panic(p.in)
	}
	return p.View.Tables()
}

func (p panics) Handles(eventType string) bool {
	if p.in == "Handles" {
		panic(p.in)
	}
	return p.View.Handles(eventType)
}

func (p panics) Apply(ctx context.Context, tx pgx.Tx, batch []domain.Recorded) error {
	if p.in == "Apply" {
		panic(p.in)
	}
	return p.View.Apply(ctx, tx, batch)
}

func TestAViewThatPanicsDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"Tables", "Handles", "Apply"} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, panics{sums(nil), in}, lines())
			stop := b.start(b.runner())
			for range 3 {
				b.wait(b.add("sum-1", 1, 2), "lines")
			}
			if in == "Apply" {
				b.wait(b.add("sum-1", 3), "panics")
				if got := b.parked(); got != 7 {
					t.Errorf("got %d parked events, want 7", got)
				}
			} else if err := b.failing("panics"); err == nil {
				t.Error("it is not told that the view fails")
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFurtherViewsThatCannotBeFoundDoNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]func(n int64) ([]projections.View, error){
		"an error": func(int64) ([]projections.View, error) { return nil, errors.New("no views") },
		"a panic":  func(int64) ([]projections.View, error) { panic("no views") },
		"another one each time": func(n int64) ([]projections.View, error) {
			return []projections.View{renamed{lines(), fmt.Sprint("lines", n%5)}}, nil
		},
		"of another shape every time": func(n int64) ([]projections.View, error) { return []projections.View{shaped{lines(), n}}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, sums(nil))
			r := b.runner()
			var asked atomic.Int64
			r.TTL = 300 * time.Millisecond
			r.More = func(context.Context) ([]projections.View, error) { return more(asked.Add(1)) }
			stop := b.start(r)
			var want int64
			for asked.Load() < 20 {
				b.wait(b.add("sum-1", 1), "sums")
				want++
			}
			status, err := b.tracker.Status(t.Context(), "sums")
			if err != nil || status.Views[0].Failing != nil {
				t.Errorf("got %+v and %v", status, err)
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff([]sum{{"sum-1", want, want, want - 1}}, query[sum](b, `select * from view_sums.sum`)); diff != "" {
				t.Errorf("sums, -want +got:\n%s", diff)
			}
		})
	}
}

// shaped is a view that has another index each time.
type shaped struct {
	projections.View
	n int64
}

func (s shaped) Indexes() string {
	return s.View.Indexes() + fmt.Sprintf(`; create index shape_%d on line (n)`, s.n)
}

// blocked is a view across streams that waits for a lock with each batch.
type blocked struct{ counted }

func (b blocked) ApplyStored(ctx context.Context, tx pgx.Tx, batch []codec.Raw) error {
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(7)`); err != nil {
		return err
	}
	return b.counted.ApplyStored(ctx, tx, batch)
}

func TestASlowViewOfOtherPeopleHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, lines(), blocked{})
	r := b.runner()
	r.Most, r.Patience = 2, time.Hour
	b.start(r)
	b.wait(b.add("sum-1", 1), "lines", "counted")
	tx, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `select pg_advisory_xact_lock(7)`); err != nil {
		t.Fatal(err)
	}
	at := b.fill(10, 10)
	b.wait(at, "lines")
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wait(at, "counted")
	if got := query[struct{ Events int }](b, `select events from view_counted.total`)[0].Events; got != 101 {
		t.Errorf("got %d events, want 101", got)
	}
}
