package feed_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"

	"aftercare/domain"
	"aftercare/projections/feed"
)

// stub is a server that answers reads as a test says: for what no real server does when asked.
type stub struct {
	streams.UnimplementedStreamsServer
	serverfeatures.UnimplementedServerFeaturesServer

	read func(*streams.ReadReq, streams.Streams_ReadServer) error
}

func (stub) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	return &serverfeatures.SupportedMethods{EventStoreServerVersion: "24.10.0"}, nil
}

func (s stub) Read(request *streams.ReadReq, stream streams.Streams_ReadServer) error {
	return s.read(request, stream)
}

// log serves until the test ends.
func (s stub) log(t *testing.T) *feed.Log {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	streams.RegisterStreamsServer(server, s)
	serverfeatures.RegisterServerFeaturesServer(server, s)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return &feed.Log{URL: "esdb://" + listener.Addr().String() + "?tls=false"}
}

// The client panics on answers it does not expect, which ended the process.
func TestAPanicOfTheClientIsAnError(t *testing.T) {
	t.Parallel()
	log := stub{read: func(_ *streams.ReadReq, stream streams.Streams_ReadServer) error {
		return stream.Send(&streams.ReadResp{Content: &streams.ReadResp_FirstStreamPosition{FirstStreamPosition: 1}})
	}}.log(t)
	if _, err := log.Head(t.Context()); err == nil || !strings.Contains(err.Error(), "client failed") {
		t.Errorf("got %v, want the client's failure", err)
	}
}

// A node that is behind gets the rest while a subscription looks at it: what was seen before does not come again.
func TestAStoreThatCatchesUpShowsNothingTwice(t *testing.T) {
	t.Parallel()
	log := stub{read: func(r *streams.ReadReq, stream streams.Streams_ReadServer) error {
		if r.GetOptions().GetSubscription() == nil {
			return stream.Send(at(50))
		}
		confirmation := &streams.ReadResp{Content: &streams.ReadResp_Confirmation{
			Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: "1"},
		}}
		for _, m := range []*streams.ReadResp{confirmation, at(75), at(100), at(150)} {
			if err := stream.Send(m); err != nil {
				return err
			}
		}
		<-stream.Context().Done()
		return nil
	}}.log(t)
	sub := feed.NewSubscriber(log, feed.Options{After: domain.Position{Commit: 100, Prepare: 100}})
	t.Cleanup(func() { _ = sub.Close() })
	messages, err := sub.Subscribe(t.Context(), feed.All)
	if err != nil {
		t.Fatal(err)
	}
	m := <-messages
	if p, err := feed.PositionOf(m); err != nil || p.Commit != 150 {
		t.Errorf("the event at %d came first, %v, want the one at 150", p.Commit, err)
	}
	m.Ack()
}

// What nobody has acked yet is not read in whole, however few messages there are of it.
func TestWhatIsReadAheadIsBoundedByItsSize(t *testing.T) {
	t.Parallel()
	const events, mostAhead = 120, 60
	var sent atomic.Int64
	log := stub{read: func(_ *streams.ReadReq, stream streams.Streams_ReadServer) error {
		confirmation := &streams.ReadResp{Content: &streams.ReadResp_Confirmation{
			Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: "1"},
		}}
		if err := stream.Send(confirmation); err != nil {
			return err
		}
		for i := range uint64(events) {
			e := at(1 + i)
			e.GetEvent().Event.Data = make([]byte, 1<<20)
			if err := stream.Send(e); err != nil {
				return err
			}
			sent.Add(1)
		}
		<-stream.Context().Done()
		return nil
	}}.log(t)
	sub := feed.NewSubscriber(log, feed.Options{})
	t.Cleanup(func() { _ = sub.Close() })
	messages, err := sub.Subscribe(t.Context(), feed.All)
	if err != nil {
		t.Fatal(err)
	}
	m := <-messages
	before, same := int64(-1), 0
	for tick := time.Tick(10 * time.Millisecond); same < 30; <-tick { // until it reads no more
		if now := sent.Load(); now == before {
			same++
		} else {
			before, same = now, 0
		}
	}
	if before > mostAhead {
		t.Errorf("%d MiB were read ahead of the first ack", before)
	}
	m.Ack()
	for i := range events - 1 {
		m := <-messages
		if p, err := feed.PositionOf(m); err != nil || p.Commit != uint64(2+i) {
			t.Fatalf("got %d, %v, want %d", p.Commit, err, 2+i)
		}
		m.Ack()
	}
}

// at is an event at a position.
func at(position uint64) *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id:               &shared.UUID{Value: &shared.UUID_String_{String_: "00000000-0000-0000-0000-000000000001"}},
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte("case-1")},
			CommitPosition:   position,
			PreparePosition:  position,
			Metadata:         map[string]string{"type": "case.opened.v1", "content-type": "application/json", "created": "0"},
		},
		Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: position},
	}}}
}
