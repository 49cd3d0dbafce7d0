package calendar

import (
	"iter"
	"time"
)

// Open returns the open stretches of [from, to), in order, joined where they touch and cut at the bounds.
func (c *Calendar) Open(from, to time.Time) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		var last stretch
		stopped := false
		c.within(stretch{instantOf(from), instantOf(to)}, func(s stretch) bool {
			if last.to == s.from && last.from.before(last.to) {
				last.to = s.to
				return true
			}
			if last.from.before(last.to) {
				stopped = !yield(last.span())
			}
			last = s
			return !stopped
		})
		if !stopped && last.from.before(last.to) {
			yield(last.span())
		}
	}
}

// IsOpen reports whether t lies in open time.
func (c *Calendar) IsOpen(t time.Time) bool {
	open := false
	c.pieces(t.Unix(), t.Unix()+1, func(int64, int64) bool {
		open = true
		return false
	})
	return open
}

// Elapsed returns the open time in [from, to) outside the union of pauses: 0 when to is not after from. A pause without
// an end is not over. Past 292 years it stays at the longest Duration.
func (c *Calendar) Elapsed(from, to time.Time, pauses []Span) time.Duration {
	var sum instant
	for _, r := range running(instantOf(from), instantOf(to), pauses) {
		c.within(r, func(s stretch) bool {
			sum = sum.plus(s.to.minus(s.from))
			return true
		})
	}
	return sum.duration()
}

// NextOpen returns the first open instant that is not before t: t itself when it is open. It fails with ErrNeverOpen.
func (c *Calendar) NextOpen(t time.Time) (time.Time, error) {
	from := instantOf(t)
	found, next := false, from
	c.within(stretch{from, instant{sec: from.sec + horizon}}, func(s stretch) bool {
		found, next = true, s.from
		return false
	})
	if !found {
		return time.Time{}, ErrNeverOpen
	}
	return next.time(), nil
}

func (s stretch) span() Span { return Span{Start: s.from.time(), End: s.to.time()} }
