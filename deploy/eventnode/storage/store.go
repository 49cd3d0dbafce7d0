package storage

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// Store is the log and its index as readers see them.
type Store struct {
	log   *eventLog
	index *index
	end   atomic.Uint64 // see End
	last  atomic.Uint64 // see Last

	opts       Options
	writer     *writer
	lock       io.Closer  // nil in memory
	scavenging sync.Mutex // held by the scavenge that is under way
	acked      *ackedFile // nil in memory

	mu     sync.Mutex
	signal chan struct{} // closed when end moves
}

// openStore recovers the log into the index. It returns how many bytes of an unfinished write it cut off.
func openStore(l *eventLog, ix *index, through, acked uint64) (*Store, uint64, error) {
	s := &Store{log: l, index: ix, signal: make(chan struct{})}
	table := newMemtable()
	var failed error
	publish := func() {
		ix.publish(table)
		table = newMemtable()
		if _, must := ix.full(); must && failed == nil {
			failed = ix.flush()
		}
	}
	l.removed = ix.removedAt
	if r, inside, err := ix.removedAt(through); err != nil {
		return nil, 0, fmt.Errorf("read index: %w", err)
	} else if inside {
		through = r.end
	}
	scavenged, err := ix.scavenged()
	if err != nil {
		return nil, 0, fmt.Errorf("read index: %w", err)
	}
	end, torn, err := l.recover(through, acked, func(r *Record) {
		if failed != nil {
			return
		}
		if r.filler() {
			table.remove(r.run())
			scavenged = true
		} else {
			name := string(r.Stream)
			info, err := known(table, ix, name)
			if err != nil {
				failed = err
			}
			if info.id == 0 {
				info.id = ix.newID()
			}
			if r.Revision != TombstoneRevision && r.Revision > info.Last+1 {
				if !scavenged {
					failed = &CorruptError{Position: r.Position, Reason: fmt.Sprintf("revision %d of %s follows %d", r.Revision, name, info.Last)}
				}
				table.begin(name, r.Revision)
			}
			table.add(name, info, r.Revision, r.Position)
		}
		table.through = r.Next()
		if table.events >= flushChunk && r.Flags&flagLastOfAppend != 0 {
			publish()
		}
	})
	if err != nil {
		return nil, 0, err
	}
	if table.events > 0 {
		publish()
	}
	if failed != nil {
		return nil, 0, fmt.Errorf("rebuild index: %w", failed)
	}
	s.end.Store(end)
	if end > FirstPosition {
		r, err := newReader(l, end).Before(end)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, fmt.Errorf("the record that ends at %d: %w", end, err)
		}
		s.last.Store(r.Position)
	}
	return s, torn, nil
}

// known returns what table, or else the index, says about a stream.
func known(table *memtable, ix *index, name string) (StreamInfo, error) {
	if t, ok := table.streams[name]; ok {
		return t.StreamInfo, nil
	}
	return ix.info(name)
}

// End is where the log ends: everything in front of it is on disk and visible.
func (s *Store) End() uint64 { return s.end.Load() }

// Last is the position of the last record, 0 in an empty log.
func (s *Store) Last() uint64 { return s.last.Load() }

// Stream returns what is known about a stream: the last revision is -1 when there are no events. The metadata of a
// stream that has ended has ended with it.
func (s *Store) Stream(name string) (StreamInfo, error) {
	info, err := s.index.info(name)
	if err != nil {
		return info, err
	}
	if info.First, err = s.index.first(name); err != nil || !IsMetastream(name) {
		return info, err
	}
	of, err := s.index.info(name[len("$$"):])
	if of.Tombstone != 0 {
		info.Tombstone = of.Tombstone
	}
	return info, err
}

// Positions returns where the events of a stream stand, from a revision on, at most n, in the given direction. It is 0
// for an event that was scavenged, which At then says, too.
func (s *Store) Positions(name string, from int64, n int, backwards bool) ([]uint64, error) {
	return s.index.positions(name, from, n, backwards)
}

// Changed returns a channel that is closed when the log grows. Take it before looking at the end.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signal
}

// publish makes a written group visible: first the log, then the index, then it wakes subscriptions.
func (s *Store) publish(t *memtable, last uint64) {
	s.end.Store(t.through)
	s.last.Store(last) // after end: who reads last first and then end has last in front of it
	s.index.publish(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.signal)
	s.signal = make(chan struct{})
}

// Reader returns a reader over what is visible now.
func (s *Store) Reader() *Reader { return newReader(s.log, s.end.Load()) }

// Record reads one event of a stream; ok is false when it was never written, or scavenged.
func (s *Store) Record(rd *Reader, stream string, revision int64) (r Record, ok bool, err error) {
	info, err := s.index.info(stream)
	if err != nil || revision < 0 || revision > info.Last {
		return Record{}, false, err
	}
	positions, err := s.index.positions(stream, revision, 1, false)
	if err != nil {
		return Record{}, false, err
	}
	rd.End = s.End()
	r, err = s.At(rd, positions[0], stream, revision)
	if errors.Is(err, ErrRemoved) {
		return Record{}, false, nil
	}
	return r, err == nil, err
}

// At reads the record at a position and makes sure that it is the one the index meant. It fails with ErrRemoved when
// that was scavenged.
func (s *Store) At(rd *Reader, position uint64, stream string, revision int64) (Record, error) {
	if position == 0 {
		return Record{}, ErrRemoved
	}
	r, err := rd.At(position)
	if err != nil {
		return Record{}, err
	}
	if string(r.Stream) != stream || r.Revision != revision {
		return Record{}, s.index.misled(fmt.Sprintf("it takes %d for revision %d of %s", position, revision, stream))
	}
	return r, nil
}

// Limits returns the metadata that bounds reads of a stream.
func (s *Store) Limits(rd *Reader, stream string) (Meta, error) {
	if IsMetastream(stream) {
		return Meta{maxCount: 1}, nil
	}
	meta := metastreamOf(stream)
	info, err := s.index.info(meta)
	if err != nil || info.Last < 0 {
		return Meta{}, err
	}
	r, ok, err := s.Record(rd, meta, info.Last)
	if err != nil || !ok {
		return Meta{}, err
	}
	return parseMeta(r.Data), nil
}

// damage turns errDamaged into an error that names the position.
func damage(position uint64, err error) error {
	if errors.Is(err, errDamaged) {
		return &CorruptError{Position: position, Reason: err.Error()}
	}
	return err
}
