package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"slices"
	"sync"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// Snapshot is the archive at one moment: everything up to its end. Deleting files does not change it. It is safe for concurrent use.
// Close it.
type Snapshot struct {
	folder    folder
	temporary string

	mu       sync.Mutex
	segments []*segment
	// extending says that the folder is locked for this snapshot already.
	extending bool
}

// Close gives up the files.
func (s *Snapshot) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []error
	for _, segment := range s.segments {
		all = append(all, segment.file.Close())
	}
	s.segments = nil
	if s.temporary != "" {
		all = append(all, os.RemoveAll(s.temporary))
	}
	return errors.Join(all...)
}

// End returns up to where the log is in the snapshot: the zero Position when it is empty.
func (s *Snapshot) End() domain.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.segments) == 0 {
		return domain.Position{}
	}
	return s.segments[len(s.segments)-1].Until
}

// Events returns how many events there are.
func (s *Snapshot) Events() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, segment := range s.segments {
		n += int(segment.Events)
	}
	return n
}

// Streams returns the selected events of all streams in the buckets from first up to, and without, end: those of one stream in order,
// in slices that are, with their payloads, the receiver's until it asks for the next. What is damaged is read from the store
// again. The sequence ends after the first error.
func (s *Snapshot) Streams(ctx context.Context, first, end int, which Selection) iter.Seq2[[]codec.Raw, error] {
	return func(yield func([]codec.Raw, error) bool) {
		var (
			b      buffers
			d      = decoder{Selection: which}
			events []codec.Raw
			err    error
		)
		for i := 0; ; i++ {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			segment := s.at(i)
			if segment == nil {
				return
			}
			if segment.late(which) {
				continue
			}
			if events, err = s.parts(ctx, i, &b, &d, first, end, events[:0]); err != nil {
				yield(nil, err)
				return
			}
			if len(events) > 0 && !yield(events, nil) {
				return
			}
		}
	}
}

// Read returns the selected events after a position, in the order of the log. The sequence ends after the first error.
func (s *Snapshot) Read(ctx context.Context, after domain.Position, which Selection) iter.Seq2[codec.Raw, error] {
	return func(yield func(codec.Raw, error) bool) {
		for i := 0; ; i++ {
			segment := s.at(i)
			if segment == nil {
				return
			}
			if segment.Until.Compare(after) <= 0 || segment.late(which) {
				continue
			}
			events, err := s.all(ctx, i, which)
			if err != nil {
				yield(codec.Raw{}, err)
				return
			}
			for _, e := range events {
				if e.Position.Compare(after) > 0 && !yield(e, nil) {
					return
				}
			}
		}
	}
}

// late reports whether all events of the segment are too late to be selected.
func (s *segment) late(which Selection) bool {
	return !which.RecordedBy.IsZero() && s.Earliest > which.RecordedBy.Unix() ||
		which.Until != (domain.Position{}) && s.After.Compare(which.Until) >= 0
}

// at returns a segment, nil behind the last one.
func (s *Snapshot) at(i int) *segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i >= len(s.segments) {
		return nil
	}
	return s.segments[i]
}

// all returns the selected events of a segment, in the order of the log.
func (s *Snapshot) all(ctx context.Context, i int, which Selection) ([]codec.Raw, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	events, err := s.parts(ctx, i, &buffers{}, &decoder{Selection: which}, 0, Buckets, nil)
	slices.SortFunc(events, func(a, b codec.Raw) int { return a.Position.Compare(b.Position) })
	return events, err
}

// repairs is how often in a row a damaged segment is read from the store before whoever reads it is told.
const repairs = 2

// parts reads parts of a segment, which it has from the store again when it is damaged.
func (s *Snapshot) parts(ctx context.Context, i int, b *buffers, d *decoder, first, end int, out []codec.Raw) ([]codec.Raw, error) {
	for attempt := 0; ; attempt++ {
		segment := s.at(i)
		events, err := segment.parts(b, d, first, end, out)
		if err == nil {
			return events, nil
		}
		err = fmt.Errorf("read segment %s: %w", segment.file.Name(), err)
		if attempt == repairs {
			return out, err
		}
		s.folder.archive.logger().WarnContext(ctx, "segment of the archive is read from the store again", slog.Any("error", err))
		if err := s.repair(ctx, i, segment); err != nil {
			return out, err
		}
	}
}
