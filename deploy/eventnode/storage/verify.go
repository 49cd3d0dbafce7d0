package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// Verified says what a backup or a data directory holds.
type Verified struct {
	Figures
	Backup     bool   `json:"backup"`     // it is a backup, not a data directory
	Running    bool   `json:"running"`    // a node has the data directory
	Index      string `json:"index"`      // whether the index agrees, or why that was not looked at
	Unfinished uint64 `json:"unfinished"` // bytes behind the end that nobody was told of: a torn write, a backup that stopped
}

// Verify reads a whole backup or data directory, also beside a running node: the checksum of every record, that positions
// increase, that the revisions of each stream have no gaps, the manifest of a backup, and the index where no node
// has it. A *CorruptError names the first damaged position, and an *IndexError an index that cannot be read. It keeps the name of every stream in memory.
func Verify(ctx context.Context, dir string, progress func(done, total uint64)) (v Verified, err error) {
	if _, err := os.Stat(filepath.Join(dir, manifestName)); err == nil {
		v, err = verifyBackup(ctx, dir, progress)
		if err != nil {
			return v, fmt.Errorf("verify: %w", err)
		}
		return v, nil
	}
	err = guarded(func() (err error) { // of the index: a damaged one makes bbolt panic
		v, err = verifyData(ctx, dir, progress)
		return err
	})
	if errors.Is(err, errPanicked) {
		err = &IndexError{Path: filepath.Join(dir, indexName), Reason: err.Error()}
	}
	if err != nil {
		return v, fmt.Errorf("verify: %w", err)
	}
	return v, nil
}

func verifyBackup(ctx context.Context, dir string, progress func(done, total uint64)) (v Verified, err error) {
	l, m, err := openBackup(dir)
	if err != nil {
		return v, err
	}
	defer l.file.Close() //nolint:errcheck // only read
	w := newRewriter(nowhere{}, 0)
	w.sum = sha256.New()
	v.Backup, v.Index = true, "a backup has none"
	if v.Figures, err = checkBackup(ctx, l, m, w, progress); err != nil {
		return v, err
	}
	size, err := l.file.Size()
	v.Unfinished = uint64(size) - m.End //nolint:gosec // not negative
	return v, err
}

// nowhere takes what is written and forgets it.
type nowhere struct{}

func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }

func verifyData(ctx context.Context, dir string, progress func(done, total uint64)) (v Verified, err error) {
	src, err := openSource(ctx, dir, true)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	v.Running = src.held
	c := newChecker(src.eventLog)
	closeIndex, err := v.openIndex(c, src, dir)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, closeIndex()) }()
	told := uint64(0)
	err = walk(ctx, src.eventLog, FirstPosition, src.end, func(r *Record, _ []byte) error {
		if progress != nil && r.Position-told >= rewriteBuffer {
			told = r.Position
			progress(told, src.end)
		}
		return c.see(r)
	})
	c.figures.Streams = len(c.streams)
	v.Figures = c.figures
	if err != nil || src.held {
		return v, err
	}
	size, err := src.file.Size()
	v.Unfinished = uint64(size) - v.End //nolint:gosec // not negative
	return v, err
}

// openIndex makes c compare the index where that can be done.
func (v *Verified) openIndex(c *checker, src *source, dir string) (closed func() error, err error) {
	closed = func() error { return nil }
	path := filepath.Join(dir, indexName)
	if _, err := os.Stat(path); src.held || err != nil {
		if v.Index = "there is none, the next start builds it"; src.held {
			v.Index = "the running node has it, so it was not looked at"
		}
		return closed, nil
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		v.Index = "it cannot be opened, and the next start builds it anew: " + err.Error()
		return closed, nil //nolint:nilerr // it holds nothing that the log does not
	}
	tx, err := db.Begin(false)
	if err != nil {
		return closed, errors.Join(err, db.Close())
	}
	closed = func() error { return errors.Join(tx.Rollback(), db.Close()) }
	state := tx.Bucket(bucketState)
	if state == nil || !bytes.Equal(state.Get(keyLog), src.id[:]) || !generationIs(state, keyGeneration, src.generation) && !generationIs(state, keyPrepared, src.generation) {
		v.Index = "it is that of another log, and the next start builds it anew"
		return closed, nil
	}
	if err := intact(tx, removalsOf(src.generation)); err != nil {
		return closed, errors.Join(&IndexError{Path: path, Reason: err.Error()}, closed())
	}
	c.index = &indexCheck{
		streams: tx.Bucket(bucketStreams), events: tx.Bucket(bucketEvents), firsts: tx.Bucket(removalsOf(src.generation).firsts),
		through: FirstPosition,
	}
	if b := state.Get(keyThrough); len(b) == 8 {
		c.index.through = binary.BigEndian.Uint64(b)
	}
	v.Index = fmt.Sprintf("agrees up to %d", c.index.through)
	if c.index.through > src.end {
		return closed, errors.Join(&CorruptError{
			Position: src.end, Reason: fmt.Sprintf("the log ends here, but the index knows of events up to %d", c.index.through),
		}, closed())
	}
	return closed, nil
}

// generationIs reports whether a key of the state names a generation. None is that of a log that was never scavenged.
func generationIs(state *bbolt.Bucket, key []byte, generation uint64) bool {
	v := state.Get(key)
	return v == nil && generation == 0 && bytes.Equal(key, keyGeneration) || len(v) == 8 && binary.BigEndian.Uint64(v) == generation
}

// indexCheck compares the records of a log with the index on disk.
type indexCheck struct {
	streams, events *bbolt.Bucket
	firsts          *bbolt.Bucket // nil when nothing was removed
	through         uint64        // what is behind this is not in the index yet
}

func (x *indexCheck) see(r *Record) error {
	if r.Next() > x.through {
		return nil
	}
	v, at := x.streams.Get(r.Stream), uint64(0)
	if len(v) >= streamEntry && r.Revision == TombstoneRevision {
		at = binary.BigEndian.Uint64(v[16:])
	} else if len(v) >= streamEntry {
		if e := x.events.Get(binary.BigEndian.AppendUint64(bytes.Clone(v[:8]), uint64(r.Revision))); len(e) == 8 { //nolint:gosec // not negative
			at = binary.BigEndian.Uint64(e)
		}
	}
	if at != r.Position && !x.passed(r) {
		return &CorruptError{Position: r.Position, Reason: fmt.Sprintf("the index has revision %d of %s at %d; remove index.db to build it anew", r.Revision, r.Stream, at)}
	}
	return nil
}

// passed reports whether r stands in front of where its stream begins for readers. A backup made before and after a
// scavenge has such records.
func (x *indexCheck) passed(r *Record) bool {
	if x.firsts == nil {
		return false
	}
	v, err := unsealedRemoval(r.Stream, x.firsts.Get(r.Stream), 8)
	return err == nil && uint64(r.Revision) < binary.BigEndian.Uint64(v) //nolint:gosec // not negative
}
