package stat

import "math"

// Mean is an average with its 95 % interval. Without two values there is no interval, without one no value.
type Mean struct {
	N     int64
	Value *float64
	// Deviation is the sample's standard deviation.
	Deviation *float64
	Low       *float64
	High      *float64
	// Method names how the interval was computed.
	Method string
}

// MeanOf returns the mean of n values from their sum and the sum of their squares, with Student's interval.
func MeanOf(n int64, sum, squares float64) Mean {
	m := Mean{N: n, Method: MethodT}
	if n <= 0 {
		return m
	}
	size := float64(n)
	value := sum / size
	m.Value = &value
	if n < 2 {
		return m
	}
	deviation := math.Sqrt(max(0, (squares-sum*sum/size)/(size-1)))
	half := Student(n-1) * deviation / math.Sqrt(size)
	low, high := value-half, value+half
	m.Deviation, m.Low, m.High = &deviation, &low, &high
	return m
}

// Sufficient reports whether there are at least MinSample values.
func (m Mean) Sufficient() bool { return m.N >= MinSample }

// Student returns the 97.5 % quantile of Student's distribution: exact for one and two degrees of freedom, else by the
// expansion of Hill (1970), whose error is below 1e-5.
func Student(degrees int64) float64 {
	const p = 0.05
	n := float64(degrees)
	switch {
	case degrees < 1:
		return math.Inf(1)
	case degrees == 1:
		return math.Tan(math.Pi / 2 * (1 - p))
	case degrees == 2:
		return math.Sqrt(2/(p*(2-p)) - 2)
	}
	a := 1 / (n - 0.5)
	b := 48 / (a * a)
	c := ((20700*a/b-98)*a-16)*a + 96.36
	d := ((94.5/(b+c)-3)/b + 1) * math.Sqrt(a*math.Pi/2) * n
	y := math.Pow(d*p, 2/n)
	if y > 0.05+a {
		x := -z95
		y = x * x
		if degrees < 5 {
			c += 0.3 * (n - 4.5) * (x + 0.6)
		}
		c = (((0.05*d*x-5)*x-7)*x-2)*x + b + c
		y = (((((0.4*y+6.3)*y+36)*y+94.5)/c-y-3)/b + 1) * x
		y = math.Expm1(a * y * y)
	} else {
		y = ((1/(((n+6)/(n*y)-0.089*d-0.822)*(n+2)*3)+0.5/(n+4))*y-1)*(n+1)/(n+2) + 1/y
	}
	return math.Sqrt(n * y)
}

// Goal says whether an interval lies on one side of a goal.
type Goal uint8

// The answers to a goal.
const (
	// Undecided means that the goal lies inside the interval, or that there is none.
	Undecided Goal = iota + 1
	// Reached means that the whole interval is at or above the goal.
	Reached
	// Missed means that the whole interval is below the goal.
	Missed
)

var goalNames = [...]string{Undecided: "undecided", Reached: "reached", Missed: "missed"}

// String returns the stable name, or "" for the zero Goal.
func (g Goal) String() string {
	if int(g) < len(goalNames) {
		return goalNames[g]
	}
	return ""
}

// Judge compares an interval with a goal.
func Judge(low, high *float64, goal float64) Goal {
	switch {
	case low == nil || high == nil:
		return Undecided
	case *low >= goal:
		return Reached
	case *high < goal:
		return Missed
	}
	return Undecided
}
