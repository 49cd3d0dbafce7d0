package storage

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// dirLock is the single-writer lock on a data directory.
type dirLock struct{ file *os.File }

// lockDir takes the lock. The kernel gives it back when the process ends, however it ends. It fails
// with ErrLocked when somebody else holds it.
func lockDir(path string) (*dirLock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s", ErrLocked, path)
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &dirLock{f}, nil
}

// Close gives the lock back. It says so to the kernel, because a child process that is being started
// at this moment still has a copy of the descriptor.
func (l *dirLock) Close() error {
	unlock := syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN)
	return errors.Join(unlock, l.file.Close())
}
