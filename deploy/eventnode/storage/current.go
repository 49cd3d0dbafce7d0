package storage

import "sync"

// currentFile is the file of a log, which a scavenge exchanges for another with the same records in the same places.
// A reader holds the old one for no longer than one call, so that its space is free as soon as it is replaced.
type currentFile struct {
	mu sync.RWMutex
	logFile
}

// exchange puts another file in the place of the current one, which it returns. Nobody uses that any more.
func (f *currentFile) exchange(by logFile) logFile {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.logFile
	f.logFile = by
	return old
}

// extent returns the next part of [from, to) that is not a hole, as far as the file can tell.
func (f *currentFile) extent(from, to uint64) (start, end uint64) {
	d, ok := f.logFile.(diskFile)
	if !ok {
		return from, to
	}
	return dataExtent(d.File, from, to)
}

// ReadAt reads the current file.
func (f *currentFile) ReadAt(p []byte, off int64) (int, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.logFile.ReadAt(p, off)
}
