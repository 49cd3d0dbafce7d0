package eventnode

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"aftercare/deploy/eventnode/storage"
)

// metrics is what the node tells Prometheus.
type metrics struct {
	registry      *prometheus.Registry
	appends       *prometheus.CounterVec
	appendSeconds prometheus.Histogram
	reads         *prometheus.CounterVec
	delivered     prometheus.Counter
	subscriptions *prometheus.GaugeVec
	writer        writerMetrics
}

// The labels of metrics.
const (
	labelOutcome = "outcome"
	labelOf      = "of"
	ofStream     = "stream"
	ofAll        = "all"
)

// verdictNames are the values of labelOutcome.
var verdictNames = map[storage.Verdict]string{
	0:               "error",
	storage.Written: "written", storage.Repeated: "repeated", storage.WrongRevision: "wrong_revision", storage.Deleted: "stream_deleted",
}

// newMetrics registers everything but what depends on the store.
func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		appends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "eventnode_appends_total", Help: "Appends by outcome; of those with an error the outcome may be unknown.",
		}, []string{labelOutcome}),
		appendSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "eventnode_append_duration_seconds", Help: "Time from a complete append to its outcome.",
			Buckets: prometheus.ExponentialBuckets(0.000_1, 2, 18),
		}),
		reads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "eventnode_reads_total", Help: "Reads that began, subscriptions not included.",
		}, []string{labelOf}),
		delivered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "eventnode_delivered_events_total", Help: "Events sent to readers and to catch-up subscriptions.",
		}),
		subscriptions: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "eventnode_subscriptions", Help: "Catch-up subscriptions that are open.",
		}, []string{labelOf}),
		writer: newWriterMetrics(),
	}
	m.registry.MustRegister(m.appends, m.appendSeconds, m.reads, m.delivered, m.subscriptions,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.writer.register(m.registry)
	for _, outcome := range verdictNames {
		m.appends.WithLabelValues(outcome)
	}
	for _, of := range []string{ofStream, ofAll} {
		m.reads.WithLabelValues(of)
		m.subscriptions.WithLabelValues(of)
	}
	return m
}

// watch registers what is asked of the store itself.
func (m *metrics) watch(s *storage.Store) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "eventnode_log_end_bytes", Help: "Position at which the log ends.",
		}, func() float64 { return float64(s.End()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "eventnode_index_waiting_entries", Help: "Index entries in memory that are not on disk yet.",
		}, func() float64 { return float64(s.Waiting()) }),
	)
}

// appended counts an append that took so long.
func (m *metrics) appended(res storage.Result, err error, took time.Duration) {
	verdict := res.Verdict
	if err != nil {
		verdict = 0
	}
	m.appends.WithLabelValues(verdictNames[verdict]).Inc()
	m.appendSeconds.Observe(took.Seconds())
}

// reading counts a read or a subscription and returns what to call at its end.
func (m *metrics) reading(all, subscription bool) func() {
	of := ofStream
	if all {
		of = ofAll
	}
	if !subscription {
		m.reads.WithLabelValues(of).Inc()
		return func() {}
	}
	open := m.subscriptions.WithLabelValues(of)
	open.Inc()
	return open.Dec
}

// writerMetrics is what the writer tells. It implements storage.Observer.
type writerMetrics struct {
	now         func() time.Time
	requests    prometheus.Histogram
	seconds     prometheus.Histogram
	events      prometheus.Counter
	bytes       prometheus.Counter
	failures    prometheus.Counter
	lastFailure *atomic.Int64 // in nanoseconds since 1970; 0 is never
	failing     *atomic.Pointer[writeFailure]
}

// writeFailure is why the last group could not be written.
type writeFailure struct {
	err error
	at  time.Time
}

func newWriterMetrics() writerMetrics {
	return writerMetrics{
		requests: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "eventnode_group_requests", Help: "Changes that were written with one sync.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "eventnode_sync_duration_seconds", Help: "Time to write a group of changes to the log and sync it.",
			Buckets: prometheus.ExponentialBuckets(0.000_05, 2, 18),
		}),
		events: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "eventnode_written_events_total", Help: "Events written to the log.",
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "eventnode_written_bytes_total", Help: "Bytes written to the log.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "eventnode_write_failures_total", Help: "Groups of changes that could not be written to the log.",
		}),
		lastFailure: &atomic.Int64{},
		failing:     &atomic.Pointer[writeFailure]{},
	}
}

func (m writerMetrics) register(r *prometheus.Registry) {
	r.MustRegister(m.requests, m.seconds, m.events, m.bytes, m.failures, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "eventnode_last_write_failure_timestamp_seconds", Help: "When a write to the log last failed; 0 is never.",
	}, func() float64 { return float64(m.lastFailure.Load()) / float64(time.Second) }))
}

// Stored implements storage.Observer.
func (m writerMetrics) Stored(g storage.Group, took time.Duration) {
	m.requests.Observe(float64(g.Requests))
	m.seconds.Observe(took.Seconds())
	m.events.Add(float64(g.Events))
	m.bytes.Add(float64(g.Bytes))
	if m.failing.Load() != nil {
		m.failing.Store(nil)
	}
}

// NotStored implements storage.Observer.
func (m writerMetrics) NotStored(err error) {
	at := m.now()
	m.failures.Inc()
	m.lastFailure.Store(at.UnixNano())
	m.failing.Store(&writeFailure{err, at})
}
