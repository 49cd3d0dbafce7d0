package keyring

import (
	"container/list"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/tink"

	"aftercare/domain/seal"
)

// cache holds the keys used last. An entry without a key is a tombstone and never grows old.
type cache struct {
	size int
	ttl  time.Duration
	now  func() time.Time

	mu      sync.Mutex
	order   *list.List // of entry, the one used last in front
	entries map[seal.Subject]*list.Element
	// forgets counts what was forgotten: a key read before must not be put in after.
	forgets uint64
}

type entry struct {
	subject seal.Subject
	key     tink.AEAD
	until   time.Time
}

func newCache(size int, ttl time.Duration, now func() time.Time) *cache {
	return &cache{size: size, ttl: ttl, now: now, order: list.New(), entries: map[seal.Subject]*list.Element{}}
}

// find returns the entry of a person, if there is one that is not too old.
func (c *cache) find(subject seal.Subject) (entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[subject]
	if !ok {
		return entry{}, false
	}
	e := element.Value.(entry)
	if e.key != nil && c.now().After(e.until) {
		c.remove(element)
		return entry{}, false
	}
	c.order.MoveToFront(element)
	return e, true
}

// generation is to be asked before keys are read, and given to put with them.
func (c *cache) generation() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.forgets
}

// put keeps a key, nil for a tombstone, unless something was forgotten since the generation.
func (c *cache) put(subject seal.Subject, key tink.AEAD, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key != nil && generation != c.forgets {
		return
	}
	c.set(subject, key)
}

// forget puts a tombstone.
func (c *cache) forget(subject seal.Subject) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgets++
	c.set(subject, nil)
}

func (c *cache) set(subject seal.Subject, key tink.AEAD) {
	if old, ok := c.entries[subject]; ok {
		c.remove(old)
	}
	c.entries[subject] = c.order.PushFront(entry{subject, key, c.now().Add(c.ttl)})
	for len(c.entries) > c.size {
		c.remove(c.order.Back())
	}
}

func (c *cache) remove(element *list.Element) {
	delete(c.entries, c.order.Remove(element).(entry).subject)
}
