package eventnode

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// scrapeTime is how long the groups may take to say what they are doing, all together.
const scrapeTime = 2 * time.Second

// groupMetrics asks the persistent subscription groups what they are doing when Prometheus wants to know. It implements
// prometheus.Collector.
type groupMetrics struct {
	groups                                                          *groups
	consumers, unreadEvents, unreadBytes, waiting, inFlight, parked *prometheus.Desc
}

func newGroupMetrics(g *groups) *groupMetrics {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("eventnode_group_"+name, help, []string{"stream", "group"}, nil)
	}
	return &groupMetrics{
		groups:       g,
		consumers:    desc("consumers", "Consumers of a persistent subscription group."),
		unreadEvents: desc("unread_events", "Events that the group of a stream has not read yet. A group without consumers reads nothing."),
		unreadBytes:  desc("unread_bytes", "Bytes of the log that a group on $all has not read yet."),
		waiting:      desc("waiting_events", "Events that were read and wait for a consumer, retries included."),
		inFlight:     desc("in_flight_events", "Events that consumers have and did not answer yet."),
		parked:       desc("parked_events", "Events that are parked."),
	}
}

// Describe implements prometheus.Collector.
func (m *groupMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.consumers, m.unreadEvents, m.unreadBytes, m.waiting, m.inFlight, m.parked} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. Groups that cannot say are left out.
func (m *groupMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	store := m.groups.node.store
	for _, a := range m.groups.all() {
		st, err := a.runner.Info(ctx)
		if err != nil {
			continue
		}
		gauge := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, a.entry.Stream, a.entry.Group)
		}
		gauge(m.consumers, float64(len(st.Members)))
		gauge(m.waiting, float64(st.Fresh+st.Retries))
		gauge(m.inFlight, float64(st.InFlight))
		if first, end, err := parkedRange(store, a.entry.key()); err == nil {
			gauge(m.parked, float64(end-min(max(first, st.Replayed), end)))
		}
		if a.entry.Stream == streamAll {
			gauge(m.unreadBytes, float64(max(position(store.Last())-max(st.Through, 0), 0)))
		} else if info, err := store.Stream(a.entry.Stream); err == nil {
			gauge(m.unreadEvents, float64(max(info.Last-max(st.Through, info.First-1), 0)))
		}
	}
}
