package persistent

import (
	"container/list"
	"context"
	"sync"
)

// ConsumerInfo is what a group is told about a consumer, for people who look at it.
type ConsumerInfo struct {
	Name string
	From string
	User string
}

// Consumer is one consumer of a group. One goroutine may call Next while others answer.
type Consumer struct {
	id     ConsumerID
	runner *Runner
	info   ConsumerInfo
	more   chan struct{} // holds a value when there is something to send
	closed chan struct{}
	reason error // why, once closed is closed

	mu     sync.Mutex
	queue  *list.List // of Delivery, never more than the consumer's slots
	places map[ID]*list.Element
}

// Join adds a consumer that takes up to slots events without answering, which must be positive. It fails
// with ErrFull, or with the reason why the group stopped. The consumer must Leave.
func (r *Runner) Join(ctx context.Context, slots int, info ConsumerInfo) (*Consumer, error) {
	c := &Consumer{
		runner: r, info: info, more: make(chan struct{}, 1), closed: make(chan struct{}),
		queue: list.New(), places: map[ID]*list.Element{},
	}
	var refused error
	err := r.call(ctx, func() {
		if r.group.Full() {
			refused = ErrFull
			return
		}
		if len(r.consumers) == 0 {
			r.caughtUp = false // nobody looked while there were no consumers
		}
		r.lastID++
		c.id = r.lastID
		r.consumers[c.id] = c
		r.apply(r.group.Join(r.o.Now(), c.id, slots))
	})
	if err == nil {
		err = refused
	}
	return c, err
}

// Next waits for an event to send. It fails with the reason why the consumer was dropped.
func (c *Consumer) Next(ctx context.Context) (Delivery, error) {
	for {
		select {
		case <-c.closed:
			return Delivery{}, c.reason
		default:
		}
		if d, ok := c.take(); ok {
			return d, nil
		}
		select {
		case <-c.more:
		case <-c.closed:
			return Delivery{}, c.reason
		case <-ctx.Done():
			return Delivery{}, ctx.Err()
		}
	}
}

// Closed is closed when the consumer was dropped.
func (c *Consumer) Closed() <-chan struct{} { return c.closed }

// Ack says that events are done.
func (c *Consumer) Ack(ctx context.Context, ids ...ID) error {
	return c.runner.call(ctx, func() { c.runner.apply(c.runner.group.Ack(c.runner.o.Now(), ids...)) })
}

// Nack says that events are refused, and what is to be done with them.
func (c *Consumer) Nack(ctx context.Context, action Action, reason string, ids ...ID) error {
	return c.runner.call(ctx, func() {
		c.runner.apply(c.runner.group.Nack(c.runner.o.Now(), action, reason, ids...))
	})
}

// Leave gives back what was not answered. It may be called again, and after the consumer was dropped.
func (c *Consumer) Leave() {
	_ = c.runner.call(context.Background(), func() { // a group that has stopped holds nothing
		r := c.runner
		if _, ok := r.consumers[c.id]; ok {
			delete(r.consumers, c.id)
			c.close(context.Canceled)
			r.apply(r.group.Leave(r.o.Now(), c.id))
		}
	})
}

func (c *Consumer) take() (Delivery, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.queue.Front()
	if first == nil {
		return Delivery{}, false
	}
	d := c.queue.Remove(first).(Delivery) //nolint:forcetypeassert // it holds nothing else
	delete(c.places, d.Event.ID)
	return d, true
}

func (c *Consumer) deliver(d Delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.places[d.Event.ID] = c.queue.PushBack(d)
	select {
	case c.more <- struct{}{}:
	default:
	}
}

func (c *Consumer) revoke(id ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.places[id]; ok {
		c.queue.Remove(e)
		delete(c.places, id)
	}
}

func (c *Consumer) close(reason error) {
	c.reason = reason
	close(c.closed)
}
