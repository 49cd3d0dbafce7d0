package storage

// recentLimit bounds how many events the node recognises when they are sent again without an
// expected revision.
const recentLimit = 64 << 10

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
	events map[recentKey]recentEvent
	ring   []recentKey
	next   int
}

func newRecentIDs() *recentIDs { return &recentIDs{events: map[recentKey]recentEvent{}} }

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
