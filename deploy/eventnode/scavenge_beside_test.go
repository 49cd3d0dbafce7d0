package eventnode_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/deploy/eventnode"
	"aftercare/deploy/eventnode/storage"
)

func TestReadsAndAppendsGoOnBesideAScavenge(t *testing.T) {
	t.Parallel()
	const writers, appends, scavenges = 4, 150, 6
	n := start(t, eventnode.EagerIndex(eventnode.Options{Dir: t.TempDir(), NoSync: true}, 50))
	c := connect(t, n)
	var m esdb.StreamMetadata
	m.SetMaxCount(3)
	for w := range writers {
		if _, err := c.SetStreamMetadata(t.Context(), fmt.Sprint("short-", w), esdb.AppendToStreamOptions{}, m); err != nil {
			t.Fatal(err)
		}
	}
	sub, err := c.SubscribeToAll(t.Context(), esdb.SubscribeToAllOptions{From: esdb.Start{}})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close() //nolint:errcheck // the test is over
	var all sync.WaitGroup
	ctx, written := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range appends {
				for _, kind := range []string{"short", "long"} {
					expected := esdb.ExpectedRevision(esdb.NoStream{})
					if i > 0 {
						expected = esdb.Revision(uint64(i - 1))
					}
					_, err := c.AppendToStream(t.Context(), fmt.Sprint(kind, "-", w), esdb.AppendToStreamOptions{ExpectedRevision: expected}, event(strconv.Itoa(i)))
					if err != nil {
						t.Errorf("append %d to %s-%d: %v", i, kind, w, err)
						return
					}
				}
			}
		})
	}
	all.Go(func() {
		// Reads $all to and fro, and the streams.
		for ctx.Err() == nil {
			for _, d := range []esdb.Direction{esdb.Forwards, esdb.Backwards} {
				from := esdb.AllPosition(esdb.Start{})
				if d == esdb.Backwards {
					from = esdb.End{}
				}
				readAll(t, c, esdb.ReadAllOptions{Direction: d, From: from}) //nolint:contextcheck // they end by themselves
			}
			for w := range writers {
				if _, err := readStream(t, c, fmt.Sprint("short-", w), esdb.ReadStreamOptions{From: esdb.Start{}}); code(err) > 0 && code(err) != esdb.ErrorCodeResourceNotFound { //nolint:contextcheck // they end by themselves
					t.Errorf("read: %v", err)
				}
			}
		}
	})
	all.Go(func() { // the subscription misses nothing that stays, and gets nothing twice
		next, short, received := map[string]uint64{}, map[string]uint64{}, 0
		for received < writers*appends {
			e := sub.Recv()
			if e.SubscriptionDropped != nil {
				t.Errorf("dropped: %v", e.SubscriptionDropped.Error)
				return
			}
			if e.EventAppeared == nil {
				continue
			}
			r := e.EventAppeared.OriginalEvent()
			switch kind, _, _ := strings.Cut(r.StreamID, "-"); kind {
			case "long":
				if r.EventNumber != next[r.StreamID] {
					t.Errorf("%s: got %d, want %d", r.StreamID, r.EventNumber, next[r.StreamID])
				}
				next[r.StreamID], received = r.EventNumber+1, received+1
			case "short":
				if r.EventNumber < short[r.StreamID] {
					t.Errorf("%s: got %d again", r.StreamID, r.EventNumber)
				}
				short[r.StreamID] = r.EventNumber + 1
			}
		}
	})
	removed := uint64(0)
	for range scavenges {
		done, err := eventnode.Scavenge(t.Context(), n)
		if err != nil && !errors.Is(err, storage.ErrScavenging) {
			t.Errorf("scavenge: %v", err)
		}
		removed += done.Events
	}
	writing.Wait()
	written()
	all.Wait()
	done, err := eventnode.Scavenge(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := removed+done.Events, uint64(writers*(appends-3)); got != want {
		t.Errorf("%d events removed, want %d", got, want)
	}
	for w := range writers {
		for kind, want := range map[string]int{"short": 3, "long": appends} {
			got, err := readStream(t, c, fmt.Sprint(kind, "-", w), esdb.ReadStreamOptions{From: esdb.Start{}})
			if err != nil || len(got) != want {
				t.Errorf("%s-%d: %d events, %v, want %d", kind, w, len(got), err, want)
			}
		}
	}
	if got, want := len(readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}})), writers*(appends+3+1); got != want {
		t.Errorf("$all has %d events, want %d", got, want)
	}
}

func TestTheMetadataOfAStreamEndsWithIt(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{Dir: t.TempDir(), NoSync: true})
	c := connect(t, n)
	put(t, c, "s", esdb.Any{}, event("x"))
	var m esdb.StreamMetadata
	m.SetMaxCount(3)
	if _, err := c.SetStreamMetadata(t.Context(), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, m); err != nil {
		t.Fatal(err)
	}
	sub, err := c.SubscribeToStream(t.Context(), "$$s", esdb.SubscribeToStreamOptions{From: esdb.Start{}})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close() //nolint:errcheck // the node ends it
	err = c.CreatePersistentSubscription(t.Context(), "$$s", "g", esdb.PersistentStreamSubscriptionOptions{StartFrom: esdb.Start{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.TombstoneStream(t.Context(), "s", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := readStream(t, c, "$$s", esdb.ReadStreamOptions{From: esdb.Start{}}); code(err) != esdb.ErrorCodeStreamDeleted {
			t.Errorf("read: got %v, want that the stream is deleted", err)
		}
		if _, err := c.SetStreamMetadata(t.Context(), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, m); code(err) != esdb.ErrorCodeStreamDeleted {
			t.Errorf("write: got %v, want that the stream is deleted", err)
		}
		if _, err := eventnode.Scavenge(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	for e := sub.Recv(); e.SubscriptionDropped == nil; e = sub.Recv() {
		if e.EventAppeared != nil && e.EventAppeared.OriginalEvent().EventType != "$metadata" {
			t.Errorf("got %v", e.EventAppeared.OriginalEvent())
		}
	}
	group, err := c.SubscribeToPersistentSubscription(t.Context(), "$$s", "g", esdb.SubscribeToPersistentSubscriptionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := group.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.GetPersistentSubscriptionInfo(t.Context(), "$$s", "g", esdb.GetPersistentSubscriptionOptions{}); err != nil {
		t.Error(err)
	}
}
