package projections_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/projections"
	"aftercare/projections/fold"
)

func TestViewsFollowTheLog(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil), lines())
	b.add("sum-1", 1, 2, 3)
	b.start(b.runner())
	at := b.add("sum-2", 10)
	b.wait(at, "sums", "lines")

	got := query[sum](b, `select * from view_sums.sum order by stream`)
	want := []sum{{"sum-1", 3, 6, 2}, {"sum-2", 1, 10, 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sums, -want +got:\n%s", diff)
	}
	if got := len(query[line](b, `select * from view_lines.line`)); got != 4 {
		t.Errorf("got %d lines, want 4", got)
	}
}

func TestAnEventThatNoViewHandlesMovesTheViews(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	b.start(b.runner())
	b.wait(b.store.Record(events, "sum-1", seen{}), "sums")
}

func TestAViewThatIsAddedLaterCatchesUpAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	stop := b.start(b.runner())
	at := b.add("sum-1", 1, 2, 3)
	b.wait(at, "sums")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.views = append(b.views, lines())
	b.start(b.runner())
	b.wait(at, "sums", "lines")
	if diff := cmp.Diff([]sum{{"sum-1", 3, 6, 2}}, query[sum](b, `select * from view_sums.sum`)); diff != "" {
		t.Errorf("sums, -want +got:\n%s", diff)
	}
	if got := len(query[line](b, `select * from view_lines.line`)); got != 3 {
		t.Errorf("got %d lines, want 3", got)
	}
}

func TestEveryEventCountsOnceHoweverOftenTheRunnerIsStopped(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil), lines())
	const streams, each = 20, 100
	var last domain.Position
	for i := range streams * each / 10 {
		last = b.add(stream(i%streams), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
	}
	if err := projections.Ensure(t.Context(), b.pool, b.views...); err != nil {
		t.Fatal(err)
	}
	var position domain.Position
	for stops := 0; position.Compare(last) < 0; stops++ {
		r := b.runner()
		r.Most = 7 + stops%50
		r.Tracker = &projections.Tracker{Pool: b.pool, Log: b.store.Log()}
		// Ever longer, so that a slow machine gets somewhere, too.
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(20+stops%37+2*stops)*time.Millisecond)
		if err := r.Run(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		status, err := b.tracker.Status(t.Context(), "sums", "lines")
		if err != nil {
			t.Fatal(err)
		}
		position = status.Views[0].Position
		if p := status.Views[1].Position; p.Compare(position) < 0 {
			position = p
		}
	}
	if got := b.parked(); got != 0 {
		t.Errorf("got %d parked events, want none", got)
	}
	got := query[struct{ Streams, Events, Total int64 }](b, `select count(*), sum(events)::bigint, sum(total)::bigint from view_sums.sum`)
	want := []struct{ Streams, Events, Total int64 }{{streams, streams * each, streams * each}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sums, -want +got:\n%s", diff)
	}
	if got := len(query[line](b, `select * from view_lines.line`)); got != streams*each {
		t.Errorf("got %d lines, want %d", got, streams*each)
	}
}

func TestRunnersDivideTheViewsAndTakeOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil), lines(), renamed{lines(), "more"}, renamed{lines(), "most"})
	names := []string{"sums", "lines", "more", "most"}
	start := func(name string) func() error {
		r := b.runner()
		r.Name, r.TTL, r.Tracker = name, 300*time.Millisecond, &projections.Tracker{Pool: b.pool, Log: b.store.Log()}
		return b.start(r)
	}
	// divided waits until each of the runners keeps so many views, while events come.
	divided := func(want map[string]int) {
		t.Helper()
		deadline := now().Add(20 * time.Second)
		for {
			b.wait(b.add("sum-1", 1), names...)
			status, err := b.tracker.Status(t.Context(), names...)
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[string]int)
			for _, v := range status.Views {
				got[v.Holder]++
			}
			if cmp.Equal(want, got) {
				return
			}
			if now().After(deadline) {
				t.Fatalf("views are kept by %v, want %v", got, want)
			}
		}
	}
	first := start("first")
	divided(map[string]int{"first": 4})
	second := start("second")
	divided(map[string]int{"first": 2, "second": 2})
	third := start("third")
	divided(map[string]int{"first": 2, "second": 1, "third": 1})
	if err := first(); err != nil {
		t.Error(err)
	}
	divided(map[string]int{"second": 2, "third": 2})
	// One that died without a word: its lease runs out.
	b.exec(`insert into aftercare.projector (id, name, views) values (gen_random_uuid(), 'dead', '{sums,lines,more,most}')`)
	b.exec(`update aftercare.lease set holder = (select id from aftercare.projector where name = 'dead'), expires = clock_timestamp() + interval '1 second'`)
	divided(map[string]int{"second": 2, "third": 2})
	for _, stop := range []func() error{second, third} {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
	got := query[sum](b, `select * from view_sums.sum`)
	if len(got) != 1 || got[0].Events != got[0].Last+1 || got[0].Total != got[0].Events {
		t.Errorf("got %+v, want every event once", got)
	}
	for _, name := range names[1:] {
		if n := len(query[line](b, `select * from view_`+name+`.line`)); int64(n) != got[0].Events {
			t.Errorf("%s has %d lines, want %d", name, n, got[0].Events)
		}
	}
	status, err := b.tracker.Status(t.Context(), "sums")
	if err != nil || status.Views[0].Holder != "" {
		t.Errorf("after all have stopped: %+v, %v; want nobody to keep the view", status.Views, err)
	}
	b.add("sum-1", 1)
	if err := b.tracker.Health(t.Context(), 0, "sums"); !errors.Is(err, projections.ErrUnkept) {
		t.Errorf("health of a view that nobody keeps: %v, want %v", err, projections.ErrUnkept)
	}
}

