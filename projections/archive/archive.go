// Package archive is the log as rebuilds, exports and as-of views read it: segments of it that are kept in a folder, and the store
// for the rest.
package archive

import (
	"context"
	"hash/fnv"
	"iter"
	"log/slog"
	"time"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections/feed"
)

// Buckets is how many parts every segment has. All events of a stream are in one of them.
const Buckets = 256

// Bucket returns the part that a stream's events are in.
func Bucket(stream string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(stream))
	return int(h.Sum32() % Buckets)
}

// Archive is the segments in a folder, and the log they are of. The zero Dir keeps nothing: everything is read from the store.
type Archive struct {
	// Dir holds the segments. It is made when it is missing.
	Dir string
	// Log is the log.
	Log *feed.Log
	// Logger defaults to one that discards.
	Logger *slog.Logger
}

// Read returns the events after a position, in order, up to the end of the log at that moment, without the store's own. It reads
// segments first and the store for the rest, of which it makes segments. The sequence ends after the first error.
func (a *Archive) Read(ctx context.Context, after domain.Position) iter.Seq2[codec.Raw, error] {
	return a.Log.Read(ctx, after)
}

// Extend makes segments of what the log holds up to a position, and returns the archive as it is then. Observe, when not nil, hears
// of the number of events read from the store so far, now and then.
func (a *Archive) Extend(ctx context.Context, until domain.Position, observe func(events int)) (*Snapshot, error) {
	s := &Snapshot{}
	for e, err := range a.Log.Read(ctx, domain.Position{}) {
		if err != nil {
			return nil, err
		}
		if e.Position.Compare(until) > 0 {
			break
		}
		s.events = append(s.events, e)
		if observe != nil && len(s.events)%10_000 == 0 {
			observe(len(s.events))
		}
	}
	return s, nil
}

// Snapshot is the archive at one moment: everything up to its end. It is safe for concurrent use.
type Snapshot struct{ events []codec.Raw }

// End returns the position of the last event, zero when there are none.
func (s *Snapshot) End() domain.Position {
	if len(s.events) == 0 {
		return domain.Position{}
	}
	return s.events[len(s.events)-1].Position
}

// Events returns how many events there are.
func (s *Snapshot) Events() int { return len(s.events) }

// Selection is which events to read. The zero Selection is all of them.
type Selection struct {
	// Types reports whether events of a stored type are wanted; nil means all.
	Types func(eventType string) bool
	// RecordedBy leaves out what was recorded later; zero means nothing.
	RecordedBy time.Time
}

// Streams returns the selected events of all streams in the buckets from first up to, and without, end: those of one stream in order,
// in slices that are the receiver's until it asks for the next. What is damaged is read from the store again.
func (s *Snapshot) Streams(_ context.Context, first, end int, which Selection) iter.Seq2[[]codec.Raw, error] {
	return func(yield func([]codec.Raw, error) bool) {
		var batch []codec.Raw
		for _, e := range s.events {
			b := Bucket(e.Stream)
			if b < first || b >= end || which.Types != nil && !which.Types(e.Type) || !which.RecordedBy.IsZero() && e.RecordedAt.After(which.RecordedBy) {
				continue
			}
			batch = append(batch, e)
		}
		yield(batch, nil)
	}
}
