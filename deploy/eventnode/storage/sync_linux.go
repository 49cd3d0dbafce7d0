package storage

import (
	"os"
	"syscall"
)

// syncData makes the contents and the size of f durable, but not its times, which nobody reads.
func syncData(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err != syscall.EINTR {
			return err
		}
	}
}
