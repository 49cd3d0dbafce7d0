package eventstore

import (
	"context"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"golang.org/x/sync/semaphore"
)

// queue passes messages on from a subscription to a Follow: as many as a batch holds, and no more bytes than a page.
type queue struct {
	items chan *esdb.SubscriptionEvent
	room  *semaphore.Weighted
}

func newQueue() queue {
	return queue{items: make(chan *esdb.SubscriptionEvent, maxBatch), room: semaphore.NewWeighted(pageBytes)}
}

// put waits for room.
func (q queue) put(ctx context.Context, m *esdb.SubscriptionEvent) error {
	if err := q.room.Acquire(ctx, weight(m)); err != nil {
		return err
	}
	select {
	case q.items <- m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// took makes room for as much as a message had that was taken, and returns how many bytes that is.
func (q queue) took(m *esdb.SubscriptionEvent) int64 {
	n := weight(m)
	q.room.Release(n)
	return n
}

func weight(m *esdb.SubscriptionEvent) int64 {
	if m.EventAppeared == nil || m.EventAppeared.Event == nil {
		return 0
	}
	return min(pageBytes, int64(len(m.EventAppeared.Event.Data)+len(m.EventAppeared.Event.UserMetadata)))
}
