package eventnode_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"

	"aftercare/deploy/eventnode"
)

// untilCaughtUp returns the data of the events in front of CaughtUp.
func untilCaughtUp(tb testing.TB, sub *esdb.Subscription) []string {
	tb.Helper()
	out := []string{}
	for {
		switch e := sub.Recv(); {
		case e.EventAppeared != nil:
			out = append(out, string(e.EventAppeared.OriginalEvent().Data))
		case e.CaughtUp != nil:
			return out
		case e.SubscriptionDropped != nil:
			tb.Fatalf("dropped: %v", e.SubscriptionDropped.Error)
		}
	}
}

// take returns the data of the next n events.
func take(tb testing.TB, sub *esdb.Subscription, n int) []string {
	tb.Helper()
	out := []string{}
	for len(out) < n {
		e := sub.Recv()
		if e.SubscriptionDropped != nil {
			tb.Fatalf("dropped: %v", e.SubscriptionDropped.Error)
		}
		if e.EventAppeared != nil {
			out = append(out, string(e.EventAppeared.OriginalEvent().Data))
		}
	}
	return out
}

func subscribe(tb testing.TB, c *esdb.Client, o esdb.SubscribeToAllOptions) *esdb.Subscription {
	tb.Helper()
	sub, err := c.SubscribeToAll(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = sub.Close() })
	return sub
}

func TestStreamSubscription(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "s", esdb.Any{}, events("0", "1", "2")...)
	for name, tc := range map[string]struct {
		stream string
		from   esdb.StreamPosition
		want   []string
	}{
		"start":        {"s", esdb.Start{}, []string{"0", "1", "2"}},
		"exclusive":    {"s", esdb.Revision(1), []string{"2"}},
		"at the last":  {"s", esdb.Revision(2), []string{}},
		"end":          {"s", esdb.End{}, []string{}},
		"never before": {"new", esdb.Start{}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sub, err := c.SubscribeToStream(t.Context(), tc.stream, esdb.SubscribeToStreamOptions{From: tc.from})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = sub.Close() })
			if diff := cmp.Diff(tc.want, untilCaughtUp(t, sub)); diff != "" {
				t.Errorf("in front of CaughtUp (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLiveEventsFollowHistory(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "s", esdb.Any{}, events("0")...)
	setMeta(t, c, "s", `{"$maxCount":1}`)
	sub, err := c.SubscribeToStream(t.Context(), "s", esdb.SubscribeToStreamOptions{From: esdb.Start{}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Close() }()
	untilCaughtUp(t, sub)
	put(t, c, "other", esdb.Any{}, event("x"))
	put(t, c, "s", esdb.Any{}, events("1", "2", "3")...)
	if diff := cmp.Diff([]string{"1", "2", "3"}, take(t, sub, 3)); diff != "" {
		t.Errorf("live events are not bounded by metadata (-want +got):\n%s", diff)
	}
	if _, err := c.TombstoneStream(t.Context(), "s", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Fatal(err)
	}
	if e := sub.Recv(); e.EventAppeared == nil || e.EventAppeared.Event.EventType != "$streamDeleted" {
		t.Errorf("got %+v, want the tombstone", e)
	}
	if e := sub.Recv(); e.SubscriptionDropped == nil {
		t.Errorf("got %+v, want the end", e)
	}
}

func TestAllSubscription(t *testing.T) {
	t.Parallel()
	c := node(t)
	var third *esdb.WriteResult
	for i := range 6 {
		if res := put(t, c, fmt.Sprintf("s-%d", i), esdb.Any{}, event(strconv.Itoa(i))); i == 3 {
			third = res
		}
	}
	at := esdb.Position{Commit: third.CommitPosition, Prepare: third.PreparePosition}
	for name, tc := range map[string]struct {
		from esdb.AllPosition
		want []string
	}{
		"start":       {esdb.Start{}, []string{"0", "1", "2", "3", "4", "5"}},
		"exclusive":   {at, []string{"4", "5"}},
		"end":         {esdb.End{}, []string{}},
		"from beyond": {esdb.Position{Commit: 1 << 40, Prepare: 1 << 40}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sub := subscribe(t, c, esdb.SubscribeToAllOptions{From: tc.from})
			if diff := cmp.Diff(tc.want, untilCaughtUp(t, sub)); diff != "" {
				t.Errorf("in front of CaughtUp (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingIsMissedUnderConcurrentWrites(t *testing.T) {
	t.Parallel()
	c := node(t)
	const total = 2000
	done := make(chan error, 4)
	for w := range cap(done) {
		go func() {
			for i := range total / 4 {
				_, err := c.AppendToStream(t.Context(), fmt.Sprintf("s-%d", w), esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, event(strconv.Itoa(i)))
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	sub := subscribe(t, c, esdb.SubscribeToAllOptions{From: esdb.Start{}})
	next := map[string]uint64{}
	for range total {
		e := sub.Recv()
		for e.EventAppeared == nil {
			if e.SubscriptionDropped != nil {
				t.Fatal(e.SubscriptionDropped.Error)
			}
			e = sub.Recv()
		}
		r := e.EventAppeared.Event
		if r.EventNumber != next[r.StreamID] {
			t.Fatalf("%s: got revision %d, want %d", r.StreamID, r.EventNumber, next[r.StreamID])
		}
		next[r.StreamID]++
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestShutdownEndsSubscriptions(t *testing.T) {
	t.Parallel()
	n, err := eventnode.Open(eventnode.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- n.Run(ctx) }()
	sub := subscribe(t, connect(t, n), esdb.SubscribeToAllOptions{From: esdb.Start{}})
	untilCaughtUp(t, sub)
	stop()
	if e := sub.Recv(); e.SubscriptionDropped == nil {
		t.Errorf("got %+v, want the end", e)
	}
	if err := <-stopped; err != nil {
		t.Errorf("run: %v", err)
	}
	if err := n.Run(t.Context()); err == nil {
		t.Error("a closed node ran again")
	}
}
