package eventnode_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/deploy/eventnode"
)

// BenchmarkAppendsBesideIdleGroups measures what groups with waiting consumers cost those who append to other streams.
func BenchmarkAppendsBesideIdleGroups(b *testing.B) {
	for _, groups := range []int{0, 10, 1000} {
		b.Run(strconv.Itoa(groups), func(b *testing.B) {
			c := connect(b, start(b, eventnode.Options{Dir: b.TempDir(), NoSync: true}))
			for i := range groups {
				name := fmt.Sprintf("idle-%d", i)
				put(b, c, name, esdb.Any{}, event("0"))
				group(b, c, name, "g", esdb.Start{}, nil)
				g := consume(b, c, name, "g", 5)
				g.ack(g.next().Event)
			}
			for b.Loop() {
				put(b, c, "busy", esdb.Any{}, event("0"))
			}
		})
	}
}

// BenchmarkGroup measures how fast one consumer of a group is served.
func BenchmarkGroup(b *testing.B) {
	c := connect(b, start(b, eventnode.Options{Dir: b.TempDir(), NoSync: true}))
	const batch = 500
	data := make([]esdb.EventData, batch)
	group(b, c, "s", "g", esdb.Start{}, func(s *esdb.PersistentSubscriptionSettings) { s.ReadBatchSize = 100 })
	g := consume(b, c, "s", "g", batch)
	for b.Loop() {
		for i := range data {
			data[i] = event(string(make([]byte, 300)))
		}
		put(b, c, "s", esdb.Any{}, data...)
		for range batch {
			g.ack(g.next().Event)
		}
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "events/s")
}
