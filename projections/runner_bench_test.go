package projections_test

import (
	"context"
	"fmt"
	"testing"

	"aftercare/domain"
	"aftercare/projections"
	"aftercare/projections/feed/feedtest"
	"aftercare/projections/postgres/pgtest"
)

// BenchmarkCatchUp measures a live runner that starts at the beginning of a log of 60,000 events.
func BenchmarkCatchUp(b *testing.B) {
	store, pool := feedtest.Durable(b), pgtest.Pool(b)
	var (
		head  domain.Position
		count int
	)
	for i := range 10_000 {
		batch := caseEvents(i)
		head = store.Record(ticketCodec, fmt.Sprintf("ticket-%d", i), batch...)
		count += len(batch)
	}
	for b.Loop() {
		b.StopTimer()
		if _, err := pool.Exec(b.Context(), "drop schema if exists view_cases cascade"); err != nil {
			b.Fatal(err)
		}
		if err := projections.Ensure(b.Context(), pool, cases()); err != nil {
			b.Fatal(err)
		}
		tracker := &projections.Tracker{Pool: pool, Log: store.Log()}
		b.StartTimer()
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error, 1)
		go func() {
			r := projections.Runner{Pool: pool, Log: store.Log(), Codec: ticketCodec, Views: []projections.View{cases()}, Tracker: tracker}
			done <- r.Run(ctx)
		}()
		if _, err := tracker.Wait(ctx, head, "cases"); err != nil {
			b.Fatal(err)
		}
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(count)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
