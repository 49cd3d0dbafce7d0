package storage

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// File is what the store needs of a file that it writes.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync returns once everything written and the size are on disk. After an error some of it may be, and a
	// later call may succeed without putting the rest there.
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
}

type logFile = File

// diskFile is a file on disk.
type diskFile struct {
	*os.File
	noSync bool
}

// openFile opens a file of the data directory for writing.
func (o *Options) openFile(name string) (File, error) {
	f, err := os.OpenFile(filepath.Join(o.Dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return o.wrap(name, diskFile{File: f, noSync: o.NoSync}), nil
}

// wrap lets tests put something between the store and a file.
func (o *Options) wrap(name string, f File) File {
	if o.Files == nil {
		return f
	}
	return o.Files(name, f)
}

func (f diskFile) Sync() error {
	if f.noSync {
		return nil
	}
	return syncData(f.File)
}

func (f diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// memoryFile is a log that is gone when the node closes.
type memoryFile struct {
	mu    sync.RWMutex
	bytes []byte
}

func (f *memoryFile) ReadAt(p []byte, off int64) (int, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if off >= int64(len(f.bytes)) {
		return 0, io.EOF
	}
	n := copy(p, f.bytes[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memoryFile) WriteAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes = append(f.bytes[:off], p...)
	return len(p), nil
}

func (f *memoryFile) Sync() error  { return nil }
func (f *memoryFile) Close() error { return nil }

func (f *memoryFile) Truncate(size int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes = f.bytes[:size]
	return nil
}

func (f *memoryFile) Size() (int64, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return int64(len(f.bytes)), nil
}

// makeDir creates a directory and its parents, and makes their names durable.
func makeDir(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	var created []string
	for p := path; ; p = filepath.Dir(p) {
		if _, err := os.Stat(p); !errors.Is(err, os.ErrNotExist) || p == filepath.Dir(p) {
			break
		}
		created = append(created, p)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for _, p := range created {
		if err := syncDir(filepath.Dir(p)); err != nil {
			return fmt.Errorf("sync the directory of %s: %w", p, err)
		}
	}
	return nil
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
