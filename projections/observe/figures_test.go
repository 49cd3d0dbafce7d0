package observe_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"aftercare/projections"
	"aftercare/projections/observe"
)

// gathered are the series of a view, or without labels, by name: the value, of histograms how many were observed.
func gathered(tb testing.TB, all ...prometheus.Collector) map[string]float64 {
	tb.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(all...)
	families, err := registry.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	found := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			found[f.GetName()] = value(m)
			if h := m.GetHistogram(); h != nil {
				found[f.GetName()+"_sum"] = h.GetSampleSum()
			}
		}
	}
	return found
}

func value(m *dto.Metric) float64 {
	switch {
	case m.GetGauge() != nil:
		return m.GetGauge().GetValue()
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	}
	return float64(m.GetHistogram().GetSampleCount())
}

func want(tb testing.TB, got, want map[string]float64) {
	tb.Helper()
	for name, v := range want {
		if g, ok := got[name]; !ok || g != v {
			tb.Errorf("%s is %v (there: %t), want %v", name, g, ok, v)
		}
	}
}

func TestFiguresTellWhatBatchesHoldAndHowFarTheViewIs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	figures, state := observe.NewFigures(), &observe.State{Tracker: b.tracker}
	b.add("sum-1", 1, 2, 3)
	at := b.add("sum-2", 13, 4) // 4 is parked behind 13
	stop := b.run(figures)
	b.wait(at)
	got := gathered(t, figures, state)
	want(t, got, map[string]float64{
		"aftercare_database_up": 1, "aftercare_log_up": 1, "aftercare_log_head_position": float64(at.Commit),
		"aftercare_view_lag_events": 0, "aftercare_view_lag_seconds": 0, "aftercare_view_lag_position": 0,
		"aftercare_view_position": float64(at.Commit), "aftercare_view_folded_events": 3, "aftercare_view_parked_events": 2,
		"aftercare_view_kept": 1, "aftercare_view_failing": 0,
		"aftercare_view_events_total": 5, "aftercare_view_parked_total": 2, "aftercare_view_batch_events_sum": 5,
	})
	if got["aftercare_view_failures_total"] < 1 {
		t.Error("the refused attempts are not counted")
	}
	if n := got["aftercare_view_commit_duration_seconds"]; n < 1 || n != got["aftercare_view_batch_events"] || n != got["aftercare_view_fold_duration_seconds"] {
		t.Errorf("%v commits were timed", n)
	}
	stop()
	behind := b.add("sum-3", 5, 6)
	got = gathered(t, figures, state)
	want(t, got, map[string]float64{
		"aftercare_view_lag_events": 2, "aftercare_view_lag_position": float64(behind.Commit - at.Commit), "aftercare_view_kept": 0,
	})
	if got["aftercare_view_lag_seconds"] <= 0 {
		t.Error("events that wait have no age")
	}
}

func TestAScrapeOutlivesTheStores(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stop := b.run()
	at := b.add("sum-1", 1)
	b.wait(at)
	stop()
	state := &observe.State{Tracker: b.tracker, Timeout: time.Second}

	b.store.Stop()
	began := now()
	got := gathered(t, state)
	if took := now().Sub(began); took > 10*time.Second {
		t.Errorf("a scrape without the store took %s", took)
	}
	want(t, got, map[string]float64{
		"aftercare_database_up": 1, "aftercare_log_up": 0, "aftercare_view_position": float64(at.Commit), "aftercare_view_parked_events": 0,
	})
	for _, name := range []string{"aftercare_view_lag_events", "aftercare_view_lag_seconds", "aftercare_log_head_position"} {
		if v, ok := got[name]; ok {
			t.Errorf("without the store %s is said to be %v", name, v)
		}
	}

	b.pool.Close()
	got = gathered(t, state)
	want(t, got, map[string]float64{"aftercare_database_up": 0})
	if len(got) != 1 {
		t.Errorf("without the database there are %v", got)
	}
}

func TestARebuildUnderWayIsAFigure(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := projections.Ensure(t.Context(), b.pool, lines()); err != nil {
		t.Fatal(err)
	}
	b.add("sum-1", 1, 2)
	var got map[string]float64
	rebuilder := projections.Rebuilder{Pool: b.pool, Log: b.store.Log(), Codec: events, Observe: func(p projections.RebuildProgress) {
		if p.Phase == projections.Indexing {
			got = gathered(t, &observe.State{Tracker: b.tracker})
		}
	}}
	if _, err := rebuilder.Rebuild(t.Context(), lines()); err != nil {
		t.Fatal(err)
	}
	want(t, got, map[string]float64{"aftercare_rebuild_portions": 1, "aftercare_rebuild_portions_done": 1})
	if got["aftercare_rebuild_started_timestamp_seconds"] == 0 {
		t.Error("it is not said when the rebuild was begun")
	}
	if v, ok := gathered(t, &observe.State{Tracker: b.tracker})["aftercare_rebuild_portions"]; ok {
		t.Errorf("after the rebuild there are %v portions", v)
	}
}
