package persistent

import (
	"context"
	"errors"
)

// Log is what a group reads and writes. Reads are called by the loop of the group and must not wait for
// the writer of the log.
type Log interface {
	// Read returns events of the source behind a position, at most n. It need not look through all that
	// is there: More asks it again.
	Read(after int64, n int) (Batch, error)
	// ParkedRange returns the first revision of the parked stream and the one behind the last.
	ParkedRange() (first, end int64, err error)
	// ReadParked returns parked events from a revision on and in front of another one, at most n.
	ReadParked(first, stop int64, n int) (Batch, error)
	// Changed returns a channel that is closed when there may be more to read.
	Changed() <-chan struct{}

	// Park puts events aside: all of them or none.
	Park(ctx context.Context, events []Parking) error
	// Checkpoint stores how far the group has come.
	Checkpoint(ctx context.Context, position int64) error
	// Truncate removes what is in front of a revision from the parked stream.
	Truncate(ctx context.Context, before int64) error
}

// Reasons why consumers are dropped.
var (
	// ErrDropped means that the group was changed or restarted: consumers may come back.
	ErrDropped = errors.New("the consumer was dropped")
	// ErrDeleted means that the group was deleted. Nothing more is written for it.
	ErrDeleted = errors.New("the group was deleted")
	// ErrStopped means that the node stops.
	ErrStopped = errors.New("the group stops")
	// ErrFull means that the group has as many consumers as it may.
	ErrFull = errors.New("the group has no room for another consumer")
)
