package clock

import (
	"slices"
	"time"

	"aftercare/domain/calendar"
)

// promise works out the due time of a budget that begins at start, of which carried is already used up.
func promise(t Terms, tz string, start time.Time, carried time.Duration, pauses []Span) (Promise, error) {
	d := t.Definition
	p := Promise{
		Definition: t.ID, Calendar: t.CalendarID, TZ: tz, Start: start, Budget: d.Budget, Unit: d.Unit,
		Carried: int64(carried / time.Second),
	}
	var counted []calendar.Span
	var err error
	switch d.Unit {
	case Minutes:
		budget := max(time.Duration(d.Budget)*time.Minute-carried, 0)
		p.Due, counted, err = t.Calendar.Due(start, budget, spans(pauses))
	case WorkingDaysSameTime:
		p.Due, counted, err = t.Calendar.AddWorkdays(start, d.Budget)
	case WorkingDays:
		p.Due, counted, err = workingDays(t.Calendar, start, d.Budget)
	case CalendarDays:
		p.Due = t.Calendar.EndOfDay(t.Calendar.DateAt(start).AddDays(d.Budget))
		counted = []calendar.Span{{Start: start, End: p.Due}}
	case CalendarDaysSameTime:
		p.Due = t.Calendar.AddDays(start, d.Budget)
		counted = []calendar.Span{{Start: start, End: p.Due}}
	}
	if err != nil {
		return Promise{}, err
	}
	if d.Unit != Minutes {
		for _, pause := range pauses {
			if p.Due, _, err = resumeDue(t, p.Due, pause); err != nil {
				return Promise{}, err
			}
		}
		if len(pauses) > 0 {
			counted = countedBetween(t, start, p.Due, pauses)
		}
	}
	p.Counted = back(counted)
	p.Provisional = t.Calendar.Provisional(start, p.Due)
	return p, nil
}

// countedBetween are the stretches that count, without the pauses.
func countedBetween(t Terms, start, due time.Time, pauses []Span) (counted []calendar.Span) {
	for _, p := range pauses {
		counted = append(counted, stretches(t, start, earlier(p.Start, due))...)
		start = later(start, p.End)
	}
	return append(counted, stretches(t, start, due)...)
}

func stretches(t Terms, from, to time.Time) []calendar.Span {
	switch {
	case !from.Before(to):
		return nil
	case t.Definition.Unit.calendarDays():
		return []calendar.Span{{Start: from, End: to}}
	}
	return slices.Collect(t.Calendar.Open(from, to))
}

// workingDays ends at the close of business of the n-th working day after the day of the start. When n is 0 and that day is none, or
// business is over, it ends with the day.
func workingDays(c *calendar.Calendar, start time.Time, n int) (time.Time, []calendar.Span, error) {
	day, err := c.WorkdayAfter(c.DateAt(start), n)
	if err != nil {
		return time.Time{}, nil, err
	}
	due, ok := c.Close(day)
	if !ok || due.Before(start) {
		due = c.EndOfDay(day)
	}
	return due, slices.Collect(c.Open(start, due)), nil
}

// resumeDue moves a due time behind a pause: what was left of the open time when it began is left when it ends. It never moves it
// forward: a due time at an opening has no more open time before it than one at the closing before.
func resumeDue(t Terms, due time.Time, pause Span) (time.Time, []calendar.Span, error) {
	if !pause.Start.Before(due) || !pause.Start.Before(pause.End) {
		return due, nil, nil
	}
	if t.Definition.Unit.calendarDays() {
		due = due.Add(pause.End.Sub(pause.Start))
		return due, []calendar.Span{{Start: pause.End, End: due}}, nil
	}
	left := t.Calendar.Elapsed(pause.Start, due, nil)
	moved, counted, err := t.Calendar.Due(pause.End, left, nil)
	if err == nil && moved.Before(due) {
		moved, counted = due, stretches(t, pause.End, due)
	}
	return moved, counted, err
}

// elapsed is the counted time between two instants.
func elapsed(t Terms, from, to time.Time, pauses []Span) time.Duration {
	if !from.Before(to) {
		return 0
	}
	if t.Definition.Unit.calendarDays() {
		total := to.Sub(from)
		for _, p := range pauses {
			start, end := later(p.Start, from), earlier(p.End, to)
			if start.Before(end) {
				total -= end.Sub(start)
			}
		}
		return total
	}
	return t.Calendar.Elapsed(from, to, spans(pauses))
}

// calendarDays reports whether the unit counts all time, open or not.
func (u Unit) calendarDays() bool { return u == CalendarDays || u == CalendarDaysSameTime }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func spans(in []Span) []calendar.Span {
	out := make([]calendar.Span, len(in))
	for i, s := range in {
		out[i] = calendar.Span{Start: s.Start, End: s.End}
	}
	return out
}

func back(in []calendar.Span) []Span {
	out := make([]Span, len(in))
	for i, s := range in {
		out[i] = Span{s.Start, s.End}
	}
	return out
}
