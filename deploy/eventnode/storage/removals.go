package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"go.etcd.io/bbolt"
)

// What a scavenge removed is in two buckets for each generation of the log: runs, start to end and number of events, and
// firsts, stream to the first revision that is left. The next generation's are prepared while the log is still the old one.
var (
	prefixRuns    = []byte("runs ")
	prefixFirsts  = []byte("firsts ")
	keyGeneration = []byte("generation")
	keyPrepared   = []byte("prepared")
)

// errOutdated means that the index is of another file of the log.
var errOutdated = errors.New("it belongs to another generation of the log")

// removals names the buckets of one generation.
type removals struct {
	runs, firsts []byte
	any          atomic.Bool // there are firsts, which saves most logs a look
}

func removalsOf(generation uint64) *removals {
	return &removals{
		runs:   binary.BigEndian.AppendUint64(bytes.Clone(prefixRuns), generation),
		firsts: binary.BigEndian.AppendUint64(bytes.Clone(prefixFirsts), generation),
	}
}

// begin makes an empty index one of a generation.
func (ix *index) begin(tx *bbolt.Tx, generation uint64) error {
	mine := removalsOf(generation)
	mine.any.Store(tx.Bucket(mine.firsts) != nil)
	ix.removals.Store(mine)
	return tx.Bucket(bucketState).Put(keyGeneration, binary.BigEndian.AppendUint64(nil, generation))
}

// settle makes the index that of a generation of the log if it is, or was prepared to be, and forgets what belongs to
// others. Without a generation it is that of a log that was never scavenged.
func (ix *index) settle(tx *bbolt.Tx, generation uint64) error {
	state := tx.Bucket(bucketState)
	is := func(key []byte) bool {
		v := state.Get(key)
		return len(v) == 8 && binary.BigEndian.Uint64(v) == generation
	}
	if !is(keyGeneration) && !is(keyPrepared) && (generation != 0 || state.Get(keyGeneration) != nil) {
		return errOutdated
	}
	if err := ix.begin(tx, generation); err != nil {
		return err
	}
	if err := state.Delete(keyPrepared); err != nil {
		return err
	}
	return forgetOthers(tx, ix.removals.Load())
}

// forgetOthers removes the buckets of other generations.
func forgetOthers(tx *bbolt.Tx, mine *removals) error {
	var old [][]byte
	err := tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
		other := bytes.HasPrefix(name, prefixRuns) && !bytes.Equal(name, mine.runs) ||
			bytes.HasPrefix(name, prefixFirsts) && !bytes.Equal(name, mine.firsts)
		if other {
			old = append(old, bytes.Clone(name))
		}
		return nil
	})
	for _, name := range old {
		err = errors.Join(err, tx.DeleteBucket(name))
	}
	return err
}

// adopt makes the prepared generation the one that lookups use. The file remembers, once this returns without an error.
func (ix *index) adopt(generation uint64) error {
	return ix.db.Update(func(tx *bbolt.Tx) error { return ix.settle(tx, generation) })
}

// prepare notes that everything about a generation is there.
func (ix *index) prepare(generation uint64) error {
	return ix.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketState).Put(keyPrepared, binary.BigEndian.AppendUint64(nil, generation))
	})
}

// unprepare forgets what was written about a generation that is not to be.
func (ix *index) unprepare() error {
	return ix.db.Update(func(tx *bbolt.Tx) error {
		return errors.Join(tx.Bucket(bucketState).Delete(keyPrepared), forgetOthers(tx, ix.removals.Load()))
	})
}

// removedAt returns the run that position is inside of: behind its start and in front of its end.
func (ix *index) removedAt(position uint64) (found run, ok bool, err error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	for _, t := range []*memtable{ix.active, ix.flushing} {
		if t == nil {
			continue
		}
		i, _ := slices.BinarySearchFunc(t.runs, position, func(r run, p uint64) int {
			if r.end <= p {
				return -1
			}
			return 1
		})
		if i < len(t.runs) && t.runs[i].start < position {
			return t.runs[i], true, nil
		}
	}
	if ix.db == nil {
		return run{}, false, nil
	}
	err = ix.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(ix.removals.Load().runs)
		if b == nil {
			return nil
		}
		c := b.Cursor()
		at := binary.BigEndian.AppendUint64(nil, position)
		before := c.Prev
		if k, _ := c.Seek(at); k == nil {
			before = c.Last
		}
		k, v := before()
		if k != nil {
			v, err := unsealedRemoval(k, v, 16)
			if err != nil {
				return ix.db.setAside(err.Error())
			}
			found = run{binary.BigEndian.Uint64(k), binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])}
			ok = found.start < position && position < found.end
		}
		return nil
	})
	return found, ok, err
}

