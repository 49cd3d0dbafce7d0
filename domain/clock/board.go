package clock

import (
	"slices"
	"time"
)

// Board is the state of the clocks of one case. The zero Board has none.
type Board struct {
	Instances []Instance
}

// Instance is one promise and what has become of it.
type Instance struct {
	Number  int
	Clock   string
	Promise Promise
	// Due is the due time as of the last pause.
	Due time.Time
	// Pauses are the finished ones; PausedAt is the beginning of one that lasts, and Reason why.
	Pauses   []Span
	PausedAt time.Time
	Reason   string
	Breached bool
	// Final means that nothing more can become of it.
	Final bool
}

// Paused reports whether its time stands still.
func (i Instance) Paused() bool { return !i.PausedAt.IsZero() }

// inherited are the pauses that an instance which takes i's place at an instant has: all of them when it counts from the
// origin, else what of them is after that instant, which is none unless the change is learned late.
func (i Instance) inherited(carry Carry, at time.Time) (pauses []Span) {
	for _, p := range i.Pauses {
		if carry != FromOrigin {
			p.Start = later(p.Start, at)
		}
		if p.Start.Before(p.End) {
			pauses = append(pauses, p)
		}
	}
	if carry == FromOrigin && i.Paused() && i.PausedAt.Before(at) {
		pauses = append(pauses, Span{i.PausedAt, at})
	}
	return pauses
}

// Clone returns a board that shares nothing that Evolve writes to.
func (b Board) Clone() Board {
	b.Instances = slices.Clone(b.Instances)
	for i := range b.Instances {
		b.Instances[i].Pauses = slices.Clip(b.Instances[i].Pauses) // appending copies them
	}
	return b
}

// Evolve folds one event. It writes to the board's slice.
func (b Board) Evolve(e Event) Board {
	switch e := e.(type) {
	case Started:
		i := Instance{Number: e.Instance, Clock: e.Clock, Promise: e.Promise, Due: e.Promise.Due}
		if old := b.find(e.Supersedes); old != nil {
			i.Pauses = old.inherited(e.Carry, e.At)
		}
		b.Instances = append(b.Instances, i)
	case Paused:
		b.change(e.Instance, func(i *Instance) { i.PausedAt, i.Reason = e.At, e.Reason })
	case Resumed:
		b.change(e.Instance, func(i *Instance) {
			i.Pauses = append(i.Pauses, Span{i.PausedAt, e.At})
			i.PausedAt, i.Reason, i.Due = time.Time{}, "", e.Due
		})
	case Met:
		b.change(e.Instance, func(i *Instance) { i.Final = true })
	case MetLate:
		b.change(e.Instance, func(i *Instance) { i.Final = true })
	case Breached:
		b.change(e.Instance, func(i *Instance) { i.Breached = true })
	case Cancelled:
		b.change(e.Instance, func(i *Instance) { i.Final = true })
	case Superseded:
		b.change(e.Instance, func(i *Instance) { i.Final = true })
	case TargetRecorded, VerdictRecorded: // another system's, and no clock of ours
	}
	return b
}

func (b Board) find(number int) *Instance {
	for i := range b.Instances {
		if b.Instances[i].Number == number {
			return &b.Instances[i]
		}
	}
	return nil
}

func (b Board) change(number int, f func(*Instance)) {
	if i := b.find(number); i != nil {
		f(i)
	}
}

// next is the number of the next instance.
func (b Board) next() int { return len(b.Instances) + 1 }
