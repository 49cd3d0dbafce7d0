package feed_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"aftercare/deploy/eventnode/eventnodetest"
	"aftercare/domain"
	"aftercare/projections/feed"
)

func stubbed(t *testing.T, s *eventnodetest.Stub) *feed.Log {
	t.Helper()
	return &feed.Log{URL: s.Start(t).URL()}
}

func opened(position uint64) *streams.ReadResp {
	return eventnodetest.Event("case-1", "case.opened.v1", position)
}

// The client panics on answers it does not expect, which ended the process.
func TestAPanicOfTheClientIsAnError(t *testing.T) {
	t.Parallel()
	log := stubbed(t, &eventnodetest.Stub{OnRead: func(_ *streams.ReadReq, stream streams.Streams_ReadServer) error {
		return stream.Send(&streams.ReadResp{Content: &streams.ReadResp_FirstStreamPosition{FirstStreamPosition: 1}})
	}})
	if _, err := log.Head(t.Context()); err == nil || !strings.Contains(err.Error(), "client failed") {
		t.Errorf("got %v, want the client's failure", err)
	}
}

// A node that is behind gets the rest while a subscription looks at it: what was seen before does not come again.
func TestAStoreThatCatchesUpShowsNothingTwice(t *testing.T) {
	t.Parallel()
	log := stubbed(t, &eventnodetest.Stub{OnRead: func(r *streams.ReadReq, stream streams.Streams_ReadServer) error {
		if r.GetOptions().GetSubscription() == nil {
			return stream.Send(opened(50))
		}
		for _, m := range []*streams.ReadResp{eventnodetest.Confirmation(), opened(75), opened(100), opened(150)} {
			if err := stream.Send(m); err != nil {
				return err
			}
		}
		<-stream.Context().Done()
		return nil
	}})
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
	log := stubbed(t, &eventnodetest.Stub{OnRead: func(_ *streams.ReadReq, stream streams.Streams_ReadServer) error {
		if err := stream.Send(eventnodetest.Confirmation()); err != nil {
			return err
		}
		for i := range uint64(events) {
			e := opened(1 + i)
			e.GetEvent().Event.Data = make([]byte, 1<<20)
			if err := stream.Send(e); err != nil {
				return err
			}
			sent.Add(1)
		}
		<-stream.Context().Done()
		return nil
	}})
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

// EventStoreDB answers so when none of its records begins at a position.
func TestAPositionThatTheStoreDoesNotKnowHasNoEvent(t *testing.T) {
	t.Parallel()
	log := stubbed(t, &eventnodetest.Stub{OnRead: func(*streams.ReadReq, streams.Streams_ReadServer) error {
		return status.Error(codes.InvalidArgument, "Trying to read from an invalid position.")
	}})
	if _, err := log.At(t.Context(), domain.Position{Commit: 7, Prepare: 7}); !errors.Is(err, feed.ErrMissing) {
		t.Errorf("got %v, want %v", err, feed.ErrMissing)
	}
	if _, err := log.At(t.Context(), domain.Position{}); err == nil || errors.Is(err, feed.ErrMissing) {
		t.Errorf("from the beginning: got %v, want another error than %v", err, feed.ErrMissing)
	}
}
