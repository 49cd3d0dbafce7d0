package calendar

import "time"

// Due returns the least instant at which budget of open time outside the union of pauses has elapsed since start, and
// the open stretches that were counted. A budget that ends exactly at closing time is due at closing time; none, or less,
// is due at start. It fails with ErrNeverOpen when the calendar does not open for long enough ever again, and with
// ErrTooFar when a thousand years, or a pause without an end, stand before the answer.
func (c *Calendar) Due(start time.Time, budget time.Duration, pauses []Span) (due time.Time, counted []Span, err error) {
	if budget <= 0 {
		return start.UTC(), nil, nil
	}
	from := instantOf(start)
	left := amount(budget)
	var end instant
	done := false
	for _, r := range running(from, instant{sec: from.sec + horizon}, pauses) {
		c.within(r, func(s stretch) bool {
			length := s.to.minus(s.from)
			if done = !length.before(left); done {
				s.to = s.from.plus(left)
				end = s.to
			}
			left = left.minus(length)
			counted = join(counted, s)
			return !done
		})
		if done {
			return end.time(), counted, nil
		}
	}
	if c.weekly {
		return time.Time{}, nil, ErrTooFar
	}
	return time.Time{}, nil, ErrNeverOpen
}

// join appends a stretch, to the last span when they touch.
func join(spans []Span, s stretch) []Span {
	if n := len(spans); n > 0 && instantOf(spans[n-1].End) == s.from {
		spans[n-1].End = s.to.time()
		return spans
	}
	return append(spans, s.span())
}
