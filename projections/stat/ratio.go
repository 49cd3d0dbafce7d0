package stat

import "math"

// MinSample is the sample size below which a figure is marked as insufficient.
const MinSample = 30

// z95 is the 97.5 % quantile of the normal distribution.
const z95 = 1.959963984540054

// Names of the methods an interval was computed with.
const (
	MethodWilson = "wilson"
	MethodT      = "t"
)

// Ratio is a share of a count, with its 95 % interval. Value, Low and High lie between 0 and 1; all three are NaN-free:
// without a denominator they are nil.
type Ratio struct {
	Numerator   int64
	Denominator int64
	Value       *float64
	Low         *float64
	High        *float64
	// Method names how the interval was computed.
	Method string
}

// Wilson returns the share of n in d with the score interval of Wilson.
func Wilson(n, d int64) Ratio {
	r := Ratio{Numerator: n, Denominator: d, Method: MethodWilson}
	if d <= 0 {
		return r
	}
	size := float64(d)
	p := float64(n) / size
	scale := 1 + z95*z95/size
	center := (p + z95*z95/(2*size)) / scale
	half := z95 / scale * math.Sqrt(p*(1-p)/size+z95*z95/(4*size*size))
	low, high := max(0, center-half), min(1, center+half)
	switch n { // all and none reach the end, which rounding may miss
	case 0:
		low = 0
	case d:
		high = 1
	}
	r.Value, r.Low, r.High = &p, &low, &high
	return r
}

// Sufficient reports whether the denominator reaches MinSample.
func (r Ratio) Sufficient() bool { return r.Denominator >= MinSample }
