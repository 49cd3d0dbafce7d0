package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// StepwiseScavenge returns o for a store that calls step after each step of a scavenge, and gives it up when step fails.
func StepwiseScavenge(o Options, step func(name string) error) Options {
	o.scavengeStep = step
	return o
}

// Fill leaves out runs of these sizes, one behind the other, and returns the sizes of the fillers in their place.
func Fill(sizes ...uint64) (fillers []uint64, end uint64, err error) {
	w := newRewriter(nowhere{}, FirstPosition)
	w.left = func(r run) error {
		fillers = append(fillers, r.size())
		return nil
	}
	at := uint64(FirstPosition)
	for _, n := range sizes {
		if err := w.drop(run{at, at + n, 1}); err != nil {
			return nil, 0, err
		}
		at += n
	}
	end, err = w.finish()
	return fillers, end, err
}

// DiskUse is how many bytes the log in a data directory takes on disk.
func DiskUse(dir string) (int64, error) { return diskUse(filepath.Join(dir, LogName)) }

// Dir is the data directory.
func (s *Store) Dir() string { return s.opts.Dir }

// SpoilIndex makes the index take an event for another.
func SpoilIndex(dir, stream string, revision uint64) error {
	db, err := bbolt.Open(filepath.Join(dir, indexName), 0o600, nil)
	if err != nil {
		return err
	}
	return errors.Join(db.Update(func(tx *bbolt.Tx) error {
		id := bytes.Clone(tx.Bucket(bucketStreams).Get([]byte(stream))[:8])
		return tx.Bucket(bucketEvents).Put(binary.BigEndian.AppendUint64(id, revision), binary.BigEndian.AppendUint64(nil, FirstPosition))
	}), db.Close())
}

// SpoilFirsts flips a bit of every value of the index that says what was removed: the first revisions that are left, and the runs.
func SpoilFirsts(dir string) error {
	db, err := bbolt.Open(filepath.Join(dir, indexName), 0o600, nil)
	if err != nil {
		return err
	}
	return errors.Join(db.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			if !bytes.HasPrefix(name, prefixFirsts) && !bytes.HasPrefix(name, prefixRuns) {
				return nil
			}
			bad := map[string][]byte{}
			err := b.ForEach(func(k, v []byte) error {
				bad[string(k)] = bytes.Clone(v)
				return nil
			})
			for k, v := range bad {
				v[7] ^= 1
				err = errors.Join(err, b.Put([]byte(k), v))
			}
			return err
		})
	}), db.Close())
}
