package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// openReadOnly opens a log that another process may be writing to.
func openReadOnly(path string) (*eventLog, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	id, generation, err := readHeader(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &eventLog{file: &currentFile{logFile: diskFile{File: f}}, id: id, generation: generation}, nil
}

// source is the log of a data directory as another process sees it.
type source struct {
	*eventLog
	end  uint64 // of what was acknowledged
	held bool   // a node has the directory, or may have
	lock io.Closer
}

// openSource opens the log in dir and finds its end. When it is asked to and no node has the directory, it keeps one from
// starting until it is closed.
func openSource(ctx context.Context, dir string, lock bool) (s *source, err error) {
	s = &source{held: true}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if lock {
		switch s.lock, err = lockExisting(dir); {
		case err == nil:
			s.held = false
		case !errors.Is(err, ErrLocked):
			return s, err
		}
	}
	path := filepath.Join(dir, LogName)
	for {
		if s.eventLog, err = openReadOnly(path); err != nil {
			return s, err
		}
		acked, known, err := Acked(dir)
		if err != nil {
			return s, err
		}
		current, err := s.is(path)
		if err != nil {
			return s, err
		}
		if !current { // scavenged meanwhile, and what was acknowledged since may not be in this file
			if err := s.file.Close(); err != nil {
				return s, err
			}
			continue
		}
		if s.end = max(acked, FirstPosition); !known || !s.held {
			s.end, err = s.wholeEnd(ctx, s.end)
		}
		return s, err
	}
}

// lockExisting takes the lock of a directory if there is one. Both results are nil when there is not.
func lockExisting(dir string) (io.Closer, error) {
	path := filepath.Join(dir, lockName)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // none is an answer, not an error
	}
	lock, err := lockDir(path)
	if err != nil {
		return nil, err
	}
	return lock, nil
}

// is reports whether s is the file at path.
func (s *source) is(path string) (bool, error) {
	mine, err := s.file.logFile.(diskFile).Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(mine, there), err
}

// wholeEnd returns where the last whole append behind from ends. Behind that may stand what a crash tore; damage to
// anything else is a *CorruptError.
func (s *source) wholeEnd(ctx context.Context, from uint64) (uint64, error) {
	size, err := s.file.Size()
	if err != nil {
		return 0, err
	}
	to, end := uint64(size), from //nolint:gosec // not negative
	if to < from {
		return 0, &CorruptError{Position: to, Reason: fmt.Sprintf("the log ends here, but events up to %d were acknowledged", from)}
	}
	err = walk(ctx, s.eventLog, from, to, func(r *Record, _ []byte) error {
		if r.Flags&flagLastOfAppend != 0 {
			end = r.Next()
		}
		return nil
	})
	if _, damaged := errors.AsType[*CorruptError](err); damaged {
		err = s.onlyTorn(end, to)
	}
	return end, err
}

// Close closes the file and lets a node start.
func (s *source) Close() error {
	var errs []error
	if s.eventLog != nil {
		errs = append(errs, s.file.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
