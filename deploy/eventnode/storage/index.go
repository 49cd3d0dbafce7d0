package storage

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"
)

// defaultFlushEvents is how many index entries wait in memory before they go to index.db.
const defaultFlushEvents = 128 << 10

// flushFactor times as many may wait before the writer does, so that a start after a crash stays short.
const flushFactor = 4

// flushChunk is how many entries one bbolt transaction takes. In the worst case each is on a page of its own, all of which
// are in memory until the transaction ends.
const flushChunk = 4 << 10

var (
	bucketState   = []byte("state")
	bucketStreams = []byte("streams")
	bucketEvents  = []byte("events")
	keyLog        = []byte("log")
	keyThrough    = []byte("through")
	keyNextID     = []byte("next_id")
)

var (
	errForeign = errors.New("it belongs to another log")
	errHole    = errors.New("a revision is missing")
)

// index maps streams and revisions to positions. The newest entries are in memory, the others in bbolt.
type index struct {
	db       *indexDB   // nil for a node in memory, which then never flushes
	limit    int        // entries that wait in memory before they go to db
	flushMu  sync.Mutex // only one flush at a time
	removals atomic.Pointer[removals]

	mu       sync.RWMutex
	active   *memtable
	flushing *memtable // being written to db, or nil
	nextID   uint64
}

// openIndex opens index.db for the log called logID and returns the position up to which it holds
// the log. A file that cannot be used is removed: the log has everything. Only an empty log has not:
// an index of another one then says that the log was lost.
func openIndex(path string, logID [16]byte, generation uint64, empty, noSync bool) (*index, uint64, error) {
	ix, through, err := tryIndex(path, logID, generation, noSync)
	if err == nil {
		return ix, through, nil
	}
	if empty && errors.Is(err, errForeign) && through > FirstPosition {
		return nil, 0, lostLog(through)
	}
	if rm := os.Remove(path); rm != nil && !errors.Is(rm, os.ErrNotExist) {
		return nil, 0, errors.Join(err, rm)
	}
	return tryIndex(path, logID, generation, noSync)
}

func tryIndex(path string, logID [16]byte, generation uint64, noSync bool) (*index, uint64, error) {
	db, err := openIndexDB(path, noSync)
	if err != nil {
		return nil, 0, fmt.Errorf("open index: %w", err)
	}
	ix := &index{db: db, active: newMemtable(), nextID: 1}
	through, foreign := uint64(FirstPosition), false
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketState, bucketStreams, bucketEvents} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		state := tx.Bucket(bucketState)
		if got := state.Get(keyLog); got == nil {
			if k, _ := tx.Bucket(bucketStreams).Cursor().First(); k != nil {
				return errSum
			}
			return errors.Join(state.Put(keyLog, logID[:]), ix.begin(tx, generation), seal(state))
		} else if err := intact(tx, removalsOf(generation)); err != nil {
			return err
		} else if !bytes.Equal(got, logID[:]) {
			foreign = true
		}
		if !foreign {
			if err := ix.settle(tx, generation); err != nil {
				return err
			}
		}
		if v := state.Get(keyThrough); len(v) == 8 {
			through = binary.BigEndian.Uint64(v)
		}
		if v := state.Get(keyNextID); len(v) == 8 {
			ix.nextID = binary.BigEndian.Uint64(v)
		}
		return nil
	})
	if err == nil && foreign {
		err = errForeign
	}
	if err != nil {
		return nil, through, errors.Join(fmt.Errorf("open index: %w", err), db.Close())
	}
	return ix, through, nil
}

// newID names a stream that was never seen before. Only the writer calls it.
func (ix *index) newID() uint64 {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	id := ix.nextID
	ix.nextID++
	return id
}

// publish makes the entries of t visible to readers.
func (ix *index) publish(t *memtable) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.active.merge(t)
}

// info returns what is known about a stream; the zero id means that it does not exist.
func (ix *index) info(name string) (StreamInfo, error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.infoLocked(name)
}

func (ix *index) infoLocked(name string) (StreamInfo, error) {
	for _, t := range []*memtable{ix.active, ix.flushing} {
		if t == nil {
			continue
		}
		if s, ok := t.streams[name]; ok {
			return s.StreamInfo, nil
		}
	}
	info := StreamInfo{Last: -1}
	if ix.db == nil {
		return info, nil
	}
	err := ix.db.View(func(tx *bbolt.Tx) error {
		v := tx.Bucket(bucketStreams).Get([]byte(name))
		if v == nil {
			return nil
		}
		found, err := decodeStream([]byte(name), v)
		if err != nil {
			return ix.db.setAside(err.Error())
		}
		info = found
		return nil
	})
	return info, err
}

// positions returns where the events of a stream stand, from revision `from` on, at most n, in the given
// direction; 0 for one that was scavenged. It fails when the index has a hole, which only damage can explain.
func (ix *index) positions(name string, from int64, n int, backwards bool) ([]uint64, error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	info, err := ix.infoLocked(name)
	if err != nil {
		return nil, err
	}
	step := int64(1)
	if backwards {
		step, from = -1, min(from, info.Last)
	}
	first, err := ix.firstLocked(name)
	if err != nil {
		return nil, err
	}
	var out []uint64
	var missing []int64
	for rev := from; len(out) < n && rev >= 0 && rev <= info.Last; rev += step {
		pos := ix.memoryAt(name, rev)
		if pos == 0 && rev >= first {
			missing = append(missing, int64(len(out)))
		}
		out = append(out, pos)
	}
	if len(missing) == 0 {
		return out, nil
	}
	if ix.db == nil {
		return nil, fmt.Errorf("index of stream %q has no revision %d", name, from+step*missing[0])
	}
	err = ix.db.View(func(tx *bbolt.Tx) error {
		return fromDisk(tx.Bucket(bucketEvents).Cursor(), info.id, from, step, missing, out)
	})
	if errors.Is(err, errHole) {
		err = ix.db.setAside(err.Error())
	}
	if err != nil {
		return nil, fmt.Errorf("index of stream %q: %w", name, err)
	}
	return out, nil
}

