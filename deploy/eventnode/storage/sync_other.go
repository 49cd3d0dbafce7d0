//go:build !linux

package storage

import "os"

// dataExtent returns all of [from, to).
func dataExtent(_ *os.File, from, to uint64) (start, end uint64) { return from, to }

// syncData makes f durable.
func syncData(f *os.File) error { return f.Sync() }
