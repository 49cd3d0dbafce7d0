package archive

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections/feed"
)

// Buckets is how many parts every segment has. All events of a stream are in one of them.
const Buckets = 256

// Bucket returns the part that a stream's events are in. It is FNV-1a, and never changes: segments outlive programs.
func Bucket(stream string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(stream))
	return int(h.Sum32() % Buckets)
}

// Archive is the segments in a folder, and the log they are of. It is safe for concurrent use, also by several processes.
type Archive struct {
	// Dir holds the segments. It is made when it is missing. When it is empty nothing is kept: Read reads the store, and the
	// segments of a Snapshot are in a folder of its own until it is closed.
	Dir string
	// Log is the log.
	Log *feed.Log
	// Logger hears of damaged and foreign segments. Defaults to one that discards.
	Logger *slog.Logger
}

// Selection is which events to read. The zero Selection is all of them.
type Selection struct {
	// Types reports whether events of a stored type are wanted; nil means all.
	Types func(eventType string) bool
	// Streams reports whether events of a stream are wanted; nil means all.
	Streams func(stream string) bool
	// RecordedBy leaves out what was recorded later; zero means nothing.
	RecordedBy time.Time
	// Until leaves out what comes after a position; zero means nothing.
	Until domain.Position
}

// wants reports whether a place in the log is one of those selected.
func (s *Selection) wants(p domain.Position, recorded time.Time) bool {
	return (s.RecordedBy.IsZero() || !recorded.After(s.RecordedBy)) && (s.Until == domain.Position{} || p.Compare(s.Until) <= 0)
}

// Read returns the events after a position, in order, up to the end of the log, without the store's own. It makes segments of what they
// lack first, reads those, and the store for what was recorded meanwhile. Where segments cannot be had, as on a full disk, it
// reads the store. The sequence ends after the first error.
func (a *Archive) Read(ctx context.Context, after domain.Position) iter.Seq2[codec.Raw, error] {
	if a.Dir == "" {
		return a.Log.Read(ctx, after)
	}
	return func(yield func(codec.Raw, error) bool) {
		snapshot, err := a.recent(ctx)
		if err != nil && ctx.Err() == nil {
			a.logger().WarnContext(ctx, "the archive cannot be read, the store is", slog.Any("error", err))
			snapshot = &Snapshot{}
		}
		if snapshot != nil {
			defer snapshot.Close() //nolint:errcheck // the files were only read
			for e, err := range snapshot.Read(ctx, after, Selection{}) {
				if !yield(e, err) || err != nil {
					return
				}
			}
			if end := snapshot.End(); end.Compare(after) > 0 {
				after = end
			}
		}
		for e, err := range a.Log.Read(ctx, after) {
			if !yield(e, err) {
				return
			}
		}
	}
}

// recent returns the archive up to the end of the log.
func (a *Archive) recent(ctx context.Context) (*Snapshot, error) {
	head, err := a.Log.Head(ctx)
	if err != nil {
		return nil, err
	}
	return a.Extend(ctx, head.Position, nil)
}

// Extend makes segments of what the log holds up to a position, and returns the archive as it is then, which may be further. Observe, when
// not nil, hears of the number of events read from the store so far, now and then. What was made stays when Extend fails.
// While one process extends a folder, others wait.
func (a *Archive) Extend(ctx context.Context, until domain.Position, observe func(events int)) (_ *Snapshot, err error) {
	f := folder{dir: a.Dir, archive: a}
	s := &Snapshot{}
	if f.dir == "" {
		if f.dir, err = os.MkdirTemp("", "aftercare-archive-"); err != nil {
			return nil, fmt.Errorf("make a folder for the log: %w", err)
		}
		s.temporary = f.dir
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("extend the archive: %w", err), s.Close())
		}
	}()
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return nil, err
	}
	unlock, err := f.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	s.folder, s.extending = f, true
	defer func() { s.extending = false }()
	if s.segments, err = f.open(ctx); err != nil {
		return nil, err
	}
	if until.Compare(s.End()) <= 0 {
		return s, nil
	}
	return s, f.extend(ctx, s, until, observe)
}

// extend adds segments to a snapshot. The folder is locked.
func (f folder) extend(ctx context.Context, s *Snapshot, until domain.Position, observe func(events int)) error {
	var short *segment
	b := &builder{after: s.End()}
	if n := len(s.segments); n > 0 && s.segments[n-1].short() {
		events, err := s.all(ctx, n-1, Selection{})
		if err != nil {
			return err
		}
		short, s.segments = s.segments[n-1], s.segments[:n-1]
		b = &builder{after: short.After}
		for _, e := range events {
			b.add(e)
		}
	}
	full := make(chan *builder)
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { // compressing takes its time, and reading goes on meanwhile
		for b := range full {
			made, err := f.write(b)
			if err != nil {
				return err
			}
			s.segments = append(s.segments, made)
			if short != nil {
				f.replaced(short, made)
				short = nil
			}
		}
		return nil
	})
	group.Go(func() error {
		defer close(full)
		return f.read(groupCtx, until, b, full, observe)
	})
	err := group.Wait()
	if short != nil {
		s.segments = append(s.segments, short)
	}
	return err
}

// read reads the store up to a position and sends builders to be written.
func (f folder) read(ctx context.Context, until domain.Position, b *builder, full chan<- *builder, observe func(events int)) error {
	send := func() error {
		select {
		case full <- b:
			b = &builder{after: b.until()}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	seen := 0
	for e, err := range f.archive.Log.Read(ctx, b.until()) {
		if err != nil {
			return err
		}
		if e.Position.Compare(until) > 0 {
			break
		}
		if b.full() {
			if err := send(); err != nil {
				return err
			}
		}
		b.add(e)
		if seen++; observe != nil && seen%1000 == 0 {
			observe(seen)
		}
	}
	if seen > 0 {
		return send()
	}
	return nil
}

func (a *Archive) logger() *slog.Logger {
	if a.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return a.Logger
}
