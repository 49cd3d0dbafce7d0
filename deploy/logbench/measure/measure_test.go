package measure_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/deploy/logbench/measure"
)

func TestASpreadIsOfTheRounds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		values []float64
		want   measure.Spread
	}{
		"none": {nil, measure.Spread{}},
		"one":  {[]float64{2}, measure.Spread{Median: 2, Min: 2, Max: 2}},
		"odd":  {[]float64{9, 1, 4}, measure.Spread{Median: 4, Min: 1, Max: 9}},
		"even": {[]float64{9, 1, 4, 6}, measure.Spread{Median: 5, Min: 1, Max: 9}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, measure.SpreadOf(test.values)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRatiosAreTakenWithinARound(t *testing.T) {
	t.Parallel()
	got := measure.Ratios([]float64{10, 20, 30, 40}, []float64{5, 0, 60})
	if diff := cmp.Diff([]float64{2, 0.5}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPercentilesAreOfWhatWasSeen(t *testing.T) {
	t.Parallel()
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	tests := map[string]struct {
		sorted []time.Duration
		p      float64
		want   time.Duration
	}{
		"none":             {nil, 0.5, 0},
		"one":              {hundred[:1], 0.99, 1},
		"the middle":       {hundred, 0.5, 50},
		"the ninety-ninth": {hundred, 0.99, 99},
		"the last":         {hundred, 1, 100},
		"the first":        {hundred, 0, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := measure.Percentile(test.sorted, test.p); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestCallsOfTheWarmupAreNotMeasured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()                                                                                //nolint:forbidigo // the bubble's
		drive := measure.Drive{Writers: 3, Warmup: time.Second, Duration: 10 * time.Second, Now: time.Now} //nolint:forbidigo // the bubble's
		instants := 0
		got, err := drive.Run(t.Context(), func(context.Context, int) error {
			if time.Since(start) < time.Second { //nolint:forbidigo // the bubble's
				time.Sleep(50 * time.Millisecond)
			} else {
				time.Sleep(100 * time.Millisecond)
			}
			return nil
		}, func() { instants++ })
		if err != nil {
			t.Fatal(err)
		}
		want := measure.Result{
			PerSecond: 30, P50: 100 * time.Millisecond, P99: 100 * time.Millisecond,
			Began: start.Add(time.Second), Ended: start.Add(11 * time.Second),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if instants != 2 {
			t.Errorf("told %d instants, want 2", instants)
		}
	})
}

func TestAFailureEndsTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("refused")
		drive := measure.Drive{Writers: 2, Duration: time.Hour, Now: time.Now} //nolint:forbidigo // the bubble's
		_, err := drive.Run(t.Context(), func(ctx context.Context, writer int) error {
			if writer == 0 {
				return refused
			}
			<-ctx.Done()
			return ctx.Err()
		}, func() {})
		if !errors.Is(err, refused) {
			t.Errorf("got %v, want %v", err, refused)
		}
	})
}

func TestTimesCallsForEveryNumberOnce(t *testing.T) {
	t.Parallel()
	var calls [100]atomic.Int32
	err := measure.Drive{Writers: 7}.Times(t.Context(), len(calls), func(_ context.Context, _, n int) error {
		calls[n].Add(1)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range calls {
		if got := calls[n].Load(); got != 1 {
			t.Errorf("%d calls for %d, want 1", got, n)
		}
	}
}
