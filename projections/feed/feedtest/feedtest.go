// Package feedtest gives tests of the read side a real event store with events in it.
//
// The store is an embedded node in memory, one a test. It speaks the protocol of EventStoreDB; the client is the official one.
package feedtest

import (
	"context"
	"sync"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"aftercare/deploy/eventnode"
	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections/feed"
)

// Store is an event store that a test can stop and start again.
type Store struct {
	tb      testing.TB
	options eventnode.Options
	addr    string

	mu     sync.Mutex
	stop   func()
	client *esdb.Client
}

// New starts a store that is stopped when the test ends.
func New(tb testing.TB) *Store {
	tb.Helper()
	return start(tb, eventnode.Options{InMemory: true})
}

// Durable starts a store that keeps its events over Stop and Start.
func Durable(tb testing.TB) *Store {
	tb.Helper()
	return start(tb, eventnode.Options{Dir: tb.TempDir(), NoSync: true})
}

func start(tb testing.TB, o eventnode.Options) *Store {
	tb.Helper()
	s := &Store{tb: tb, options: o}
	s.Start()
	tb.Cleanup(s.Stop)
	return s
}

// Start starts the store where it was.
func (s *Store) Start() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Listen = s.addr
	node, err := eventnode.Open(s.options)
	if err != nil {
		s.tb.Fatal("start the event node:", err)
	}
	s.addr = node.Addr()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- node.Run(ctx) }()
	config, err := esdb.ParseConnectionString(node.URL())
	if err != nil {
		s.tb.Fatal("parse the event node's address:", err)
	}
	config.Logger = esdb.NoopLogging()
	if s.client, err = esdb.NewClient(config); err != nil {
		s.tb.Fatal("make a client:", err)
	}
	s.stop = func() {
		_ = s.client.Close()
		cancel()
		if err := <-done; err != nil {
			s.tb.Error("the event node failed:", err)
		}
		s.stop = func() {}
	}
}

// Stop stops the store, if it runs.
func (s *Store) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
}

// Log returns the store as the read side reaches it.
func (s *Store) Log() *feed.Log { return &feed.Log{URL: "esdb://" + s.addr + "?tls=false"} }

// Append writes events of one stream at its end and returns the position of the last one.
func (s *Store) Append(stream string, events ...esdb.EventData) domain.Position {
	s.tb.Helper()
	var at domain.Position
	for len(events) > 0 {
		n := min(len(events), 1000)
		wrote, err := s.client.AppendToStream(context.Background(), stream, esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, events[:n]...)
		if err != nil {
			s.tb.Fatalf("append to %s: %v", stream, err)
		}
		at = domain.Position{Commit: wrote.CommitPosition, Prepare: wrote.PreparePosition}
		events = events[n:]
	}
	return at
}

// Record encodes events and appends them. Their texts must be absent.
func (s *Store) Record(c *codec.Codec, stream string, events ...domain.Event) domain.Position {
	s.tb.Helper()
	data := make([]esdb.EventData, len(events))
	for i, e := range events {
		id := uuid.New()
		encoded, err := c.Encode(context.Background(), nil, stream, domain.UUID(id), e, domain.Metadata{})
		if err != nil {
			s.tb.Fatal(err)
		}
		data[i] = esdb.EventData{
			EventID: id, EventType: encoded.Type, ContentType: esdb.ContentTypeJson, Data: encoded.Data, Metadata: encoded.Metadata,
		}
	}
	return s.Append(stream, data...)
}
