package main

import (
	"context"
	"fmt"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/deploy/logbench/process"
)

// server is a process that speaks the protocol, reached through the official client.
type server struct {
	label       string
	child       *process.Child
	connections []*esdb.Client
}

// connect makes that many clients and has each connect.
func connect(label string, child *process.Child, connections int) (*server, error) {
	s := &server{label: label, child: child}
	for range connections {
		config, err := esdb.ParseConnectionString(child.URL)
		if err != nil {
			return nil, err
		}
		config.Logger = esdb.NoopLogging()
		client, err := esdb.NewClient(config)
		if err != nil {
			return nil, err
		}
		s.connections = append(s.connections, client)
		if _, err := client.GetServerVersion(); err != nil {
			return nil, fmt.Errorf("connect to the %s: %w", label, err)
		}
	}
	return s, nil
}

func (s *server) name() string { return s.label }
func (s *server) pid() int     { return s.child.PID() }

// close must not be called while calls are under way: the client does not survive that.
func (s *server) close() {
	for _, client := range s.connections {
		_ = client.Close() // never fails
	}
	s.connections = nil
}

func (s *server) open(_ context.Context, l load) (session, error) {
	c := &clientSession{server: s, load: l, writers: make([]clientWriter, l.writers)}
	for w := range c.writers {
		c.writers[w] = clientWriter{stream: streamName(l.run, w)}
	}
	return c, nil
}

type clientSession struct {
	*server
	load    load
	writers []clientWriter
}

type clientWriter struct {
	stream string
	count  uint64 // of events in the stream
	_      [64]byte
}

func (c *clientSession) append(ctx context.Context, writer int) error {
	w := &c.writers[writer]
	client := c.connections[writer%len(c.connections)]
	options := esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}
	if w.count > 0 {
		options.ExpectedRevision = esdb.Revision(w.count - 1)
	}
	_, err := client.AppendToStream(ctx, w.stream, options, clientEvents(c.load.run, writer, w.count, c.load.batch)...)
	if err != nil {
		return fmt.Errorf("append to %s at %d: %w", w.stream, w.count, err)
	}
	w.count += uint64(c.load.batch) //nolint:gosec // G115: not negative
	return nil
}

func (c *clientSession) close(context.Context) error { return nil }

// recordBytes is how much the node's log grows by an event.
func recordBytes(ctx context.Context, s *server) (int, error) {
	probe, err := s.open(ctx, load{writers: 1, batch: 1})
	if err != nil {
		return 0, err
	}
	c := probe.(*clientSession)
	var positions []uint64
	for n := range 3 {
		options := esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}
		written, err := c.connections[0].AppendToStream(ctx, c.writers[0].stream, options, clientEvents(0, 0, uint64(n), 1)...)
		if err != nil {
			return 0, fmt.Errorf("measure the size of a record: %w", err)
		}
		positions = append(positions, written.CommitPosition)
	}
	return int(positions[2] - positions[1]), nil //nolint:gosec // G115: hundreds
}