// fromDisk fills in the places of out that memory did not know. Those are neighbours, so it walks.
func fromDisk(c *bbolt.Cursor, id uint64, from, step int64, missing []int64, out []uint64) error {
	var key [16]byte
	binary.BigEndian.PutUint64(key[:], id)
	var k, v []byte
	for i, place := range missing {
		binary.BigEndian.PutUint64(key[8:], uint64(from+step*place)) //nolint:gosec // not negative
		switch {
		case i == 0 || missing[i-1]+1 != place:
			k, v = c.Seek(key[:])
		case step > 0:
			k, v = c.Next()
		default:
			k, v = c.Prev()
		}
		if !bytes.Equal(k, key[:]) || len(v) != 8 {
			return fmt.Errorf("%w: %d", errHole, from+step*place)
		}
		out[place] = binary.BigEndian.Uint64(v)
	}
	return nil
}

func (ix *index) memoryAt(name string, revision int64) uint64 {
	for _, t := range []*memtable{ix.active, ix.flushing} {
		if t == nil {
			continue
		}
		if s, ok := t.streams[name]; ok {
			if pos := s.at(revision); pos != 0 {
				return pos
			}
		}
	}
	return 0
}

// full reports whether the entries in memory should go to disk, and whether they must before more come.
func (ix *index) full() (should, must bool) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	n := ix.active.events
	return ix.db != nil && n >= ix.limit, ix.db != nil && n >= flushFactor*ix.limit
}

// flush writes the entries in memory to index.db. After an error they stay in memory and are written
// by the next call.
func (ix *index) flush() error {
	ix.flushMu.Lock()
	defer ix.flushMu.Unlock()
	ix.mu.Lock()
	if ix.db == nil || (ix.active.events == 0 && ix.flushing == nil) {
		ix.mu.Unlock()
		return nil
	}
	if ix.flushing == nil {
		ix.flushing, ix.active = ix.active, newMemtable()
	}
	t, nextID := ix.flushing, ix.nextID
	ix.mu.Unlock()
	if err := ix.store(t, nextID); err != nil {
		return fmt.Errorf("flush index: %w", err)
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.flushing = nil
	return nil
}

// store writes t in several transactions, sorted by key so that each touches few pages. Until the last
// one has moved "through", a start reads the same part of the log again and finds the same answers.
func (ix *index) store(t *memtable, nextID uint64) error {
	if err := ix.storeRemovals(t); err != nil { // first: once a stream is there its gaps are not seen again
		return err
	}
	names := make([]string, 0, len(t.streams))
	for name := range t.streams {
		names = append(names, name)
	}
	slices.Sort(names)
	for chunk := range slices.Chunk(names, flushChunk) {
		err := ix.db.Update(func(tx *bbolt.Tx) error {
			b, state := tx.Bucket(bucketStreams), tx.Bucket(bucketState)
			set := readSet(state)
			for _, name := range chunk {
				info := t.streams[name].StreamInfo
				if b.Get([]byte(name)) == nil {
					set.add([]byte(name), info.id)
				}
				if err := b.Put([]byte(name), encodeStream(name, info)); err != nil {
					return err
				}
			}
			return errors.Join(state.Put(keyNextID, binary.BigEndian.AppendUint64(nil, nextID)), set.put(state), seal(state))
		})
		if err != nil {
			return err
		}
	}
	entries := make([]indexEntry, 0, t.events)
	for _, s := range t.streams {
		for i, pos := range s.positions {
			entries = append(entries, indexEntry{s.id, s.first + int64(i), pos})
		}
	}
	slices.SortFunc(entries, func(a, b indexEntry) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.revision, b.revision))
	})
	for chunk := range slices.Chunk(entries, flushChunk) {
		if err := ix.db.Update(func(tx *bbolt.Tx) error { return putEntries(tx, chunk) }); err != nil {
			return err
		}
	}
	return ix.db.Update(func(tx *bbolt.Tx) error {
		state := tx.Bucket(bucketState)
		return errors.Join(state.Put(keyThrough, binary.BigEndian.AppendUint64(nil, t.through)), seal(state))
	})
}

type indexEntry struct {
	id       uint64
	revision int64
	position uint64
}

func putEntries(tx *bbolt.Tx, entries []indexEntry) error {
	b := tx.Bucket(bucketEvents)
	b.FillPercent = 0.9 // new streams sort last, most pages are never written again
	for _, e := range entries {
		kv := binary.BigEndian.AppendUint64(make([]byte, 0, 24), e.id)
		kv = binary.BigEndian.AppendUint64(kv, uint64(e.revision)) //nolint:gosec // not negative
		kv = binary.BigEndian.AppendUint64(kv, e.position)
		if err := b.Put(kv[:16:16], kv[16:]); err != nil {
			return err
		}
	}
	return nil
}

// Close flushes what is in memory and closes index.db.
func (ix *index) Close() error {
	if ix.db == nil {
		return nil
	}
	err := ix.flush()
	if err == nil {
		err = ix.flush() // what came in while an earlier attempt was failing
	}
	return errors.Join(err, ix.db.Close())
}

// MaxName is the longest name of a stream, in bytes: that of its metadata must be a key of the index, too.
const MaxName = bbolt.MaxKeySize - len("$$")
