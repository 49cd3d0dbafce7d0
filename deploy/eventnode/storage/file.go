package storage

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// logFile is what the log needs from the thing it is written to.
type logFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
}

// diskFile is a log on disk.
type diskFile struct {
	*os.File
	noSync bool
	fault  func(bytes int) error
}

// openFile opens a file of the data directory for writing.
func (o *Options) openFile(name string) (logFile, error) {
	f, err := os.OpenFile(filepath.Join(o.Dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return diskFile{File: f, noSync: o.NoSync, fault: o.WriteFault}, nil
}

func (f diskFile) WriteAt(p []byte, off int64) (int, error) {
	if f.fault != nil {
		if err := f.fault(len(p)); err != nil {
			return 0, err
		}
	}
	return f.File.WriteAt(p, off)
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
	fault func(bytes int) error
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
	if f.fault != nil {
		if err := f.fault(len(p)); err != nil {
			return 0, err
		}
	}
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

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
