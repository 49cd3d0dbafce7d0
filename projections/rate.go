package projections

import "time"

// rate counts events over the last seconds.
type rate struct {
	start         time.Time
	current, last int
}

const rateSpan = 5 * time.Second

func (r *rate) add(now time.Time, events int) {
	r.turn(now)
	r.current += events
}

func (r *rate) perSecond(now time.Time) float64 {
	r.turn(now)
	part := now.Sub(r.start)
	// The current span's events, and of the last one the share that is still within reach.
	return (float64(r.current) + float64(r.last)*(1-part.Seconds()/rateSpan.Seconds())) / rateSpan.Seconds()
}

func (r *rate) turn(now time.Time) {
	switch past := now.Sub(r.start); {
	case past >= 2*rateSpan:
		*r = rate{start: now}
	case past >= rateSpan:
		*r = rate{start: r.start.Add(rateSpan), last: r.current}
	}
}
