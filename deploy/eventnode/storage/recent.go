package storage

import (
	"errors"
	"hash/maphash"
	"io"
	"slices"
	"time"
)

// recentLimit bounds how many events the node recognises when they are sent again without an
// expected revision.
const recentLimit = 64 << 10

// What a start reads of the log for that: at most so many bytes, for at most so long.
const (
	warmBytes = 64 << 20
	warmTime  = time.Second
)

// recentKey is an event id and the hash of the name of a stream.
type recentKey struct {
	id     [16]byte
	stream uint64
}

type recentEvent struct {
	revision int64
	position uint64
}

// recentIDs remembers the last events written, and forgets the oldest first.
type recentIDs struct {
	seed   maphash.Seed
	events map[recentKey]recentEvent
	ring   []recentKey
	next   int
}

func newRecentIDs() *recentIDs {
	return &recentIDs{seed: maphash.MakeSeed(), events: map[recentKey]recentEvent{}}
}

func (c *recentIDs) stream(name string) uint64 { return maphash.String(c.seed, name) }

func (c *recentIDs) add(k recentKey, e recentEvent) {
	_, known := c.events[k]
	c.events[k] = e
	if known {
		return
	}
	if len(c.ring) < recentLimit {
		c.ring = append(c.ring, k)
		return
	}
	delete(c.events, c.ring[c.next])
	c.ring[c.next] = k
	c.next = (c.next + 1) % recentLimit
}

// warm remembers the last events of a log, so that what was sent before a crash is recognised after it.
// An error says that fewer are known than could be.
func (c *recentIDs) warm(rd *Reader, now func() time.Time) error {
	type found struct {
		recentKey
		recentEvent
	}
	var newestFirst []found
	end, deadline := rd.End, now().Add(warmTime)
	for pos := end; pos > FirstPosition && end-pos < warmBytes && len(newestFirst) < recentLimit; {
		r, err := rd.Before(pos)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		newestFirst = append(newestFirst, found{
			recentKey{r.ID, maphash.Bytes(c.seed, r.Stream)}, recentEvent{r.Revision, r.Position},
		})
		pos = r.Position
		if len(newestFirst)%1024 == 0 && now().After(deadline) {
			break
		}
	}
	for _, f := range slices.Backward(newestFirst) {
		c.add(f.recentKey, f.recentEvent)
	}
	return nil
}
