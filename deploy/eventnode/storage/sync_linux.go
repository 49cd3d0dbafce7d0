package storage

import (
	"errors"
	"os"
	"syscall"
)

// Where lseek goes, besides the usual.
const (
	seekData = 3
	seekHole = 4
)

// dataExtent returns the next part of [from, to) of f that is stored. A file system that does not know stores everything.
func dataExtent(f *os.File, from, to uint64) (start, end uint64) {
	s, err := f.Seek(int64(from), seekData) //nolint:gosec // files are smaller than that
	if errors.Is(err, syscall.ENXIO) {
		return to, to
	}
	if err != nil || s < 0 {
		return from, to
	}
	e, err := f.Seek(s, seekHole)
	if err != nil || e <= s {
		return from, to
	}
	return min(uint64(s), to), min(uint64(e), to) //nolint:gosec // not negative
}

// syncData makes the contents and the size of f durable, but not its times, which nobody reads.
func syncData(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err != syscall.EINTR {
			return err
		}
	}
}
