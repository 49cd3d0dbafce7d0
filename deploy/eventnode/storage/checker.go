package storage

import (
	"fmt"
	"time"
)

// checker looks at every record of a log in order. That records stand where they say, and their checksums, is what walk
// checks; here it is that the revisions of each stream have no gaps but those that a scavenge left.
type checker struct {
	figures   Figures
	streams   map[string]int64 // the last revision of each
	scavenged bool             // so that revisions may be missing
	index     *indexCheck      // or nil
}

// Figures describe a log.
type Figures struct {
	Log          string    `json:"log"`          // its id
	End          uint64    `json:"end"`          // the position where it ends
	Events       uint64    `json:"events"`       // that are in it
	Streams      int       `json:"streams"`      // that have events in it
	Removed      uint64    `json:"removed"`      // events that a scavenge removed, as far as is known
	LastPosition uint64    `json:"lastPosition"` // of the last event
	LastRecorded time.Time `json:"lastRecorded"` // when the last event was recorded
}

func newChecker(l *eventLog) *checker {
	return &checker{streams: map[string]int64{}, figures: Figures{Log: fmt.Sprintf("%x", l.id), End: FirstPosition}}
}

// see checks a record or a filler.
func (c *checker) see(r *Record) error {
	c.figures.End = r.Next()
	if r.filler() {
		c.figures.Removed += r.run().events
		c.scavenged = true
		return nil
	}
	last, known := c.streams[string(r.Stream)]
	if !known {
		last = -1
	}
	switch gap := r.Revision - last - 1; {
	case last == TombstoneRevision:
		return &CorruptError{Position: r.Position, Reason: fmt.Sprintf("%s has ended in front of it", r.Stream)}
	case r.Revision == TombstoneRevision:
	case gap < 0 || gap > 0 && !c.scavenged:
		return &CorruptError{Position: r.Position, Reason: fmt.Sprintf("revision %d of %s follows %d", r.Revision, r.Stream, last)}
	}
	c.streams[string(r.Stream)] = r.Revision
	c.figures.Events++
	c.figures.LastPosition, c.figures.LastRecorded = r.Position, timeOf(r.Created)
	if c.index == nil {
		return nil
	}
	return c.index.see(r)
}

// timeOf is the inverse of Ticks.
func timeOf(ticks int64) time.Time {
	return time.Unix(ticks/10_000_000, ticks%10_000_000*100).UTC()
}
