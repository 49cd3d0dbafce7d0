package eventnode

import (
	"os"
	"syscall"
)

// syncData makes the contents and the size of f durable, but not its times, which nobody reads.
func syncData(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd())) //nolint:gosec // a descriptor fits an int
		if err != syscall.EINTR {             //nolint:errorlint // a bare errno
			return err
		}
	}
}
