package calendar

import (
	"slices"
	"time"
)

// furthest is how far from UTC, in seconds, wall time may be; dates of a day are looked for this much around it.
const furthest = 2 * secondsPerDay

// DateAt returns the date that the calendar's zone shows at t.
func (c *Calendar) DateAt(t time.Time) Date { return DateOf(t.In(c.zone)) }

// IsWorkday reports whether a date has open time. A date whose hours all fall into a change of clocks has none.
func (c *Calendar) IsWorkday(d Date) bool { return c.worked(d.number()) }

// WorkdayAfter returns the n-th working day strictly after a date, and the date itself when n is 0. It fails with
// ErrNegative, and with ErrNeverOpen or ErrTooFar when there are not that many.
func (c *Calendar) WorkdayAfter(d Date, n int) (Date, error) {
	if n < 0 {
		return Date{}, ErrNegative
	}
	day := d.number()
	last := day + horizon/secondsPerDay
	for n > 0 {
		day++
		switch {
		case !c.weekly && (len(c.exceptions) == 0 || day > c.exceptions[len(c.exceptions)-1].day):
			return Date{}, ErrNeverOpen
		case day > last:
			return Date{}, ErrTooFar
		case c.worked(day):
			n--
		}
	}
	return dateOfNumber(day), nil
}

// Spans returns the open stretches of a date, in order and joined where they touch: more than its hours when clocks were
// set back within them, fewer when they were set forward over them.
func (c *Calendar) Spans(d Date) []Span {
	var out []Span
	var last instant
	c.daySpans(d.number(), func(s stretch) bool {
		if len(out) > 0 && last == s.from {
			out[len(out)-1].End = s.to.time()
		} else {
			out = append(out, s.span())
		}
		last = s.to
		return true
	})
	return out
}

// Close returns the last closing instant of a date, and false when the date has no open time.
func (c *Calendar) Close(d Date) (time.Time, bool) {
	var last instant
	found := false
	c.daySpans(d.number(), func(s stretch) bool {
		last, found = s.to, true
		return true
	})
	if !found {
		return time.Time{}, false
	}
	return last.time(), true
}

// EndOfDay returns the instant at which a date is over for good in the calendar's zone, "24:00".
func (c *Calendar) EndOfDay(d Date) time.Time {
	wall := (d.number() + 1) * secondsPerDay
	var end int64
	c.segments(wall-furthest, wall+furthest, func(s segment) bool {
		if u := min(wall-s.offset, s.to); u > s.from {
			end = u
		}
		return true
	})
	return time.Unix(end, 0).UTC()
}

// AddWorkdays returns the same wall time n working days after start; a start outside open hours counts from the next
// opening. Where that wall time is closed on the last day, it is due at the closing before it, or, when there is none
// that day, at the opening after it; where it exists twice, at the first. It also returns the open stretches from start
// to due. It fails as WorkdayAfter and NextOpen do.
func (c *Calendar) AddWorkdays(start time.Time, n int) (due time.Time, counted []Span, err error) {
	first, err := c.NextOpen(start)
	if err != nil {
		return time.Time{}, nil, err
	}
	date, err := c.WorkdayAfter(c.DateAt(first), n)
	if err != nil {
		return time.Time{}, nil, err
	}
	due = first
	if n > 0 {
		due = c.sameWall(first, date)
	}
	return due, slices.Collect(c.Open(start, due)), nil
}

// AddDays returns the same wall time n days later in the calendar's zone, open or not. Where that wall time does not
// exist it is the instant of the change; where it exists twice, the first.
func (c *Calendar) AddDays(start time.Time, n int) time.Time {
	_, offset := start.In(c.zone).Zone()
	wall := instantOf(start)
	wall.sec += int64(offset) + int64(n)*secondsPerDay
	var found instant
	c.segments(wall.sec-furthest, wall.sec+furthest, func(s segment) bool {
		found = later(instant{wall.sec - s.offset, wall.nsec}, instant{sec: s.from})
		return found.sec >= s.to
	})
	return found.time()
}

// sameWall returns the instant of a working day at the wall time of t, moved into open hours.
func (c *Calendar) sameWall(t time.Time, d Date) time.Time {
	_, offset := t.In(c.zone).Zone()
	at := instantOf(t)
	at.sec += int64(offset)
	at.sec += (d.number() - floorDiv(at.sec, secondsPerDay)) * secondsPerDay
	var (
		opening, closing instant
		opens            bool
		closes           bool
		exact            *instant
	)
	c.segments(at.sec-furthest, at.sec+furthest, func(s segment) bool {
		wall := at
		wall.sec -= s.offset
		c.dayPieces(d.number(), s, func(p stretch) bool {
			switch {
			case exact != nil:
			case !wall.before(p.from) && !p.to.before(wall):
				exact = &wall
			case p.to.before(wall):
				closing, closes = p.to, true
			case !opens:
				opening, opens = p.from, true
			}
			return exact == nil
		})
		return exact == nil
	})
	switch {
	case exact != nil:
		return exact.time()
	case closes:
		return closing.time()
	}
	return opening.time()
}

func (c *Calendar) worked(day int64) bool {
	list := c.hoursOf(day)
	if len(list) == 0 {
		return false
	}
	open := false
	c.daySpans(day, func(stretch) bool {
		open = true
		return false
	})
	return open
}

// daySpans calls yield for the open stretches of a day, in the order of time.
func (c *Calendar) daySpans(day int64, yield func(stretch) bool) {
	c.segments(day*secondsPerDay-furthest, (day+1)*secondsPerDay+furthest, func(s segment) bool {
		return c.dayPieces(day, s, yield)
	})
}

// dayPieces calls yield for the open stretches of a day within one segment.
func (c *Calendar) dayPieces(day int64, s segment, yield func(stretch) bool) bool {
	midnight := day*secondsPerDay - s.offset
	for _, h := range c.hoursOf(day) {
		opening, closing := max(midnight+h.open, s.from), min(midnight+h.close, s.to)
		if opening < closing && !yield(stretch{instant{sec: opening}, instant{sec: closing}}) {
			return false
		}
	}
	return true
}
