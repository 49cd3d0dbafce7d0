package storage

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

// IndexError says that the index is damaged. The log is not: the next start builds the index anew.
type IndexError struct {
	Path   string
	Reason string
}

// Error implements error.
func (e *IndexError) Error() string {
	return fmt.Sprintf("the index %s is damaged, and built anew at the next start: %s", e.Path, e.Reason)
}

// indexDB is a bbolt file that may be damaged. bbolt trusts its pages: where one is not what it should be, it panics, or
// reads where no memory is. Then the file is set aside, and nothing touches it again.
type indexDB struct {
	db     *bbolt.DB
	path   string
	broken atomic.Pointer[IndexError]
}

// openIndexDB opens or makes the file.
func openIndexDB(path string, noSync bool) (*indexDB, error) {
	d := &indexDB{path: path}
	err := guarded(func() (err error) {
		d.db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout: time.Second, FreelistType: bbolt.FreelistMapType, NoSync: noSync, NoGrowSync: noSync,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// errPanicked is what a panic of bbolt becomes.
var errPanicked = errors.New("impossible page")

// guarded returns what f returns, or errPanicked when f panics or touches memory that is not there.
func guarded(f func() error) (err error) {
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanicked, p)
		}
	}()
	return f()
}

// View runs f in a transaction that reads. It fails with an *IndexError when the file is damaged.
func (d *indexDB) View(f func(*bbolt.Tx) error) error {
	return d.use(func() error { return d.db.View(f) })
}

// Update runs f in a transaction that writes. It fails with an *IndexError when the file is damaged.
func (d *indexDB) Update(f func(*bbolt.Tx) error) error {
	return d.use(func() error { return d.db.Update(f) })
}

func (d *indexDB) use(f func() error) error {
	if e := d.broken.Load(); e != nil {
		return e
	}
	err := guarded(f)
	if errors.Is(err, errPanicked) {
		return d.setAside(err.Error())
	}
	return err
}

// setAside marks the file as damaged and takes its name away, so that the next start makes another one.
func (d *indexDB) setAside(reason string) error {
	e := &IndexError{Path: d.path, Reason: reason}
	if !d.broken.CompareAndSwap(nil, e) {
		return d.broken.Load()
	}
	if err := os.Rename(d.path, d.path+".damaged"); err != nil {
		return errors.Join(e, err)
	}
	return e
}

// Close closes the file. One that is damaged stays open until the process ends: locks of bbolt may be held for ever.
func (d *indexDB) Close() error {
	if broken := d.broken.Load(); broken != nil {
		return nil //nolint:nilerr // it was reported
	}
	return guarded(d.db.Close)
}

// IndexDamage says that the index was found to be damaged since the start, or is nil. From then on little can be read or
// written: only the next start builds another.
func (s *Store) IndexDamage() error {
	if s.index.db == nil {
		return nil
	}
	if e := s.index.db.broken.Load(); e != nil {
		return e
	}
	return nil
}

// misled reports an entry that names the wrong place. The log says what stands there, with a checksum.
func (ix *index) misled(reason string) error {
	if ix.db == nil {
		return &IndexError{Path: "in memory", Reason: reason}
	}
	return ix.db.setAside(reason)
}
