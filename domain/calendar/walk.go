package calendar

import (
	"slices"
	"time"
)

// horizon bounds every search, in seconds: a thousand years.
const horizon = 1000 * 366 * secondsPerDay

// segment is a stretch of constant offset: wall time is its instants plus offset.
type segment struct{ from, to, offset int64 }

// segmentAt returns the segment that holds the second u, cut at the bounds.
func (c *Calendar) segmentAt(u, low, high int64) segment {
	t := time.Unix(u, 0).In(c.zone)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	s := segment{low, high, int64(offset)}
	if !start.IsZero() {
		s.from = max(low, start.Unix())
	}
	if !end.IsZero() {
		s.to = min(high, end.Unix())
	}
	return s
}

// segments calls yield for the segments of [from, to), in order and cut at the bounds.
func (c *Calendar) segments(from, to int64, yield func(segment) bool) {
	for from < to {
		s := c.segmentAt(from, from, to)
		if !yield(s) {
			return
		}
		from = s.to
	}
}

// pieces calls yield for the open stretches of the seconds [from, to), in order, cut at the bounds. Stretches that touch
// are not joined, so that nobody waits for the end of a calendar that never closes.
func (c *Calendar) pieces(from, to int64, yield func(open, closing int64) bool) {
	if c.always {
		if from < to {
			yield(from, to)
		}
		return
	}
	to = min(to, c.lastSecond())
	for from < to {
		s := c.segmentAt(from, from, to)
		if !c.piecesOf(s, yield) {
			return
		}
		from = s.to
	}
}

func (c *Calendar) piecesOf(s segment, yield func(open, closing int64) bool) bool {
	day := floorDiv(s.from+s.offset, secondsPerDay)
	next := c.exceptionFrom(day)
	wd := weekday(day)
	for midnight := day*secondsPerDay - s.offset; midnight < s.to; midnight += secondsPerDay {
		list := c.week[wd]
		if next < len(c.exceptions) && c.exceptions[next].day == day {
			list = c.exceptions[next].hours
			next++
		}
		for _, h := range list {
			opening, closing := max(midnight+h.open, s.from), min(midnight+h.close, s.to)
			if opening < closing && !yield(opening, closing) {
				return false
			}
		}
		day++
		if wd++; wd == daysPerWeek {
			wd = time.Sunday
		}
	}
	return true
}

// lastSecond returns a second after which nothing can be open, so that a calendar without weekly hours is not searched
// for a thousand years.
func (c *Calendar) lastSecond() int64 {
	if c.weekly {
		return 1<<62 - 1
	}
	if n := len(c.exceptions); n > 0 {
		return (c.exceptions[n-1].day + 3) * secondsPerDay
	}
	return -1 << 62
}

// exceptionFrom returns the index of the first exception on or after a day.
func (c *Calendar) exceptionFrom(day int64) int {
	i, _ := slices.BinarySearchFunc(c.exceptions, day, func(e exception, day int64) int { return int(e.day - day) })
	return i
}

// hoursOf returns the wall hours of a day.
func (c *Calendar) hoursOf(day int64) []hours {
	if i := c.exceptionFrom(day); i < len(c.exceptions) && c.exceptions[i].day == day {
		return c.exceptions[i].hours
	}
	return c.week[weekday(day)]
}

// cut returns the open stretch [opening, closing) as instants, cut at the bounds of s. It expects pieces of the whole
// seconds around s.
func (s stretch) cut(opening, closing int64) stretch {
	return stretch{later(instant{sec: opening}, s.from), earlier(instant{sec: closing}, s.to)}
}

// within calls yield for the open stretches of s, in order; stretches that touch are not joined.
func (c *Calendar) within(s stretch, yield func(stretch) bool) {
	c.pieces(s.from.sec, s.to.ceil(), func(opening, closing int64) bool { return yield(s.cut(opening, closing)) })
}