// scavenged reports whether anything was ever removed from what is indexed.
func (ix *index) scavenged() (yes bool, err error) {
	if ix.db == nil {
		return false, nil
	}
	err = ix.db.View(func(tx *bbolt.Tx) error {
		yes = tx.Bucket(ix.removals.Load().runs) != nil
		return nil
	})
	return yes, err
}

// first returns the first revision of a stream that was not scavenged.
func (ix *index) first(name string) (int64, error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.firstLocked(name)
}

func (ix *index) firstLocked(name string) (first int64, err error) {
	for _, t := range []*memtable{ix.active, ix.flushing} {
		if t == nil {
			continue
		}
		if first, ok := t.firsts[name]; ok {
			return first, nil
		}
	}
	if ix.db == nil || !ix.removals.Load().any.Load() {
		return 0, nil
	}
	err = ix.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(ix.removals.Load().firsts)
		if b == nil {
			return nil
		}
		if v := b.Get([]byte(name)); v != nil {
			v, err := unsealedRemoval([]byte(name), v, 8)
			if err != nil {
				return ix.db.setAside(err.Error())
			}
			first = int64(binary.BigEndian.Uint64(v)) //nolint:gosec // not negative
		}
		return nil
	})
	return first, err
}

// eachFirst calls visit with every stream of which something was removed, some at a time as eachStream does.
func (ix *index) eachFirst(ctx context.Context, visit func(streamFirst) error) error {
	var page []streamFirst
	var from []byte
	for more := true; more; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		page, more = page[:0], false
		err := ix.db.View(func(tx *bbolt.Tx) error {
			b := tx.Bucket(ix.removals.Load().firsts)
			if b == nil {
				return nil
			}
			c := b.Cursor()
			k, v := c.Seek(from)
			for ; k != nil && len(page) < flushChunk; k, v = c.Next() {
				v, err := unsealedRemoval(k, v, 8)
				if err != nil {
					return ix.db.setAside(err.Error())
				}
				page = append(page, streamFirst{string(k), int64(binary.BigEndian.Uint64(v))}) //nolint:gosec // not negative
			}
			more, from = k != nil, bytes.Clone(k)
			return nil
		})
		if err != nil {
			return fmt.Errorf("first revisions in the index: %w", err)
		}
		for _, f := range page {
			if err := visit(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// storeRemovals writes what a start found in the log.
func (ix *index) storeRemovals(t *memtable) error {
	mine := ix.removals.Load()
	if err := ix.putRuns(mine, t.runs); err != nil {
		return err
	}
	firsts := make([]streamFirst, 0, len(t.firsts))
	for name, first := range t.firsts {
		firsts = append(firsts, streamFirst{name, first})
	}
	return ix.putFirsts(mine, firsts)
}

// putRuns writes runs of a generation.
func (ix *index) putRuns(of *removals, runs []run) error {
	for chunk := range slices.Chunk(runs, flushChunk) {
		err := ix.db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(of.runs)
			if err != nil {
				return err
			}
			b.FillPercent = 0.9 // they come in order
			for _, r := range chunk {
				k, v := binary.BigEndian.AppendUint64(nil, r.start), binary.BigEndian.AppendUint64(make([]byte, 0, 20), r.end)
				if err := b.Put(k, sealed(k, binary.BigEndian.AppendUint64(v, r.events))); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

type streamFirst struct {
	name  string
	first int64
}

// putFirsts writes the first revisions of a generation.
func (ix *index) putFirsts(of *removals, firsts []streamFirst) error {
	if len(firsts) > 0 {
		of.any.Store(true)
	}
	slices.SortFunc(firsts, func(a, b streamFirst) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	for chunk := range slices.Chunk(firsts, flushChunk) {
		err := ix.db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(of.firsts)
			if err != nil {
				return err
			}
			for _, f := range chunk {
				k, v := []byte(f.name), binary.BigEndian.AppendUint64(make([]byte, 0, 12), uint64(f.first)) //nolint:gosec // not negative
				if err := b.Put(k, sealed(k, v)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
