//go:build !linux

package main

import (
	"errors"
	"os"
)

// syncData makes the contents and the size of a file durable.
func syncData(f *os.File) error { return f.Sync() }

// freeBytes is not known here.
func freeBytes(string) (int64, error) { return 0, errors.ErrUnsupported }

// inMemory is not known here.
func inMemory(string) bool { return false }

// dropCache does nothing: the figures "page cache dropped" are those of a warm cache here.
func dropCache(string) error { return nil }
