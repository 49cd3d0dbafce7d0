package eventstore_test

import (
	"context"
	"encoding/binary"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"aftercare/commands"
	"aftercare/commands/eventstore"
	"aftercare/commands/logtest"
	"aftercare/deploy/eventnode"
	"aftercare/domain"
	"aftercare/domain/codec"
)

// durable returns the log of a node that syncs what it acknowledges.
func durable(b *testing.B, c *codec.Codec) *eventstore.Log {
	b.Helper()
	running, err := eventnode.Open(eventnode.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- running.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	log, err := eventstore.Open(running.URL(), c, logtest.Sealer{}, eventstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := log.Close(); err != nil {
			b.Error(err)
		}
	})
	return log
}

// BenchmarkHandleAll imports cases of 6 facts as fast as an importer with 16 workers would, with the node's fsync.
func BenchmarkHandleAll(b *testing.B) {
	log := durable(b, logtest.Codec())
	type state struct{}
	h := commands.Handler[state, logtest.Counted, logtest.Counted]{
		Log: log, HashKey: make([]byte, 32),
		Decider: domain.Decider[state, logtest.Counted, logtest.Counted]{
			Category: "case",
			Decide:   func(_ state, c logtest.Counted) ([]logtest.Counted, error) { return []logtest.Counted{c}, nil },
			Evolve:   func(s state, _ logtest.Counted) state { return s },
		},
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var last atomic.Uint64
	b.SetParallelism(8) // of 2 cores
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := last.Add(1)
			var id domain.UUID
			binary.BigEndian.PutUint64(id[:], n)
			facts := make([]logtest.Counted, 6)
			for i := range facts {
				facts[i] = logtest.Counted{At: at, N: i}
			}
			if _, err := h.HandleAll(b.Context(), strconv.FormatUint(n, 10), facts, domain.Metadata{CommandID: id}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(6*float64(b.N)/b.Elapsed().Seconds(), "facts/s")
}
