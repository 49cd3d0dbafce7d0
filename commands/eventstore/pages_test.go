package eventstore_test

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"aftercare/commands"
	"aftercare/commands/eventstore"
	"aftercare/commands/logtest"
	"aftercare/deploy/eventnode/eventnodetest"
	"aftercare/domain"
)

// A long stream takes few calls, so that a command on it takes a bounded time on a slow network too, and a stream of large events
// takes as many as keep a page small.
func TestAStreamIsReadInFewCalls(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		length, size int
		reads        int64
	}{
		"never written":         {length: 0, reads: 1},
		"one":                   {length: 1, reads: 1},
		"one short of a page":   {length: 4095, reads: 1},
		"a page":                {length: 4096, reads: 2}, // the second finds nothing
		"10,000":                {length: 10_000, reads: 3},
		"12 of 900 kB, by 4 MB": {length: 12, size: 900_000, reads: 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			write(t, n, test.length, test.size)
			var reads atomic.Int64
			s := (&eventnodetest.Stub{OnRead: counting(t, n, &reads)}).Start(t)
			log := openLog(t, s.URL(), logtest.Codec(), eventstore.Options{})
			got := 0
			for r, err := range log.Read(t.Context(), "logtest-1", 0) {
				noted, ok := r.Event.(logtest.Noted)
				if err != nil || !ok || r.Revision != uint64(got) || noted.N != got || len(noted.Text) != test.size { //nolint:gosec // not negative
					t.Fatalf("event %d: %d@%s, %v", got, r.Revision, r.Stream, err)
				}
				got++
			}
			if got != test.length || reads.Load() != test.reads {
				t.Errorf("%d events in %d reads, want %d in %d", got, reads.Load(), test.length, test.reads)
			}
		})
	}
}

// write fills the stream logtest-1 of a node with events whose texts have a size.
func write(t *testing.T, n *node, length, size int) {
	t.Helper()
	log := openLog(t, n.url, logtest.Codec(), eventstore.Options{})
	batch := max(1, 500_000/(size+500))
	for i := 0; i < length; i += batch {
		proposed := make([]commands.Proposed, min(batch, length-i))
		for j := range proposed {
			proposed[j] = commands.Proposed{
				ID:    domain.DeriveUUID(domain.UUID{8}, strconv.Itoa(i+j)),
				Event: logtest.Noted{N: i + j, Text: strings.Repeat("x", size)},
			}
		}
		if _, err := log.Append(t.Context(), "logtest-1", commands.Expected(i-1), proposed); err != nil {
			t.Fatal(err)
		}
	}
}

// counting passes reads on to a node.
func counting(t *testing.T, n *node, reads *atomic.Int64) func(*streams.ReadReq, streams.Streams_ReadServer) error {
	t.Helper()
	conn, err := grpc.NewClient(n.options.Listen, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	client := streams.NewStreamsClient(conn)
	return func(request *streams.ReadReq, down streams.Streams_ReadServer) error {
		reads.Add(1)
		up, err := client.Read(down.Context(), request)
		if err != nil {
			return err
		}
		for {
			m, err := up.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := down.Send(m); err != nil {
				return err
			}
		}
	}
}
