package storage

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// ErrLocked means that another process has the data directory open.
var ErrLocked = errors.New("the data directory is in use by another event node")

// ErrBackup means that a directory has a backup, not data: the next backup would cut off what a node appended there.
var ErrBackup = errors.New("this is a backup: restore it into another folder")

// Options say where a store keeps its events.
type Options struct {
	// Dir is the data directory; it is created if missing. Required unless InMemory.
	Dir string
	// InMemory keeps everything in memory: nothing is on disk, and nothing outlives the store.
	InMemory bool
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Logger defaults to none.
	Logger *slog.Logger
	// NoSync leaves out fsync. Acknowledged events may then be lost: for tests and benchmarks only.
	NoSync bool
	// Observer is told what the writer does. Defaults to none.
	Observer Observer
	// Files, when set, is given every file that the store opens to write to, by its name in Dir, and returns what
	// the store uses in its place. Tests use it to make a disk fail. The index is not among these files.
	Files func(name string, f File) File
	// FlushEvents is how many index entries wait in memory before they go to disk. Defaults to 131,072.
	FlushEvents int

	scavengeStep func(step string) error // tests stop a scavenge there
	indexNoSync  bool                    // and put other indexes in place of this one
}

// Open takes the data directory and recovers what is in it. It fails with ErrLocked when another process
// holds the directory, and with a *CorruptError when acknowledged events are damaged. Nothing can be
// written before Run.
func Open(o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // a server process has a clock
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	if o.FlushEvents == 0 {
		o.FlushEvents = defaultFlushEvents
	}
	if o.InMemory {
		log, err := openLog(o.wrap(LogName, &memoryFile{}))
		if err != nil {
			return nil, fmt.Errorf("open event store: %w", err)
		}
		return recovered(o, log, &index{active: newMemtable(), nextID: 1}, FirstPosition, 0)
	}
	s, err := openDir(o)
	if err != nil {
		return nil, fmt.Errorf("open event store: %w", err)
	}
	return s, nil
}

func openDir(o Options) (s *Store, err error) {
	if o.Dir == "" {
		return nil, errors.New("no data directory")
	}
	if err := makeDir(o.Dir); err != nil {
		return nil, err
	}
	var open []io.Closer
	defer func() {
		for i := len(open) - 1; err != nil && i >= 0; i-- {
			err = errors.Join(err, open[i].Close())
		}
	}()
	lock, err := lockDir(filepath.Join(o.Dir, lockName))
	if err != nil {
		return nil, err
	}
	open = append(open, lock)
	if _, err := os.Stat(filepath.Join(o.Dir, manifestName)); err == nil {
		return nil, fmt.Errorf("%w: %s", ErrBackup, o.Dir)
	}
	if err := o.removeUnfinished(); err != nil {
		return nil, err
	}
	file, err := o.openFile(LogName)
	if err != nil {
		return nil, err
	}
	open = append(open, file)
	log, err := openLog(file)
	if err != nil {
		return nil, err
	}
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	note, err := o.openFile(AckedName)
	if err != nil {
		return nil, err
	}
	open = append(open, note)
	acked, end, foreign, err := openAcked(note, log.id)
	if err != nil {
		return nil, err
	}
	if size == FirstPosition && foreign > FirstPosition {
		return nil, lostLog(foreign)
	}
	ix, through, err := o.openIndex(log, size == FirstPosition)
	if err != nil {
		return nil, err
	}
	if err := syncDir(o.Dir); err != nil {
		return nil, errors.Join(err, ix.Close())
	}
	s, err = recovered(o, log, ix, through, end)
	if _, damaged := errors.AsType[*IndexError](err); damaged {
		o.Logger.Warn("the index is built anew", "error", err)
		if ix, through, err = o.openIndex(log, false); err != nil {
			return nil, err
		}
		s, err = recovered(o, log, ix, through, end)
	}
	open = append(open, ix)
	if err != nil {
		return nil, err
	}
	s.lock = lock
	s.acked = acked
	if !o.NoSync && end != s.End() {
		err = acked.seal(s.End()) // readers may see it from now on
	}
	acked.off = o.NoSync
	return s, err
}

// openIndex opens the index of a log.
func (o *Options) openIndex(l *eventLog, empty bool) (*index, uint64, error) {
	ix, through, err := openIndex(filepath.Join(o.Dir, indexName), l.id, l.generation, empty, o.indexNoSync)
	if err != nil {
		return nil, 0, err
	}
	ix.limit = o.FlushEvents
	return ix, through, nil
}

// lostLog says that an empty log stands where another one ended at end.
func lostLog(end uint64) error {
	return &CorruptError{Position: FirstPosition, Reason: fmt.Sprintf("the log is empty, but events up to %d "+
		"were acknowledged; put %s back, or remove %s and %s to begin anew", end, LogName, indexName, AckedName)}
}

// recovered reads into the index what the log holds beyond it, and returns the store of both.
func recovered(o Options, l *eventLog, ix *index, through, acked uint64) (*Store, error) {
	s, torn, err := openStore(l, ix, through, acked)
	if err != nil {
		return nil, err
	}
	if torn > 0 {
		o.Logger.Warn("a write that was never acknowledged was cut off", "position", s.End(), "bytes", torn)
	}
	s.opts, s.writer = o, newWriter(s, o)
	if err := s.writer.recent.warm(s.Reader(), o.Now); err != nil {
		o.Logger.Warn("appends sent again may not be recognised", "error", err)
	}
	return s, nil
}

// ID tells one log from another. It is made once, with the log.
func (s *Store) ID() [16]byte { return s.log.id }

// Run writes what Write hands over until stop is closed and nothing waits. It must run at most once.
func (s *Store) Run(stop <-chan struct{}) { s.writer.run(stop) }

// Close releases the directory. Run must have ended. A scavenge that is still under way is given up.
func (s *Store) Close() error {
	s.writer.close()
	s.scavenging.Lock()
	defer s.scavenging.Unlock()
	errs := []error{s.index.Close(), s.log.file.Close(), s.acked.Close()}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