// renamed is a view by another name.
type renamed struct {
	projections.View
	name string
}

func (r renamed) Name() string { return r.name }

func TestARefusedEventIsParkedWithTheRestOfItsStream(t *testing.T) {
	t.Parallel()
	for name, number := range map[string]int{"error": refused, "panic": panicked} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sick atomic.Bool
			sick.Store(true)
			b := newBench(t, sums(&sick), lines())
			for i := range 30 {
				b.add(stream(i), 1, 2)
			}
			b.add("sum-7", number, 3)
			b.add("sum-8", 4)
			b.start(b.runner())
			b.wait(b.add("sum-7", 5), "sums", "lines")

			type parking struct {
				Stream   string
				Revision int64
				Attempts int
			}
			got := query[parking](b, `select stream, revision, attempts from aftercare.parked_event where view = 'sums' order by revision`)
			want := []parking{{"sum-7", 2, 3}, {"sum-7", 3, 0}, {"sum-7", 4, 0}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("parked, -want +got:\n%s", diff)
			}
			folded := query[sum](b, `select * from view_sums.sum where stream in ('sum-7', 'sum-8') order by stream`)
			if diff := cmp.Diff([]sum{{"sum-7", 2, 3, 1}, {"sum-8", 3, 7, 2}}, folded); diff != "" {
				t.Errorf("sums, -want +got:\n%s", diff)
			}

			again, err := b.runner().Replay(t.Context(), "sums")
			if diff := cmp.Diff(projections.Replayed{Left: 3}, again); diff != "" || err != nil {
				t.Errorf("replay of a sick view: %v, -want +got:\n%s", err, diff)
			}
			sick.Store(false)
			again, err = b.runner().Replay(t.Context(), "sums")
			if diff := cmp.Diff(projections.Replayed{Taken: 3}, again); diff != "" || err != nil {
				t.Errorf("replay of a healed view: %v, -want +got:\n%s", err, diff)
			}
			b.wait(b.add("sum-7", 6), "sums")
			folded = query[sum](b, `select * from view_sums.sum where stream = 'sum-7'`)
			if diff := cmp.Diff([]sum{{"sum-7", 6, int64(17 + number), 5}}, folded); diff != "" {
				t.Errorf("sums after the replay, -want +got:\n%s", diff)
			}
			if got := b.parked(); got != 0 {
				t.Errorf("got %d parked events, want none", got)
			}
		})
	}
}

func TestTablesOfAnotherShapeAreNotTouched(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	stop := b.start(b.runner())
	b.wait(b.add("sum-1", 1), "sums")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	retired, ok := sums(nil).(*fold.View[sum])
	if !ok {
		t.Fatal("sums are no fold")
	}
	retired.Types = append(retired.Types, "test.noted.v0")
	for name, v := range map[string]projections.View{"an index": reshaped{sums(nil)}, "a type": retired} {
		if err := projections.Ensure(t.Context(), b.pool, v); !errors.Is(err, projections.ErrOutdated) {
			t.Fatalf("with %s more: got %v, want %v", name, err, projections.ErrOutdated) // Run would go on for ever
		}
		b.views = []projections.View{v, lines()}
		stop := b.start(b.runner())
		b.wait(b.add("sum-1", 1), "lines")
		if err := b.failing("sums"); !errors.Is(err, projections.ErrOutdated) {
			t.Errorf("with %s more: got %v, want %v", name, err, projections.ErrOutdated)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
}

// reshaped is a view with one more index.
type reshaped struct{ projections.View }

func (r reshaped) Indexes() string { return r.View.Indexes() + `; create index on sum (total)` }

// unmakeable is a view whose tables Postgres refuses to make.
type unmakeable struct{ projections.View }

func (unmakeable) Name() string   { return "unmakeable" }
func (unmakeable) Tables() string { return "create tabel sum ()" }

func TestAViewThatCannotBeMadeDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t, unmakeable{sums(nil)}, lines())
	b.start(b.runner())
	b.wait(b.add("sum-1", 1), "lines")
	if err := b.failing("unmakeable"); err == nil || !strings.Contains(err.Error(), "syntax error") {
		t.Errorf("got %v, want what is wrong with the view", err)
	}
}
