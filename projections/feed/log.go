package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// Log is an EventStoreDB, to read from. It holds no connection and needs no closing.
type Log struct {
	// URL is the connection string, such as "esdb://127.0.0.1:2113?tls=false".
	URL string
	// Timeout bounds the time from asking for a connection to the first answer. Defaults to 10 s.
	Timeout time.Duration
	// Logger hears of lost and found connections. Defaults to none.
	Logger *slog.Logger
}

var errTimeout = errors.New("no answer in time")

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
}

// open makes a client and its one call. The client ignores ctx while it looks for a node, so the call runs aside: when
// ctx or the timeout ends first, the client is closed as soon as the call comes back.
func open[T any](ctx context.Context, l *Log, call func(context.Context, *esdb.Client) (T, error), end func(T)) (opened[T], error) {
	client, err := l.client()
	if err != nil {
		return opened[T]{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	type answer struct {
		stream T
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		stream, err := call(ctx, client)
		answered <- answer{stream, err}
	}()
	shut := func(a answer) {
		if a.err == nil {
			end(a.stream)
		}
		cancel()
		_ = client.Close()
	}
	abandon := func() {
		cancel()
		go func() { shut(<-answered) }()
	}
	timer := time.NewTimer(l.timeout())
	defer timer.Stop()
	select {
	case a := <-answered:
		if a.err != nil {
			shut(a)
			return opened[T]{}, a.err
		}
		return opened[T]{a.stream, func() { shut(a) }}, nil
	case <-ctx.Done():
		abandon()
		return opened[T]{}, ctx.Err()
	case <-timer.C:
		abandon()
		return opened[T]{}, errTimeout
	}
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
