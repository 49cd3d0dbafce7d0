package persistent

import (
	"slices"
	"time"
)

// samples is how many of the last times a consumer took are kept.
const samples = 1000

// member is a consumer as its group sees it.
type member struct {
	id       ConsumerID
	slots    int
	inFlight int
	sent     int64
	times    []time.Duration // a ring of the last times taken; nil unless they are measured
	oldest   int             // of them
	measured bool
}

func newMember(id ConsumerID, slots int, measured bool) *member {
	return &member{id: id, slots: slots, measured: measured}
}

func (m *member) room() int { return m.slots - m.inFlight }

// measure notes how long the consumer took for an event.
func (m *member) measure(d time.Duration) {
	if !m.measured {
		return
	}
	if len(m.times) < samples {
		m.times = append(m.times, d)
		return
	}
	m.times[m.oldest] = d
	m.oldest = (m.oldest + 1) % samples
}

// Measurement is a figure about the times that a consumer took, in milliseconds.
type Measurement struct {
	Name  string
	Value int64
}

// measurements are the figures of EventStoreDB.
func (m *member) measurements() []Measurement {
	if len(m.times) == 0 {
		return nil
	}
	sorted := slices.Clone(m.times)
	slices.Sort(sorted)
	n, sum := len(sorted), time.Duration(0)
	for _, d := range sorted {
		sum += d
	}
	at := func(share float64) time.Duration { return sorted[min(int(share*float64(n)), n-1)] }
	out := []Measurement{}
	add := func(name string, d time.Duration) { out = append(out, Measurement{name, d.Milliseconds()}) }
	add("Mean", sum/time.Duration(n))
	add("Median", sorted[n/2])
	add("Fastest", sorted[0])
	for i, name := range []string{"Quintile 1", "Quintile 2", "Quintile 3", "Quintile 4", "Quintile 5"} {
		add(name, at(float64(i)/5))
	}
	add("90%", at(0.90))
	add("95%", at(0.95))
	add("99%", at(0.99))
	add("99.5%", at(0.995))
	add("99.9%", at(0.999))
	add("Highest", sorted[n-1])
	return out
}

// Stats is what a group is doing.
type Stats struct {
	Total    int64 // deliveries since the group was started
	Fresh    int   // events that wait and were never delivered
	Retries  int   // events that wait to be delivered again
	InFlight int   // events with consumers
	Parking  int   // events on their way to the parked stream
	Through  int64 // last position read
	Saved    int64 // last checkpoint, None when there is none
	Replayed int64 // parked events in front of this revision were taken up again
	Members  []MemberStats
}

// MemberStats is what one consumer is doing.
type MemberStats struct {
	ID           ConsumerID
	Sent         int64
	InFlight     int
	Room         int
	Measurements []Measurement // nil unless they are taken
}

// Stats returns what the group is doing, its consumers in the order they joined.
func (g *Group) Stats() Stats {
	s := Stats{
		Total: g.total, Fresh: len(g.fresh), Retries: len(g.retries), InFlight: len(g.flight),
		Parking: len(g.parking), Through: g.through, Saved: g.saved, Replayed: g.replay.next,
	}
	for _, m := range g.members {
		s.Members = append(s.Members, MemberStats{m.id, m.sent, m.inFlight, m.room(), m.measurements()})
	}
	slices.SortFunc(s.Members, func(a, b MemberStats) int { return int(a.ID) - int(b.ID) }) //nolint:gosec // small numbers
	return s
}
