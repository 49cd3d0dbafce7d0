package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Drive says how something is driven.
type Drive struct {
	// Writers call at the same time, each with one call under way.
	Writers int
	// Warmup goes before the measured time, and is not part of it.
	Warmup time.Duration
	// Duration is the measured time.
	Duration time.Duration
	// Now is the clock.
	Now func() time.Time
}

// Result is what was measured.
type Result struct {
	// PerSecond counts the calls that ended within the measured time.
	PerSecond float64
	// P50 and P99 are over the calls that began and ended within it.
	P50, P99 time.Duration
	// Began and Ended enclose the measured time.
	Began, Ended time.Time
}

// Run lets every writer call op, again and again, until the time is over. Measuring is called when the measured time begins, and
// again when it ends. It returns the first errors of the writers.
func (d Drive) Run(ctx context.Context, op func(ctx context.Context, writer int) error, measuring func()) (Result, error) {
	type outcome struct {
		latencies []time.Duration
		calls     int
		err       error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start := d.Now()
	began := start.Add(d.Warmup)
	ended := began.Add(d.Duration)
	outcomes := make([]outcome, d.Writers)
	var writers sync.WaitGroup
	for w := range d.Writers {
		writers.Go(func() {
			o := &outcomes[w]
			for from := d.Now(); from.Before(ended); {
				if err := op(ctx, w); err != nil {
					o.err = fmt.Errorf("writer %d: %w", w, err)
					cancel()
					return
				}
				to := d.Now()
				if to.After(began) && !to.After(ended) {
					o.calls++
					if !from.Before(began) {
						o.latencies = append(o.latencies, to.Sub(from))
					}
				}
				from = to
			}
		})
	}
	Pause(ctx, d.Warmup)
	measuring()
	Pause(ctx, d.Duration)
	measuring()
	writers.Wait()

	var latencies []time.Duration
	var errs []error
	calls := 0
	for _, o := range outcomes {
		latencies = append(latencies, o.latencies...)
		calls += o.calls
		if o.err != nil && (len(errs) == 0 || !errors.Is(o.err, context.Canceled)) {
			errs = append(errs, o.err)
		}
	}
	if len(errs) > 3 {
		errs = errs[:3]
	}
	slices.Sort(latencies)
	return Result{
		PerSecond: float64(calls) / d.Duration.Seconds(),
		P50:       Percentile(latencies, 0.5), P99: Percentile(latencies, 0.99),
		Began: began, Ended: ended,
	}, errors.Join(errs...)
}

// Pause waits for d, or until ctx ends.
func Pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Times calls op that many times, n counting from 0, each writer one after the other, and returns the first error.
func (d Drive) Times(ctx context.Context, times int, op func(ctx context.Context, writer, n int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for w := range d.Writers {
		group.Go(func() error {
			for {
				n := int(next.Add(1)) - 1
				if n >= times {
					return nil
				}
				if err := op(ctx, w, n); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}
