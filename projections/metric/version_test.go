package metric_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"aftercare/domain/catalog"
	"aftercare/projections"
	"aftercare/projections/metric"
	"aftercare/projections/page"
)

// two returns two versions of a metric with different columns.
func two(tb testing.TB) (first, second metric.Definition) {
	tb.Helper()
	first, err := metric.New(manifest, create, apply)
	if err != nil {
		tb.Fatal(err)
	}
	more := strings.Replace(manifest, "version: 1", "version: 2", 1) + "  - {name: twice, type: int, description: {en: Two times as many}}\n"
	second, err = metric.New(more,
		"create table counted (type text primary key, events bigint not null);"+
			"create view tally as select type, events, 2 * events as twice from counted",
		strings.ReplaceAll(apply, "into tally as", "into counted as"))
	if err != nil {
		tb.Fatal(err)
	}
	return first, second
}

func TestReadersSeeOneVersionOrTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.record(0, 5)
	first, second := two(t)
	if err := w.store.Install(t.Context(), first, w.rebuild); err != nil {
		t.Fatal(err)
	}
	stop := w.keep()
	var (
		readers errgroup.Group
		done    atomic.Bool
	)
	reads := 0
	readers.Go(func() error {
		for !done.Load() {
			m, err := w.store.Load(t.Context(), "tally")
			if err != nil {
				return err
			}
			rows, _, err := w.store.Read(t.Context(), m, metric.Query{Page: page.Page{First: 100}})
			if err != nil {
				return err
			}
			if len(rows) < 5 || len(rows[0].Cells) != m.Version+1 {
				t.Errorf("version %d: got %v", m.Version, rows)
			}
			reads++
		}
		return nil
	})
	for i := range 6 {
		d := second
		if i%2 == 1 {
			d = first
		}
		if err := w.store.Install(t.Context(), d, w.rebuild); err != nil {
			t.Error(err)
		}
	}
	done.Store(true)
	if err := readers.Wait(); err != nil {
		t.Errorf("after %d reads: %v", reads, err)
	}
	if reads == 0 {
		t.Error("nothing was read")
	}
	w.wait(w.record(5, 6), "metric_tally") // the runner goes on with the newest
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestThePreviousVersionCanBeSwitchedBackTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.record(0, 5)
	first, second := two(t)
	if _, err := w.store.Version(t.Context(), "tally", projections.Previous); !errors.Is(err, projections.ErrNoVersion) {
		t.Errorf("got %v, want %v", err, projections.ErrNoVersion)
	}
	for _, d := range []metric.Definition{first, second} {
		if err := w.store.Install(t.Context(), d, w.rebuild); err != nil {
			t.Fatal(err)
		}
	}
	w.record(5, 7)
	v, err := w.store.Version(t.Context(), "tally", projections.Previous)
	if err != nil {
		t.Fatal(err)
	}
	r := projections.Rebuilder{Pool: w.pool, Log: w.log.Log(), Codec: catalog.Codec()}
	if err := r.Switch(t.Context(), v, projections.Previous); err != nil {
		t.Fatal(err)
	}
	m, err := w.store.Load(t.Context(), "tally")
	if err != nil || m.Version != 1 {
		t.Errorf("got version %d %v, want the first", m.Version, err)
	}
	back := w.rows("select * from view_metric_tally.tally")
	if err := w.rebuild(t.Context(), first.View()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.rows("select * from view_metric_tally.tally"), back); diff != "" {
		t.Errorf("the previous version was not caught up (-rebuilt +switched):\n%s", diff)
	}
}
