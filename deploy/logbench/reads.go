package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/deploy/logbench/measure"
)

const (
	readAll   = "read of $all"
	catchUp   = "catch-up subscription"
	fillBatch = 500
)

// reads measures how fast the client gets everything from a node, and from a server that only streams.
func (b *bench) reads(ctx context.Context, r *report) (err error) {
	child, err := b.startNode(ctx, "node-reads")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, child.Stop()) }()
	node, err := connect(nameNode, child, b.options.connections)
	if err != nil {
		return err
	}
	defer node.close()
	b.progress("reads: append %d events", b.options.reads)
	if err := b.fill(ctx, node); err != nil {
		return err
	}
	stubChild, err := b.startStub(ctx, b.options.reads)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stubChild.Stop()) }()
	ceiling, err := connect(nameStub, stubChild, 1)
	if err != nil {
		return err
	}
	defer ceiling.close()

	r.Reads = []readFigures{{Kind: readAll, Events: b.options.reads}, {Kind: catchUp, Events: b.options.reads}}
	for round := range b.options.rounds {
		for i := range r.Reads {
			figures := &r.Reads[i]
			turns := []*server{node, ceiling}
			if (round+i)%2 == 1 {
				turns = []*server{ceiling, node}
			}
			for _, s := range turns {
				b.progress("round %d of %d: %s: %s", round+1, b.options.rounds, figures.Kind, s.name())
				perSecond, used, err := b.readOnce(ctx, s, figures.Kind)
				if err != nil {
					return fmt.Errorf("%s of the %s: %w", figures.Kind, s.name(), err)
				}
				if s == node {
					figures.Node.add(perSecond, used)
				} else {
					figures.Ceiling.add(perSecond, used)
				}
			}
		}
	}
	return nil
}

// fill appends the events that are read, through all streams alike.
func (b *bench) fill(ctx context.Context, s *server) error {
	const writers = 8
	drive := measure.Drive{Writers: writers, Now: b.now}
	return drive.Times(ctx, (b.options.reads+fillBatch-1)/fillBatch, b.filler(s, writers, b.options.reads))
}

// filler returns an op that appends the n-th batch of a store of that many events.
func (b *bench) filler(s *server, writers, events int) func(ctx context.Context, writer, n int) error {
	run := b.nextRun()
	counts := make([]uint64, writers)
	return func(ctx context.Context, writer, n int) error {
		batch := min(fillBatch, events-n*fillBatch)
		options := esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}
		if counts[writer] > 0 {
			options.ExpectedRevision = esdb.Revision(counts[writer] - 1)
		}
		client := s.connections[writer%len(s.connections)]
		_, err := client.AppendToStream(ctx, streamName(run, writer), options, clientEvents(run, writer, counts[writer], batch)...)
		counts[writer] += uint64(batch) //nolint:gosec // G115: not negative
		return err
	}
}

// readOnce reads everything once.
func (b *bench) readOnce(ctx context.Context, s *server, kind string) (perSecond float64, used cores, err error) {
	read := readEverything
	if kind == catchUp {
		read = subscribeUntilCaughtUp
	}
	before := usageOf(b.now(), s.pid())
	n, err := read(ctx, s.connections[0])
	if err != nil {
		return 0, cores{}, err
	}
	after := usageOf(b.now(), s.pid())
	if n < b.options.reads {
		return 0, cores{}, fmt.Errorf("got %d events of %d", n, b.options.reads)
	}
	return float64(n) / after.at.Sub(before.at).Seconds(), usageBetween(before, after), nil
}

// readEverything returns how many events a read of $all gave.
func readEverything(ctx context.Context, client *esdb.Client) (int, error) {
	stream, err := client.ReadAll(ctx, esdb.ReadAllOptions{From: esdb.Start{}, Direction: esdb.Forwards}, math.MaxInt64)
	if err != nil {
		return 0, err
	}
	return drainStream(stream)
}

// drainStream returns how many events a read gives, and closes it.
func drainStream(stream *esdb.ReadStream) (int, error) {
	defer stream.Close()
	for n := 0; ; n++ {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}

// subscribeUntilCaughtUp returns how many events a subscription to $all gave before it was live.
func subscribeUntilCaughtUp(ctx context.Context, client *esdb.Client) (int, error) {
	subscription, err := client.SubscribeToAll(ctx, esdb.SubscribeToAllOptions{From: esdb.Start{}})
	if err != nil {
		return 0, err
	}
	defer subscription.Close() //nolint:errcheck // never fails
	for n := 0; ; {
		switch event := subscription.Recv(); {
		case event.EventAppeared != nil:
			n++
		case event.CaughtUp != nil:
			return n, nil
		case event.SubscriptionDropped != nil:
			return n, fmt.Errorf("dropped: %w", event.SubscriptionDropped.Error)
		}
	}
}
