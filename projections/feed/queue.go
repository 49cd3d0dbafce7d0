package feed

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// What was read and is not in flight yet: so much that reading need not wait for delivery, and no more bytes than this,
// however large the events are.
const (
	queueItems = 256
	queueBytes = 16 << 20
)

// queue passes items on from reading to delivery.
type queue struct {
	items chan item
	room  *semaphore.Weighted
}

func newQueue() queue {
	return queue{items: make(chan item, queueItems), room: semaphore.NewWeighted(queueBytes)}
}

// put waits for room.
func (q queue) put(ctx context.Context, it item) error {
	if err := q.room.Acquire(ctx, it.weight()); err != nil {
		return err
	}
	select {
	case q.items <- it:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// took makes room for as much as an item had that was taken.
func (q queue) took(it item) { q.room.Release(it.weight()) }

func (it item) weight() int64 {
	return min(queueBytes, int64(len(it.event.Data)+len(it.event.Metadata)))
}
