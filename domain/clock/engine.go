package clock

import (
	"slices"
	"time"
)

// Engine decides what happens to the clocks of a case. Its methods return events and change nothing.
type Engine struct {
	Rules Rules
}

// Fact returns what a fact of the case does: it stops the clocks that wait for it, cancels those it makes pointless and starts those
// that begin with it. A breached clock is not cancelled: that it was not kept stays true. A fact learned
// late counts from when it happened: a stop that came in time is met even where a breach was recorded meanwhile.
func (en Engine) Fact(b Board, c Case, fact string, at time.Time) (events []Event) {
	b = b.Clone()
	for _, i := range b.Instances {
		t, ok := en.terms(i)
		switch {
		case !ok || i.Final:
		case slices.Contains(t.Definition.Stop, fact):
			events = append(events, en.stop(t, i, at))
		case !i.Breached && slices.Contains(t.Definition.Cancel, fact):
			events = append(events, Cancelled{At: at, Instance: i.Number, Reason: fact})
		}
	}
	for _, e := range events {
		b = b.Evolve(e)
	}
	for _, t := range en.Rules.Applicable(at, c) {
		if slices.Contains(t.Definition.Start, fact) && !b.runs(t.Definition.Clock) {
			if e, ok := en.start(b, t, at, at); ok {
				events, b = append(events, e), b.Evolve(e)
			}
		}
	}
	return events
}

func (b Board) runs(clock string) bool {
	return slices.ContainsFunc(b.Instances, func(i Instance) bool { return i.Clock == clock && !i.Final })
}

func (b Board) had(clock string) bool {
	return slices.ContainsFunc(b.Instances, func(i Instance) bool { return i.Clock == clock })
}

func (en Engine) terms(i Instance) (Terms, bool) {
	return en.Rules.Terms(i.Promise.Definition, i.Promise.Calendar)
}

// start makes a promise. A calendar that never opens again makes none: there is no due time to promise.
func (en Engine) start(b Board, t Terms, at, from time.Time) (Started, bool) {
	p, err := promise(t, en.Rules.TZ(), from, 0, nil)
	if err != nil {
		return Started{}, false
	}
	return Started{At: at, Instance: b.next(), Clock: t.Definition.Clock, Promise: p}, true
}

// stop gives the verdict. A pause that lasts ends with the stop, and what it moved the due time by counts.
func (en Engine) stop(t Terms, i Instance, at time.Time) Event {
	due, pauses := i.Due, i.Pauses
	if i.Paused() && i.PausedAt.Before(at) {
		pause := Span{i.PausedAt, at}
		if moved, _, err := resumeDue(t, due, pause); err == nil {
			due = moved
		}
		pauses = append(slices.Clip(pauses), pause)
	}
	used := int64(elapsed(t, i.Promise.Start, at, pauses)/time.Second) + i.Promise.Carried
	if at.After(due) {
		return MetLate{
			At: at, Instance: i.Number, Due: due, Elapsed: used, Overrun: int64(elapsed(t, due, at, pauses) / time.Second),
		}
	}
	return Met{At: at, Instance: i.Number, Due: due, Elapsed: used}
}

// Lapse returns the breaches of clocks whose due time lies before at, each at its due time. Paused clocks do not lapse, and no
// clock lapses twice. At the due time itself a clock is not breached yet: stopping then is met.
func (en Engine) Lapse(b Board, at time.Time) (events []Event) {
	for _, i := range b.Instances {
		if !i.Final && !i.Breached && !i.Paused() && i.Due.Before(at) {
			events = append(events, Breached{At: i.Due, Instance: i.Number})
		}
	}
	slices.SortStableFunc(events, func(a, b Event) int { return a.OccurredAt().Compare(b.OccurredAt()) })
	return events
}

// Pause returns what waiting for a reason does. A clock that is breached or due goes on: there is nothing left to save. A wait
// learned late pauses a clock no earlier than from where it was counting: no time is left out twice.
func (en Engine) Pause(b Board, reason string, at time.Time) (events []Event) {
	for _, i := range b.Instances {
		t, ok := en.terms(i)
		if !ok || i.Final || i.Breached || i.Paused() || !slices.Contains(t.Definition.Pause, reason) {
			continue
		}
		if from := later(at, i.countingSince()); from.Before(i.Due) {
			events = append(events, Paused{At: from, Instance: i.Number, Reason: reason})
		}
	}
	return events
}

// countingSince is the end of the last pause, or the start.
func (i Instance) countingSince() time.Time {
	since := i.Promise.Start
	for _, p := range i.Pauses {
		since = later(since, p.End)
	}
	return since
}

// Resume returns what the end of waiting does.
func (en Engine) Resume(b Board, at time.Time) (events []Event) {
	for _, i := range b.Instances {
		if t, ok := en.terms(i); ok && !i.Final && i.Paused() {
			events = append(events, en.resume(t, i, at))
		}
	}
	return events
}

