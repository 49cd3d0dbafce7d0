package storage

import "time"

// Observer is told what the writer does. Its methods run between two groups, so they must not block.
type Observer interface {
	// Stored is called after a group of changes was written to the log and synced, with how long that took.
	Stored(g Group, took time.Duration)
	// NotStored is called after that failed; nothing of the group is visible. See NotStoredError for whether it may be later.
	NotStored(err error)
}

// Group says how much was written to the log at once.
type Group struct {
	Requests int // changes, the refused ones included
	Events   int
	Bytes    int
}

// unobserved is the observer of a store that has none.
type unobserved struct{}

func (unobserved) Stored(Group, time.Duration) {}
func (unobserved) NotStored(error)             {}

// Waiting is how many index entries are in memory and not on disk yet.
func (s *Store) Waiting() int {
	s.index.mu.RLock()
	defer s.index.mu.RUnlock()
	n := s.index.active.events
	if s.index.flushing != nil {
		n += s.index.flushing.events
	}
	return n
}
