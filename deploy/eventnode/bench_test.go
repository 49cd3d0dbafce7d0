package eventnode_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/deploy/eventnode"
)

// BenchmarkAppend measures acknowledged, synced appends of one 300-byte event by 64 writers.
func BenchmarkAppend(b *testing.B) {
	const writers = 64
	c := connect(b, start(b, eventnode.Options{Dir: b.TempDir()}))
	data := strings.Repeat("x", 300)
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			stream := fmt.Sprintf("bench-%d", w)
			for left.Add(-1) >= 0 {
				if _, err := c.AppendToStream(context.Background(), stream, esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, event(data)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkReadAll measures a read of $all through the official client.
func BenchmarkReadAll(b *testing.B) {
	const total = 50_000
	c := connect(b, start(b, eventnode.Options{Dir: b.TempDir()}))
	data := strings.Repeat("x", 300)
	batch := make([]esdb.EventData, 500)
	for i := range total / len(batch) {
		for j := range batch {
			batch[j] = event(data)
		}
		put(b, c, fmt.Sprintf("bench-%d", i), esdb.NoStream{}, batch...)
	}
	read := 0
	for b.Loop() {
		s, err := c.ReadAll(b.Context(), esdb.ReadAllOptions{From: esdb.Start{}, Direction: esdb.Forwards}, 1<<40)
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := s.Recv(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
			read++
		}
		s.Close()
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "events/s")
}
