package projections_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/projections"
	"aftercare/projections/fold"
)

// more is the sums view of a later program, which counts what is seen, too.
func more(t *testing.T) projections.View {
	t.Helper()
	v, ok := sums(nil).(*fold.View[sum])
	if !ok {
		t.Fatal("sums are no fold")
	}
	v.Types = append(v.Types, seen{}.EventType())
	add := v.Fold
	v.Fold = func(rows []sum, e domain.Recorded) ([]sum, error) {
		if _, ok := e.Event.(seen); !ok {
			return add(rows, e)
		}
		if len(rows) == 0 {
			rows = []sum{{Stream: e.Stream}}
		}
		rows[0].Events++
		rows[0].Last = int64(e.Revision) //nolint:gosec // small
		return rows, nil
	}
	return v
}

// The program that kept the view goes on while the next one rebuilds it.
func TestAnEarlierProgramLeavesTheTablesOfALaterOneAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	r := b.runner()
	r.TTL = time.Minute // it does not look who can keep what for long
	stop := b.start(r)
	b.wait(b.add("sum-1", 1), "sums")

	later := more(t)
	if _, err := b.rebuilder().Rebuild(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	at := b.store.Record(events, "sum-1", seen{})
	for reached := false; !reached && b.failing("sums") == nil; {
		status, err := b.tracker.Status(t.Context(), "sums")
		if err != nil {
			t.Fatal(err)
		}
		reached = status.Views[0].Position.Compare(at) >= 0
	}
	if err := b.failing("sums"); !errors.Is(err, projections.ErrOutdated) {
		t.Errorf("got %v, want %v", err, projections.ErrOutdated)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.views = []projections.View{later}
	b.tracker = &projections.Tracker{Pool: b.pool, Log: b.store.Log(), Now: now}
	b.start(b.runner())
	b.wait(b.add("sum-1", 2), "sums")
	if diff := cmp.Diff([]sum{{"sum-1", 3, 3, 2}}, query[sum](b, `select * from view_sums.sum`)); diff != "" {
		t.Errorf("sums, -want +got:\n%s", diff)
	}
}

func TestProgramsThatKeepDifferentViewsDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var earlier, later, made []projections.View
	for i := range 8 {
		v := renamed{lines(), fmt.Sprint("lines", i)}
		earlier, later = append(earlier, v), append(later, shaped{v, 1})
		made = append(made, [][]projections.View{earlier, later}[i%2][i])
	}
	b.views = made
	var names []string
	for _, v := range made {
		names = append(names, v.Name())
	}
	stop := b.start(b.runner())
	b.wait(b.add("sum-1", 1), names...)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	var (
		log   lockedBuffer
		looks [2]atomic.Int64
	)
	for i, views := range [][]projections.View{earlier, later} {
		r := b.runner()
		r.Views, r.TTL, r.Logger = views, 300*time.Millisecond, slog.New(slog.NewTextHandler(&log, nil))
		r.Tracker = &projections.Tracker{Pool: b.pool, Log: b.store.Log()}
		r.More = func(context.Context) ([]projections.View, error) { looks[i].Add(1); return nil, nil }
		b.start(r)
	}
	for looks[0].Load() < 30 || looks[1].Load() < 30 {
		b.wait(b.add("sum-1", 1), names...)
	}
	if lost := strings.Count(log.String(), "leases not renewed"); lost > 2 { // a slow machine
		t.Errorf("leases were not renewed %d times", lost)
	}
}
