package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// Log is an EventStoreDB, to read from. It holds no connection and needs no closing. It must not be copied after its first use.
type Log struct {
	// URL is the connection string, such as "esdb://127.0.0.1:2113?tls=false".
	URL string
	// Timeout bounds the time from asking for a connection to having one, from there to the first answer, and, for reads, from
	// one event to the next.
	// Defaults to 10 s.
	Timeout time.Duration
	// Logger hears of lost and found connections. Defaults to none.
	Logger *slog.Logger

	left sync.WaitGroup // attempts to connect whose callers have left
}

var errTimeout = errors.New("no answer in time")

// Wait returns when the attempts to connect that their callers have left have ended. They end by themselves, after as many
// gossip timeouts as there are nodes, twice.
func (l *Log) Wait() { l.left.Wait() }

func (l *Log) logger() *slog.Logger {
	if l.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l.Logger
}

func (l *Log) timeout() time.Duration {
	if l.Timeout == 0 {
		return 10 * time.Second
	}
	return l.Timeout
}

func (l *Log) client() (*esdb.Client, error) {
	config, err := esdb.ParseConnectionString(l.URL)
	if err != nil {
		return nil, fmt.Errorf("read the event store's url: %w", err)
	}
	config.MaxDiscoverAttempts = 1
	config.DiscoveryInterval = 1
	config.Logger = esdb.NoopLogging()
	// One silent node must not take the time of the others.
	nodes := max(1, len(config.GossipSeeds))
	if nodes > 1 {
		nodes++
	}
	config.GossipTimeout = max(1, min(config.GossipTimeout, int(l.timeout()/time.Second)/nodes))
	client, err := esdb.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("make an event store client: %w", err)
	}
	return client, nil
}

// opened is a client and the one stream of answers it was made for.
type opened[T any] struct {
	stream T
	close  func()
	// abort ends what the stream waits for, with a cause.
	abort context.CancelCauseFunc
	cause func() error
}

// open makes a client and its one call. The client ignores ctx while it looks for a node, so the call runs aside: when
// ctx or the timeout ends first, the client is closed as soon as the call comes back.
func open[T any](ctx context.Context, l *Log, call func(context.Context, *esdb.Client) (T, error), end func(T)) (opened[T], error) {
	client, err := l.client()
	if err != nil {
		return opened[T]{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	type answer struct {
		stream T
		err    error
	}
	answered := make(chan answer, 1)
	l.left.Go(func() {
		stream, err := guard(func() (T, error) { return call(ctx, client) })
		answered <- answer{stream, err}
	})
	shut := func(a answer) {
		if a.err == nil {
			end(a.stream)
		}
		cancel(nil)
		_ = client.Close() // no call is in flight
	}
	abandon := func() {
		cancel(nil)
		l.left.Go(func() { shut(<-answered) })
	}
	timer := time.NewTimer(l.timeout())
	defer timer.Stop()
	select {
	case a := <-answered:
		if a.err != nil {
			shut(a)
			return opened[T]{}, a.err
		}
		return opened[T]{a.stream, func() { shut(a) }, cancel, func() error { return context.Cause(ctx) }}, nil
	case <-ctx.Done():
		abandon()
		return opened[T]{}, ctx.Err()
	case <-timer.C:
		abandon()
		return opened[T]{}, errTimeout
	}
}

// guard turns a panic of the client, which it has for answers it does not expect, into an error.
func guard[T any](f func() (T, error)) (_ T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the event store's client failed: %v", p)
		}
	}()
	return f()
}

func position(p esdb.Position) domain.Position {
	return domain.Position{Commit: p.Commit, Prepare: p.Prepare}
}

func from(after domain.Position) esdb.AllPosition {
	if after == (domain.Position{}) {
		return esdb.Start{}
	}
	return esdb.Position{Commit: after.Commit, Prepare: after.Prepare}
}

func raw(e *esdb.RecordedEvent) codec.Raw {
	return codec.Raw{
		ID: domain.UUID(e.EventID), Stream: e.StreamID, Revision: e.EventNumber, Position: position(e.Position),
		RecordedAt: e.CreatedDate.UTC(), Type: e.EventType, Data: e.Data, Metadata: e.UserMetadata,
	}
}
