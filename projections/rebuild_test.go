package projections_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/projections"
)

func (b *bench) rebuilder() *projections.Rebuilder {
	return &projections.Rebuilder{Pool: b.pool, Log: b.store.Log(), Codec: events, Now: now}
}

func (b *bench) fill(streams, each int) domain.Position {
	b.Helper()
	var at domain.Position
	for i := range streams {
		numbers := make([]int, each)
		for j := range numbers {
			numbers[j] = 100 + i*j
		}
		at = b.add(stream(i), numbers...)
	}
	return at
}

func TestRebuiltTablesEqualTheLiveOnes(t *testing.T) {
	t.Parallel()
	var sick atomic.Bool
	sick.Store(true)
	b := newBench(t, sums(&sick), lines())
	b.fill(50, 40)
	b.add("sum-3", refused, 1)
	b.start(b.runner())
	b.wait(b.add("sum-4", 1, panicked, 3), "sums", "lines")
	live := []map[string]projections.Print{b.prints("sums"), b.prints("lines")}
	parked := query[struct {
		Stream   string
		Revision int64
	}](b, `select stream, revision from aftercare.parked_event where view not like '%@%' order by 1, 2`)

	report, err := b.rebuilder().Rebuild(t.Context(), b.views...)
	if err != nil {
		t.Fatal(err)
	}
	if want := 50*40 + 2 + 3; report.Events != want || report.Parked != 4 {
		t.Errorf("got %d events and %d parked, want %d and 4", report.Events, report.Parked, want)
	}
	if diff := cmp.Diff(live, []map[string]projections.Print{b.prints("sums"), b.prints("lines")}); diff != "" {
		t.Errorf("rebuilt tables, -live +rebuilt:\n%s", diff)
	}
	again := query[struct {
		Stream   string
		Revision int64
	}](b, `select stream, revision from aftercare.parked_event where view not like '%@%' order by 1, 2`)
	if diff := cmp.Diff(parked, again); diff != "" || len(parked) != 4 {
		t.Errorf("parked events, -live +rebuilt:\n%s", diff)
	}

	b.wait(b.add("sum-5", 7), "sums", "lines")
	got := query[sum](b, `select * from view_sums.sum where stream = 'sum-5'`)
	if len(got) != 1 || got[0].Events != 41 {
		t.Errorf("after the rebuild the runner folded %+v, want 41 events", got)
	}
}

func TestARebuildUnderWritesLosesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil), lines())
	b.fill(20, 20)
	b.start(b.runner())
	stop, stopped := make(chan struct{}), make(chan domain.Position)
	go func() {
		var at domain.Position
		for i := 0; ; i++ {
			select {
			case <-stop:
				stopped <- at
				return
			default:
				at = b.add(stream(i%30), i, i+1)
			}
		}
	}()
	for range 3 {
		if _, err := b.rebuilder().Rebuild(t.Context(), b.views...); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	b.wait(<-stopped, "sums", "lines")
	live := []map[string]projections.Print{b.prints("sums"), b.prints("lines")}
	if _, err := b.rebuilder().Rebuild(t.Context(), b.views...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(live, []map[string]projections.Print{b.prints("sums"), b.prints("lines")}); diff != "" {
		t.Errorf("tables, -live +rebuilt:\n%s", diff)
	}
	if got := b.parked(); got != 0 {
		t.Errorf("got %d parked events, want none", got)
	}
}

func TestAnInterruptedRebuildLeavesTheLiveViewAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	at := b.fill(30, 30)
	b.start(b.runner())
	b.wait(at, "sums")
	live := b.prints("sums")

	ctx, cancel := context.WithCancel(t.Context())
	fatal := &dying{View: sums(nil), at: 500, die: cancel}
	if _, err := b.rebuilder().Rebuild(ctx, fatal); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the rebuild to be interrupted", err)
	}
	if diff := cmp.Diff(live, b.prints("sums")); diff != "" {
		t.Errorf("after the interruption, -before +after:\n%s", diff)
	}
	if _, err := b.rebuilder().Rebuild(t.Context(), b.views...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(live, b.prints("sums")); diff != "" {
		t.Errorf("after the next rebuild, -live +rebuilt:\n%s", diff)
	}
}

// dying is a view whose bulk load is interrupted after some events.
type dying struct {
	projections.View
	at  int64
	die func()
	n   atomic.Int64
}

func (d *dying) Bulk() projections.Bulk { return &dyingBulk{d.View.Bulk(), d} }

type dyingBulk struct {
	projections.Bulk
	view *dying
}

func (d *dyingBulk) Add(r domain.Recorded) error {
	if d.view.n.Add(1) == d.view.at {
		d.view.die()
	}
	return d.Bulk.Add(r)
}

func TestAViewIsRebuiltByOneAtATime(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	b.fill(5, 5)
	inside, errs := make(chan struct{}), make(chan error)
	slow := &dying{View: sums(nil), at: 3, die: func() {
		close(inside)
		_, err := b.rebuilder().Rebuild(t.Context(), b.views...)
		errs <- err
	}}
	first := make(chan error)
	go func() {
		_, err := b.rebuilder().Rebuild(t.Context(), slow)
		first <- err
	}()
	<-inside
	if err := <-errs; !errors.Is(err, projections.ErrRebuilding) {
		t.Errorf("got %v, want %v", err, projections.ErrRebuilding)
	}
	if err := <-first; err != nil {
		t.Errorf("the first rebuild: %v", err)
	}
}

func TestARebuildMendsTablesOfAnotherShape(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	stop := b.start(b.runner())
	b.wait(b.add("sum-1", 1), "sums")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.views = []projections.View{reshaped{sums(nil)}}
	if _, err := b.rebuilder().Rebuild(t.Context(), b.views...); err != nil {
		t.Fatal(err)
	}
	b.start(b.runner())
	b.wait(b.add("sum-1", 1), "sums")
	if diff := cmp.Diff([]sum{{"sum-1", 2, 2, 1}}, query[sum](b, `select * from view_sums.sum`)); diff != "" {
		t.Errorf("sums, -want +got:\n%s", diff)
	}
}
