package observe

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aftercare/projections"
)

// State tells at every scrape how far the views are. It is a prometheus.Collector.
type State struct {
	// Tracker asks the stores.
	Tracker *projections.Tracker
	// Timeout bounds a scrape. Defaults to 3 s.
	Timeout time.Duration
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	databaseUp = describe("aftercare_database_up", "Whether the database answered: 1 or 0.")
	logUp      = describe("aftercare_log_up", "Whether the event store answered: 1 or 0.")
	logHead    = describe("aftercare_log_head_position", "Position of the last event in the store.")

	lagEvents  = describe("aftercare_view_lag_events", "Events that the view has not passed yet, counted up to 1000.", labelView)
	lagSeconds = describe("aftercare_view_lag_seconds", "Age of the oldest event that the view has not passed yet; 0 where it has passed all.", labelView)
	lagLength  = describe("aftercare_view_lag_position", "Length of the log between the view and the head.", labelView)
	position   = describe("aftercare_view_position", "Position up to which the view holds the log.", labelView)
	generation = describe("aftercare_view_generation", "How often the view's tables were replaced.", labelView)
	folded     = describe("aftercare_view_folded_events", "Events that the view's tables hold.", labelView)
	parked     = describe("aftercare_view_parked_events", "Events that are parked and wait for a replay.", labelView)
	failing    = describe("aftercare_view_failing", "Whether something keeps the view from going on: 1 or 0.", labelView)
	kept       = describe("aftercare_view_kept", "Whether a projector keeps the view: 1 or 0.", labelView)
	updated    = describe("aftercare_view_updated_timestamp_seconds", "When the view's checkpoint was last moved.", labelView)

	rebuildDone  = describe("aftercare_rebuild_portions_done", "Portions of the log that are in a version being made.", labelView, labelVersion)
	rebuildOf    = describe("aftercare_rebuild_portions", "Portions of the log that a version being made is to hold; 0 where it takes the log in order.", labelView, labelVersion)
	rebuildSince = describe("aftercare_rebuild_started_timestamp_seconds", "When a version being made was begun.", labelView, labelVersion)
)

const labelVersion = "version"

// Describe implements prometheus.Collector.
func (s *State) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		databaseUp, logUp, logHead, lagEvents, lagSeconds, lagLength, position, generation, folded, parked, failing, kept, updated,
		rebuildDone, rebuildOf, rebuildSince,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (s *State) Collect(to chan<- prometheus.Metric) {
	timeout := s.Timeout
	if timeout == 0 {
		timeout = 3 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	all, err := s.Tracker.Status(ctx)
	gauge(databaseUp, bit(err == nil))
	if err != nil {
		return // whether the store answers was not asked
	}
	gauge(logUp, bit(all.Store == nil))
	if all.Store == nil {
		gauge(logHead, float64(all.Head.Position.Commit))
	}
	for _, v := range all.Views {
		if all.Store == nil {
			gauge(lagEvents, float64(v.Lag.Events), v.View)
			gauge(lagSeconds, v.Lag.Age.Seconds(), v.View)
			gauge(lagLength, float64(v.Lag.Distance), v.View)
		}
		gauge(position, float64(v.Position.Commit), v.View)
		gauge(generation, float64(v.Generation), v.View)
		gauge(folded, float64(v.Events), v.View)
		gauge(parked, float64(v.Parked), v.View)
		gauge(failing, bit(v.Failing != nil), v.View)
		gauge(kept, bit(v.Holder != ""), v.View)
		gauge(updated, seconds(v.UpdatedAt), v.View)
	}
	versions, err := projections.Versions(ctx, s.Tracker.Pool)
	if err != nil {
		return // it answered a moment ago: the next scrape will tell
	}
	for _, v := range versions {
		if v.Filled || v.StartedAt == nil {
			continue
		}
		gauge(rebuildDone, float64(v.Done), v.View, v.Name)
		gauge(rebuildOf, float64(v.Portions), v.View, v.Name)
		gauge(rebuildSince, seconds(*v.StartedAt), v.View, v.Name)
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// seconds since 1970.
func seconds(t time.Time) float64 { return float64(t.UnixNano()) / float64(time.Second) }
