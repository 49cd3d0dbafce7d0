package observe

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"aftercare/projections"
)

const labelView = "view"

// Figures counts what runners do with views. It is a projections.Observer and a prometheus.Collector.
type Figures struct {
	events, parked, failures *prometheus.CounterVec
	batch                    *prometheus.HistogramVec
	fold, commit             *prometheus.HistogramVec
}

// NewFigures returns figures that begin at zero. Those of the named views are there before anything happens; of others, afterwards.
func NewFigures(views ...string) *Figures {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{labelView})
	}
	histogram := func(name, help string, buckets []float64) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, []string{labelView})
	}
	seconds := prometheus.ExponentialBuckets(0.000_25, 2, 17) // up to 16 s
	f := &Figures{
		events: counter("aftercare_view_events_total", "Events that this process has given to the view, parked ones included."),
		parked: counter("aftercare_view_parked_total", "Events that this process has parked."),
		failures: counter("aftercare_view_failures_total",
			"Batches that were rolled back, because of an event or because the database could not take them."),
		batch: histogram("aftercare_view_batch_events", "Events of the view in a committed batch.",
			prometheus.ExponentialBuckets(1, 2, 14)),
		fold:   histogram("aftercare_view_fold_duration_seconds", "Time from the begin of a batch's transaction until its rows are written.", seconds),
		commit: histogram("aftercare_view_commit_duration_seconds", "Time to commit a batch's transaction.", seconds),
	}
	for _, v := range views {
		f.touch(v)
	}
	return f
}

// touch makes the figures of a view, at zero.
func (f *Figures) touch(view string) {
	for _, c := range []*prometheus.CounterVec{f.events, f.parked, f.failures} {
		c.WithLabelValues(view)
	}
	for _, h := range []*prometheus.HistogramVec{f.batch, f.fold, f.commit} {
		h.WithLabelValues(view)
	}
}

// Committed implements projections.Observer.
func (f *Figures) Committed(_ context.Context, c projections.Commit) {
	f.events.WithLabelValues(c.View).Add(float64(c.Events))
	f.parked.WithLabelValues(c.View).Add(float64(c.Parked))
	if c.Events == 0 {
		return // only the checkpoint was moved
	}
	f.batch.WithLabelValues(c.View).Observe(float64(c.Events))
	if !c.Folded.IsZero() {
		f.fold.WithLabelValues(c.View).Observe(c.Folded.Sub(c.Began).Seconds())
		f.commit.WithLabelValues(c.View).Observe(c.Ended.Sub(c.Folded).Seconds())
	}
}

// Failed implements projections.Observer.
func (f *Figures) Failed(_ context.Context, view string, _ error) {
	f.failures.WithLabelValues(view).Inc()
}

// all are the figures.
func (f *Figures) all() []prometheus.Collector {
	return []prometheus.Collector{f.events, f.parked, f.failures, f.batch, f.fold, f.commit}
}

// Describe implements prometheus.Collector.
func (f *Figures) Describe(to chan<- *prometheus.Desc) {
	for _, c := range f.all() {
		c.Describe(to)
	}
}

// Collect implements prometheus.Collector.
func (f *Figures) Collect(to chan<- prometheus.Metric) {
	for _, c := range f.all() {
		c.Collect(to)
	}
}
