package eventnode

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
)

// store is the log and its index as readers see them.
type store struct {
	log   *eventLog
	index *index
	end   atomic.Uint64 // everything in front of it is on disk and visible
	last  atomic.Uint64 // position of the last record, 0 in an empty log

	mu     sync.Mutex
	signal chan struct{} // closed when end moves
}

// openStore recovers the log into the index. It returns how many bytes of an unfinished write it cut off.
func openStore(l *eventLog, ix *index, through uint64) (*store, uint64, error) {
	s := &store{log: l, index: ix, signal: make(chan struct{})}
	table := newMemtable()
	var failed error
	publish := func() {
		ix.publish(table)
		table = newMemtable()
		if _, must := ix.full(); must && failed == nil {
			failed = ix.flush()
		}
	}
	end, torn, err := l.recover(through, func(r *record) {
		name := string(r.stream)
		info, err := known(table, ix, name)
		if err != nil && failed == nil {
			failed = err
		}
		if info.id == 0 {
			info.id = ix.newID()
		}
		table.add(name, info, r.revision, r.position)
		table.through = r.next()
		if table.events >= flushChunk && r.flags&flagLastOfAppend != 0 {
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
	if end > firstPosition {
		r, err := newReader(l, end).before(end)
		if errors.Is(err, errDamaged) {
			return nil, 0, &CorruptError{Position: end, Reason: "the record that ends here: " + err.Error()}
		}
		if err != nil {
			return nil, 0, err
		}
		s.last.Store(r.position)
	}
	return s, torn, nil
}

// known returns what table, or else the index, says about a stream.
func known(table *memtable, ix *index, name string) (streamInfo, error) {
	if t, ok := table.streams[name]; ok {
		return t.streamInfo, nil
	}
	return ix.info(name)
}

// changed returns a channel that is closed when the log grows. Take it before looking at the end.
func (s *store) changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signal
}

// publish makes a written group visible: first the log, then the index, then it wakes subscriptions.
func (s *store) publish(t *memtable, last uint64) {
	s.end.Store(t.through)
	s.last.Store(last) // after end: who reads last first and then end has last in front of it
	s.index.publish(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.signal)
	s.signal = make(chan struct{})
}

// reader returns a reader over what is visible now.
func (s *store) reader() *reader { return newReader(s.log, s.end.Load()) }

// record reads one event of a stream; ok is false when it was never written.
func (s *store) record(rd *reader, stream string, revision int64) (r record, ok bool, err error) {
	info, err := s.index.info(stream)
	if err != nil || revision < 0 || revision > info.last {
		return record{}, false, err
	}
	positions, err := s.index.positions(stream, revision, 1, false)
	if err != nil {
		return record{}, false, err
	}
	rd.end = s.end.Load()
	r, err = s.at(rd, positions[0], stream, revision)
	return r, err == nil, err
}

// at reads the record at a position and makes sure that it is the one the index meant.
func (s *store) at(rd *reader, position uint64, stream string, revision int64) (record, error) {
	r, err := rd.at(position)
	if err != nil {
		return record{}, damage(position, err)
	}
	if string(r.stream) != stream || r.revision != revision {
		return record{}, &CorruptError{Position: position, Reason: "the index takes it for revision " +
			strconv.FormatInt(revision, 10) + " of " + stream + "; remove index.db to build it anew"}
	}
	return r, nil
}

// limits returns the metadata that bounds reads of a stream.
func (s *store) limits(rd *reader, stream string) (streamMeta, error) {
	if isMetastream(stream) {
		return streamMeta{maxCount: 1}, nil
	}
	meta := metastreamOf(stream)
	info, err := s.index.info(meta)
	if err != nil || info.last < 0 {
		return streamMeta{}, err
	}
	r, ok, err := s.record(rd, meta, info.last)
	if err != nil || !ok {
		return streamMeta{}, err
	}
	return parseMeta(r.data), nil
}

// damage turns errDamaged into an error that names the position.
func damage(position uint64, err error) error {
	if errors.Is(err, errDamaged) {
		return &CorruptError{Position: position, Reason: err.Error()}
	}
	return err
}