func (en Engine) resume(t Terms, i Instance, at time.Time) Resumed {
	e := Resumed{At: at, Instance: i.Number, Due: i.Due}
	if at.Before(i.PausedAt) {
		e.At = i.PausedAt // a resumption learned late, before the pause it ends
	}
	if due, counted, err := resumeDue(t, i.Due, Span{i.PausedAt, e.At}); err == nil {
		e.Due, e.Counted = due, back(counted)
	}
	return e
}

// Cancel ends all clocks that are not breached, without a verdict.
func (en Engine) Cancel(b Board, reason string, at time.Time) (events []Event) {
	for _, i := range b.Instances {
		if !i.Final && !i.Breached {
			events = append(events, Cancelled{At: at, Instance: i.Number, Reason: reason})
		}
	}
	return events
}

// Change is why clocks are looked at again.
type Change struct {
	// Reason is a code that is recorded, such as "priority".
	Reason string
	// Recompute looks at newer versions of the same definition and calendar, too. Without it a promise stands until its
	// definition is about other cases.
	Recompute bool
	// Carry overrides what the new definition says; zero leaves it to that.
	Carry Carry
	// Happened reports facts of the case that already are: a promise that waits for one of them is not made any more. Nil
	// knows of none.
	Happened func(fact string) bool
}

// pointless reports whether what a promise would wait for, or what would cancel it, already is.
func (c Change) pointless(d Definition) bool {
	return c.Happened != nil && (slices.ContainsFunc(d.Stop, c.Happened) || slices.ContainsFunc(d.Cancel, c.Happened))
}

// Supersede returns what a change of the case or of the policies does: a running clock whose definition is no longer that of the case is
// superseded by one under the new terms, or cancelled where there are none, unless it is breached: that stays true. Clocks that
// apply only now start, counting from received where their start is the receipt.
func (en Engine) Supersede(b Board, c Case, received, at time.Time, why Change) (events []Event) {
	b = b.Clone()
	add := func(e Event) { events, b = append(events, e), b.Evolve(e) }
	applicable := en.Rules.Applicable(at, c)
	find := func(clock string) (Terms, bool) {
		n := slices.IndexFunc(applicable, func(t Terms) bool { return t.Definition.Clock == clock })
		if n < 0 {
			return Terms{}, false
		}
		return applicable[n], true
	}
	for _, i := range slices.Clone(b.Instances) {
		if i.Final {
			continue
		}
		t, ok := find(i.Clock)
		if !ok {
			if !i.Breached {
				add(Cancelled{At: at, Instance: i.Number, Reason: "not_applicable"})
			}
			continue
		}
		same := t.ID == i.Promise.Definition && t.CalendarID == i.Promise.Calendar
		if same || !why.Recompute && t.ID.ID == i.Promise.Definition.ID {
			continue
		}
		if started, ok := en.replace(b, t, i, at, why.Carry); ok {
			add(Superseded{At: at, Instance: i.Number, By: started.Instance, Reason: why.Reason})
			add(started)
			from := later(at, i.PausedAt)
			if i.Paused() && slices.Contains(t.Definition.Pause, i.Reason) && from.Before(started.Promise.Due) {
				add(Paused{At: from, Instance: started.Instance, Reason: i.Reason})
			}
		}
	}
	for _, t := range applicable {
		starts := slices.Contains(t.Definition.Start, "received")
		if starts && !b.had(t.Definition.Clock) && !why.pointless(t.Definition) {
			if e, ok := en.start(b, t, at, received); ok {
				add(e)
			}
		}
	}
	return events
}

// replace makes the promise that takes the place of an instance. Days cannot be used up in part: under units of days, time
// carried over is counted from the origin.
func (en Engine) replace(b Board, t Terms, i Instance, at time.Time, carry Carry) (Started, bool) {
	if carry == 0 {
		carry = t.Definition.Carry
	}
	if carry == 0 || carry == CarryElapsed && t.Definition.Unit != Minutes {
		carry = FromOrigin
	}
	start, carried := at, time.Duration(0)
	switch carry {
	case Restart:
	case CarryElapsed:
		if old, ok := en.terms(i); ok {
			counted := elapsed(old, i.Promise.Start, at, i.inherited(FromOrigin, at)) + time.Duration(i.Promise.Carried)*time.Second
			carried = counted.Truncate(time.Second) // as the promise records it
		}
	case FromOrigin:
		start = i.Promise.Start
	}
	p, err := promise(t, en.Rules.TZ(), start, carried, i.inherited(carry, at))
	if err != nil {
		return Started{}, false
	}
	return Started{At: at, Instance: b.next(), Clock: i.Clock, Promise: p, Supersedes: i.Number, Carry: carry}, true
}
