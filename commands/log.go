package commands

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"aftercare/domain"
)

// Log is the event store as the write side needs it.
type Log interface {
	// Read returns the events of a stream from a revision on, in order, and ends at its last event. A stream never written
	// is empty. Texts come back sealed: the write side decides on codes, not on words.
	Read(ctx context.Context, stream string, from uint64) iter.Seq2[domain.Recorded, error]
	// Append writes all events or none. It returns ErrConflict when the stream is not at expected, unless exactly these
	// events (by id) are already there: then it returns their receipt.
	Append(ctx context.Context, stream string, expected Expected, events []Proposed) (Receipt, error)
}

// Expected is the revision a stream must be at: that of its last event, or NoStream.
type Expected int64

// NoStream expects that nothing was ever written.
const NoStream Expected = -1

// Proposed is an event on its way into the log.
type Proposed struct {
	ID       domain.UUID
	Event    domain.Event
	Metadata domain.Metadata
}

// Receipt says where the last event of an append is. A reader that has come to Position sees the append.
type Receipt struct {
	Revision uint64
	Position domain.Position
	// Repeated says that the command had been carried out before and nothing was written now.
	Repeated bool
}

// Errors of a Log. Each is wrapped with what was being done.
var (
	// ErrConflict says that the stream is not at the expected revision.
	ErrConflict = errors.New("the stream has moved on")
	// ErrTooLarge says that the store refuses the size of an append.
	ErrTooLarge = errors.New("the append is larger than the store accepts")
	// ErrUnknownType says that a stream holds a type that this program's catalog does not know: deciding on part of a
	// history would be wrong. A newer version of the program wrote it.
	ErrUnknownType = errors.New("the history holds an event of a type unknown to this program")
	// ErrUnavailable says that the store cannot be reached or cannot write now. The outcome of an append is unknown;
	// the same append may be sent again.
	ErrUnavailable = errors.New("the event store is unavailable")
)

// TooLargeError is ErrTooLarge with its numbers, in bytes. Limit is 0 when the store does not tell it.
type TooLargeError struct {
	Size, Limit int
}

// Error names both sizes.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%v: %d of %d bytes", ErrTooLarge, e.Size, e.Limit)
}

// Is makes errors.Is match ErrTooLarge.
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }

// Follower reads everything that is recorded, in the order of positions, and goes on with what is new.
type Follower interface {
	// Follow calls f with batches of events after the position whose type starts with one of the prefixes (all when there
	// are none). live is true when the batch reached the end of the store at that moment; f is called with an empty batch
	// once when there is nothing to catch up with. It survives outages and returns when ctx ends or f returns an error.
	Follow(ctx context.Context, after domain.Position, prefixes []string, f func(batch []domain.Recorded, live bool) error) error
}
