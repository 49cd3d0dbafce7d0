package stat_test

import (
	"math"
	"testing"

	"aftercare/projections/stat"
)

func near(t *testing.T, what string, got *float64, want, within float64) {
	t.Helper()
	if got == nil || math.Abs(*got-want) > within {
		t.Errorf("%s = %v, want %v", what, got, want)
		if got != nil {
			t.Logf("%s is %v", what, *got)
		}
	}
}

func TestWilsonReachesTheEnds(t *testing.T) {
	t.Parallel()
	for d := int64(1); d <= 1000; d++ {
		if high := *stat.Wilson(d, d).High; high != 1 {
			t.Errorf("%d of %d: high = %v, want 1", d, d, high)
		}
		if low := *stat.Wilson(0, d).Low; low != 0 {
			t.Errorf("0 of %d: low = %v, want 0", d, low)
		}
	}
}

func TestWilsonAgreesWithKnownIntervals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n, d      int64
		low, high float64
	}{
		{49, 50, 0.895, 0.996},      // metrics.md §2
		{970, 1000, 0.9575, 0.9789}, // Newcombe's form of the formula
		{0, 10, 0, 0.2775},
		{10, 10, 0.7225, 1},
		{81, 263, 0.2553, 0.3662}, // Newcombe (1998), table I
		{15, 148, 0.0624, 0.1605}, // the same
		{1, 29, 0.0061, 0.1718},   // the same
	} {
		r := stat.Wilson(c.n, c.d)
		near(t, "low", r.Low, c.low, 0.0005)
		near(t, "high", r.High, c.high, 0.0005)
		near(t, "value", r.Value, float64(c.n)/float64(c.d), 1e-12)
	}
}

func TestARatioOfNothingHasNoValue(t *testing.T) {
	t.Parallel()
	if r := stat.Wilson(0, 0); r.Value != nil || r.Low != nil || r.High != nil || r.Sufficient() {
		t.Errorf("Wilson(0, 0) = %+v, want no value", r)
	}
}

func TestStudentAgreesWithTables(t *testing.T) {
	t.Parallel()
	for degrees, want := range map[int64]float64{
		1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764, 5: 2.5706, 9: 2.2622, 29: 2.0452, 99: 1.9842, 1_000_000: 1.95997,
	} {
		if got := stat.Student(degrees); math.Abs(got-want) > 0.0001 {
			t.Errorf("Student(%d) = %v, want %v", degrees, got, want)
		}
	}
}

// The example of metrics.md §5: 60×5, 25×4, 10×3, 3×2, 2×1.
func TestTheMeanOfAHundredRatingsLeavesTheGoalUndecided(t *testing.T) {
	t.Parallel()
	m := stat.MeanOf(100, 438, 60*25+25*16+10*9+3*4+2)
	near(t, "mean", m.Value, 4.38, 1e-9)
	near(t, "low", m.Low, 4.20, 0.01)
	near(t, "high", m.High, 4.56, 0.01)
	for goal, want := range map[float64]stat.Goal{4.5: stat.Undecided, 4.6: stat.Missed, 4.1: stat.Reached} {
		if got := stat.Judge(m.Low, m.High, goal); got != want {
			t.Errorf("Judge(%v) = %v, want %v", goal, got, want)
		}
	}
}

func TestOneValueHasNoInterval(t *testing.T) {
	t.Parallel()
	m := stat.MeanOf(1, 4, 16)
	near(t, "mean", m.Value, 4, 0)
	if m.Low != nil || m.High != nil || m.Sufficient() {
		t.Errorf("MeanOf(1) = %+v, want no interval", m)
	}
	if got := stat.Judge(m.Low, m.High, 1); got != stat.Undecided {
		t.Errorf("Judge without an interval = %v, want undecided", got)
	}
}
