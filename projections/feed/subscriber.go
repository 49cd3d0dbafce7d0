package feed

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/ThreeDotsLabs/watermill/message"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// All is the topic of every event that is not the store's own.
const All = "$all"

// ErrClosed is what Subscribe returns after Close.
var ErrClosed = errors.New("the subscriber is closed")

// Options say how to subscribe. The zero Options start at the first event and deliver one message at a time.
type Options struct {
	// After is the position after which to start.
	After domain.Position
	// Ahead is how many messages may be in flight without an ack. Defaults to 1.
	Ahead int
	// Progress asks for messages without an event: see Progress.
	Progress bool
	// NackDelay is the pause before a message is delivered again. Defaults to 10 ms.
	NackDelay time.Duration
	// Unmarshal makes the message of an event. Defaults to NewMessage.
	Unmarshal func(codec.Raw) *message.Message
	// Observe, when set, hears of every failure of the connection, and of every success as nil. It must not block.
	Observe func(error)
}

// Subscriber is a Watermill subscriber to the log. Every call of Subscribe is a subscription of its own, from Options.After
// on, that survives outages of the store.
type Subscriber struct {
	log     *Log
	options Options

	mu      sync.Mutex
	closed  bool
	closing chan struct{}
	wg      sync.WaitGroup
}

var _ message.Subscriber = (*Subscriber)(nil)

// NewSubscriber returns a subscriber to the log.
func NewSubscriber(l *Log, o Options) *Subscriber {
	o.Ahead = max(o.Ahead, 1)
	if o.NackDelay == 0 {
		o.NackDelay = 10 * time.Millisecond
	}
	if o.Unmarshal == nil {
		o.Unmarshal = NewMessage
	}
	if o.Observe == nil {
		o.Observe = func(error) {}
	}
	return &Subscriber{log: l, options: o, closing: make(chan struct{})}
}

// Subscribe returns the messages of a topic. It does not wait for the store: where it cannot be reached, messages come
// once it can. The channel is closed when ctx ends or the subscriber is closed.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	read := newQueue()
	out := make(chan *message.Message)
	s.wg.Go(func() {
		defer cancel()
		select {
		case <-s.closing:
		case <-ctx.Done():
		}
	})
	s.wg.Go(func() {
		defer close(read.items)
		s.follow(ctx, filter(topic), read)
	})
	s.wg.Go(func() {
		defer close(out)
		defer cancel()
		s.deliver(ctx, read, out)
	})
	return out, nil
}

// Close ends all subscriptions and waits for them.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}

func filter(topic string) *esdb.SubscriptionFilter {
	if topic == All || topic == "" {
		return &esdb.SubscriptionFilter{Type: esdb.EventFilterType, Regex: `^[^\$].*`}
	}
	var prefixes []string
	for category := range strings.SplitSeq(topic, ",") {
		prefixes = append(prefixes, category+".")
	}
	return &esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: prefixes}
}
