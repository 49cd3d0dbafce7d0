package reaction_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aftercare/domain"
	"aftercare/domain/clock"
)

// BenchmarkStart measures how fast a timer takes in the clocks of the past, which it does at every start: 50,000 events each time.
func BenchmarkStart(b *testing.B) {
	const events, size = 50_000, 500
	start := now()
	var batches [][]domain.Recorded
	for i := 0; i < events; i += size {
		batch := make([]domain.Recorded, size)
		for j := range batch {
			n := i + j
			batch[j] = domain.Recorded{
				ID: domain.DeriveUUID(domain.UUID{}, strconv.Itoa(n)), Stream: fmt.Sprintf("ticket-%d", n/2), Event: clock.Started{
					At: start, Instance: 1, Promise: clock.Promise{Due: start.Add(time.Hour)},
				},
			}
			if n%2 == 1 {
				batch[j].Event = clock.Met{At: start, Instance: 1}
			}
		}
		batches = append(batches, batch)
	}
	for b.Loop() {
		s := newScene()
		timer := s.timer()
		done := make(chan struct{})
		timer.Follower, timer.Figures = fixed{batches, done}, prometheus.NewRegistry()
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- timer.Run(ctx) }()
		<-done
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
}

// fixed gives the same batches each time, and closes done once they were taken.
type fixed struct {
	batches [][]domain.Recorded
	done    chan struct{}
}

func (f fixed) Follow(ctx context.Context, _ domain.Position, _ []string, take func([]domain.Recorded, bool) error) error {
	for i, batch := range f.batches {
		if err := take(batch, i == len(f.batches)-1); err != nil {
			return err
		}
	}
	close(f.done)
	<-ctx.Done()
	return ctx.Err()
}
