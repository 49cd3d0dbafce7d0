package storage

import (
	"os"
	"syscall"
)

// diskUse returns how many bytes a file takes on disk, which is less than its size when it has holes.
func diskUse(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Blocks * 512, nil
	}
	return info.Size(), nil
}
