package projections

import (
	"context"
	"iter"
	"time"

	"aftercare/domain"
)

// Observer hears what a Runner does, from several goroutines at once. It must not block: the view waits for it.
type Observer interface {
	// Committed hears of every transaction that moved a view's checkpoint, also where it held no event of the view.
	Committed(ctx context.Context, c Commit)
	// Failed hears of every attempt that was rolled back, for an event's sake or for another reason.
	Failed(ctx context.Context, view string, err error)
}

// Commit is a batch of events that a view has taken, or set aside.
type Commit struct {
	View string
	// Position is the checkpoint from now on.
	Position domain.Position
	// Events are how many the view was to take, and Parked how many of them were set aside.
	Events, Parked int
	// Began, Folded and Ended are when the transaction began, had all its rows and was committed, by the clock of the runner's Tracker;
	// they are zero when it has none.
	Began, Folded, Ended time.Time

	entries []entry
}

// All yields the events in the order of the log. Those of a view that takes events as they are stored may lack what they say.
func (c Commit) All() iter.Seq[*domain.Recorded] {
	return func(yield func(*domain.Recorded) bool) {
		for i := range c.entries {
			if !yield(&c.entries[i].Recorded) {
				return
			}
		}
	}
}

// observers are several of them.
type observers []Observer

func (o observers) committed(ctx context.Context, c Commit) {
	for _, one := range o {
		one.Committed(ctx, c)
	}
}

func (o observers) failed(ctx context.Context, view string, err error) {
	for _, one := range o {
		one.Failed(ctx, view, err)
	}
}
