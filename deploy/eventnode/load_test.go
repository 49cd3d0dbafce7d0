package eventnode_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"aftercare/deploy/eventnode"
)

// TestASlowConsumerCatchesUpAgain lets a live subscription fall behind: its consumer is told again when it is live.
func TestASlowConsumerCatchesUpAgain(t *testing.T) {
	t.Parallel()
	c := node(t)
	for name, open := range map[string]func() (*esdb.Subscription, error){ //nolint:paralleltest // their windows are those of one connection
		"all": func() (*esdb.Subscription, error) {
			return c.SubscribeToAll(t.Context(), esdb.SubscribeToAllOptions{
				From: esdb.End{}, Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"all"}},
			})
		},
		"stream": func() (*esdb.Subscription, error) {
			return c.SubscribeToStream(t.Context(), "stream", esdb.SubscribeToStreamOptions{From: esdb.End{}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			sub, err := open()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = sub.Close() }()
			untilCaughtUp(t, sub)
			batch := events(strings.Split(strings.Repeat(strings.Repeat("x", 10_000)+" ", 99)+"x", " ")...)
			const batches = 20 // far more than the windows between node and client hold
			for range batches {
				put(t, c, name, esdb.Any{}, batch...)
				for i := range batch {
					batch[i] = event(string(batch[i].Data))
				}
			}
			if got := untilCaughtUp(t, sub); len(got) != batches*len(batch) {
				t.Errorf("got %d events before it caught up again, want %d", len(got), batches*len(batch))
			}
		})
	}
}

// TestPingsKeepAConnection pings an idle connection as often as clients may. A server that dislikes pings says so at
// the third.
func TestPingsKeepAConnection(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", n.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	frames := http2.NewFramer(conn, conn)
	if err := frames.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	ticker := time.NewTicker(1100 * time.Millisecond)
	defer ticker.Stop()
	for answered := 0; answered < 4; {
		f, err := frames.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if f.IsAck() {
				err = frames.WritePing(false, [8]byte{1})
			} else {
				err = frames.WriteSettingsAck()
			}
		case *http2.PingFrame:
			answered++
			<-ticker.C
			err = frames.WritePing(false, [8]byte{1})
		case *http2.GoAwayFrame:
			t.Fatalf("after %d pings the node says %v %s", answered, f.ErrCode, f.DebugData())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestTheEndUnderLoad closes a node that has writers, batches and subscribers: it ends soon, everybody is told, and
// what was acknowledged is there.
func TestTheEndUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, eventnode.Options{Dir: dir})
	const writers, subscribers, enough = 16, 8, 400
	var acknowledged [writers]int
	var total atomic.Int64
	loaded := make(chan struct{})
	ack := func(w int) {
		acknowledged[w]++
		if total.Add(1) == enough {
			close(loaded)
		}
	}
	unexpected := make(chan error, writers+subscribers)
	ended := func(err error) {
		if c := status.Code(err); c != codes.Unavailable && c != codes.Canceled {
			unexpected <- err
		}
	}
	var clients sync.WaitGroup
	for w := range writers {
		cc, stream := conn(t, n), fmt.Sprint("s-", w)
		clients.Go(func() {
			if w%2 == 0 {
				ended(appendUntilTheEnd(t.Context(), cc, stream, func() { ack(w) }))
			} else {
				ended(batchUntilTheEnd(t.Context(), cc, stream, func() { ack(w) }))
			}
		})
	}
	cc := conn(t, n)
	for range subscribers {
		clients.Go(func() { ended(subscribeUntilTheEnd(t.Context(), cc)) })
	}
	<-loaded
	closed := make(chan error, 1)
	go func() { closed <- n.Close() }()
	limit := time.NewTimer(4 * time.Second) // less than it waits before it is forced
	defer limit.Stop()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-limit.C:
		t.Error("the node takes long to end")
	}
	clients.Wait()
	close(unexpected)
	for err := range unexpected {
		t.Errorf("a client was told %v", err)
	}
	again := connect(t, start(t, eventnode.Options{Dir: dir}))
	for w, want := range acknowledged {
		if got, err := readStream(t, again, fmt.Sprint("s-", w), forwards()); err != nil || len(got) < want || len(got) > want+1 {
			t.Errorf("writer %d: got %d events and %v, want %d and at most one without an answer", w, len(got), err, want)
		}
	}
}

func appendUntilTheEnd(ctx context.Context, cc *grpc.ClientConn, stream string, ack func()) error {
	for {
		s, err := streams.NewStreamsClient(cc).Append(ctx)
		if err != nil {
			return err
		}
		_ = s.Send(&streams.AppendReq{Content: &streams.AppendReq_Options_{Options: &streams.AppendReq_Options{
			StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte(stream)},
			ExpectedStreamRevision: &streams.AppendReq_Options_Any{Any: &shared.Empty{}},
		}}}) // the answer says what is wrong
		_ = s.Send(&streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: &streams.AppendReq_ProposedMessage{
			Id: stringID(), Metadata: map[string]string{"type": "noted", "content-type": "x"},
		}}})
		if _, err := s.CloseAndRecv(); err != nil {
			return err
		}
		ack()
	}
}

func batchUntilTheEnd(ctx context.Context, cc *grpc.ClientConn, stream string, ack func()) error {
	s, err := streams.NewStreamsClient(cc).BatchAppend(ctx)
	if err != nil {
		return err
	}
	for {
		_ = s.Send(part(stringID(), toStream(stream), true, "x")) // as above
		r, err := s.Recv()
		if err != nil {
			return err
		}
		if r.GetSuccess() == nil {
			return errors.New(r.GetError().GetMessage())
		}
		ack()
	}
}

func subscribeUntilTheEnd(ctx context.Context, cc *grpc.ClientConn) error {
	none := &shared.Empty{}
	s, err := streams.NewStreamsClient(cc).Read(ctx, &streams.ReadReq{Options: &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_Start{Start: none}}},
		CountOption:  &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}},
		FilterOption: &streams.ReadReq_Options_NoFilter{NoFilter: none},
		UuidOption:   &streams.ReadReq_Options_UUIDOption{Content: &streams.ReadReq_Options_UUIDOption_Structured{Structured: none}},
	}})
	for err == nil {
		_, err = s.Recv()
	}
	return err
}
