package main

import (
	"errors"
	"os"
	"syscall"
)

// syncData makes the contents and the size of a file durable.
func syncData(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err != syscall.EINTR {
			return err
		}
	}
}

// freeBytes is the room that a user has left on the file system of a folder.
func freeBytes(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * s.Bsize, nil //nolint:gosec // G115: smaller than that
}

// inMemory reports whether a folder is on a file system without a disk.
func inMemory(dir string) bool {
	const tmpfs, ramfs = 0x01021994, 0x858458f6
	var s syscall.Statfs_t
	err := syscall.Statfs(dir, &s)
	return err == nil && (int64(s.Type) == tmpfs || int64(s.Type) == ramfs) //nolint:unconvert // it is shorter on some systems
}

// dropCache makes the system forget what it holds of a file in memory, so that the next reads come from the disk.
func dropCache(path string) (err error) {
	const dontNeed = 4 // POSIX_FADV_DONTNEED
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := syncData(file); err != nil { // only what is on disk can be dropped
		return err
	}
	if _, _, errno := syscall.Syscall6(syscall.SYS_FADVISE64, file.Fd(), 0, 0, dontNeed, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
