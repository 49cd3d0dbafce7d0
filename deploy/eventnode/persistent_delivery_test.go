package eventnode_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"

	"aftercare/deploy/eventnode"
	"aftercare/deploy/eventnode/storage"
)

func TestAConsumerNeverHasMoreInHandThanItAskedFor(t *testing.T) {
	t.Parallel()
	c := node(t)
	group(t, c, "s", "g", esdb.Start{}, nil)
	put(t, c, "s", esdb.Any{}, events(numbers(0, 5)...)...)
	g := consume(t, c, "s", "g", 2)
	e := g.wants("0", "1")
	stats := info(t, c, "s")
	if n := stats.Connections[0]; n.InFlightMessages != 2 || n.AvailableSlots != 0 || stats.Stats.TotalItems != 2 {
		t.Errorf("got %d in flight, %d slots, %d in all; want 2, 0 and 2", n.InFlightMessages, n.AvailableSlots, stats.Stats.TotalItems)
	}
	g.ack(e[1])
	g.wants("2")
	g.nack(esdb.NackActionSkip, e[0])
	g.wants("3")
}

func TestEventsOfALostConsumerGoToTheNextInOrder(t *testing.T) {
	t.Parallel()
	c := node(t)
	group(t, c, "s", "g", esdb.Start{}, nil)
	put(t, c, "s", esdb.Any{}, events(numbers(0, 6)...)...)
	lost := consume(t, c, "s", "g", 4)
	e := lost.wants("0", "1", "2", "3")
	lost.ack(e[1])
	lost.wants("4")
	next := consume(t, c, "s", "g", 10)
	next.wants("5")
	if err := lost.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0", "2", "3", "4"} {
		got := next.next()
		if data := string(got.Event.Event.Data); data != want || got.RetryCount != 1 {
			t.Errorf("got %s with %d retries, want %s with 1", data, got.RetryCount, want)
		}
	}
}

func TestARefusedEventIsRetriedAsOftenAsAllowedAndThenParked(t *testing.T) {
	t.Parallel()
	c := node(t)
	group(t, c, "s", "g", esdb.Start{}, func(s *esdb.PersistentSubscriptionSettings) { s.MaxRetryCount = 2 })
	put(t, c, "s", esdb.Any{}, events("0", "1")...)
	g := consume(t, c, "s", "g", 1)
	for retries, action := range []esdb.NackAction{esdb.NackActionRetry, esdb.NackActionUnknown, esdb.NackActionRetry} {
		e := g.next()
		if string(e.Event.Event.Data) != "0" || e.RetryCount != retries {
			t.Fatalf("got %s with %d retries, want 0 with %d", e.Event.Event.Data, e.RetryCount, retries)
		}
		g.nack(action, e.Event)
	}
	g.wants("1")
	link := awaits(t, c, "$persistentsubscription-s::g-parked", 0)
	if link.EventType != "$>" || string(link.Data) != "0@s" {
		t.Errorf("parked as %s %s, want a link to 0@s", link.EventType, link.Data)
	}
	var meta struct {
		Added                   time.Time
		Reason                  string
		SubscriptionEventNumber *int64
	}
	if err := json.Unmarshal(link.UserMetadata, &meta); err != nil || meta.Added.IsZero() || meta.Reason != "Reached retry count of 2" ||
		meta.SubscriptionEventNumber == nil || *meta.SubscriptionEventNumber != 0 {
		t.Errorf("parked with %s: %v", link.UserMetadata, err)
	}
}

func TestAnEventThatTakesTooLongIsDeliveredAgainAndThenParked(t *testing.T) {
	t.Parallel()
	clock := newClock()
	c := connect(t, start(t, clock.options()))
	group(t, c, "s", "g", esdb.Start{}, func(s *esdb.PersistentSubscriptionSettings) {
		s.MessageTimeout, s.MaxRetryCount = 10_000, 1
	})
	put(t, c, "s", esdb.Any{}, event("0"))
	slow := consume(t, c, "s", "g", 1)
	slow.wants("0")
	clock.pass(9 * time.Second)
	if n := info(t, c, "s").Stats.TotalItems; n != 1 {
		t.Errorf("delivered %d times before its time was up", n)
	}
	clock.pass(time.Second)
	if again := slow.next(); again.RetryCount != 1 {
		t.Errorf("got %d retries, want 1", again.RetryCount)
	}
	clock.pass(10 * time.Second)
	if link := awaits(t, c, "$persistentsubscription-s::g-parked", 0); string(link.Data) != "0@s" {
		t.Errorf("parked %s, want 0@s", link.Data)
	}
}

func TestMoreThanAnAppendHoldsIsParked(t *testing.T) {
	t.Parallel()
	clock := newClock()
	c := connect(t, start(t, clock.options()))
	group(t, c, "s", "g", esdb.Start{}, func(s *esdb.PersistentSubscriptionSettings) {
		s.MessageTimeout, s.MaxRetryCount = 10_000, 0
	})
	const pageSize, all = 1000, storage.MaxEvents + 1000
	for n := 0; n < all; n += pageSize {
		put(t, c, "s", esdb.Any{}, events(numbers(n, min(n+pageSize, all))...)...)
	}
	hung := consume(t, c, "s", "g", all)
	hung.take(all)
	clock.pass(10 * time.Second)
	awaits(t, c, "$persistentsubscription-s::g-parked", all-1)
	put(t, c, "s", esdb.Any{}, event("new"))
	hung.wants("new")
}

func TestWhatGroupsKeepCannotBeTombstoned(t *testing.T) {
	t.Parallel()
	c := node(t)
	group(t, c, "s", "g", esdb.Start{}, nil)
	for _, stream := range []string{
		"$persistentsubscription-s::g-parked", "$persistentsubscription-s::g-checkpoint", "$persistentSubscriptionConfig",
	} {
		if _, err := c.TombstoneStream(t.Context(), stream, esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err == nil {
			t.Errorf("%s has ended", stream)
		}
	}
	put(t, c, "s", esdb.Any{}, event("0"))
	g := consume(t, c, "s", "g", 1)
	if err := g.Nack("no", esdb.NackActionPark, g.next().Event); err != nil {
		t.Fatal(err)
	}
	awaits(t, c, "$persistentsubscription-s::g-parked", 0)
}

func TestAConsumerHasABoundedNumberOfEventsInHand(t *testing.T) {
	t.Parallel()
	c := node(t)
	group(t, c, "s", "g", esdb.Start{}, nil)
	consume(t, c, "s", "g", math.MaxInt32)
	if got := info(t, c, "s").Connections[0].AvailableSlots; got < 1000 || got > 100_000 {
		t.Errorf("got %d slots", got)
	}
}

func TestWhyAnEventIsRefusedIsKeptInBounds(t *testing.T) {
	t.Parallel()
	c := node(t)
	group(t, c, "s", "g", esdb.Start{}, nil)
	put(t, c, "s", esdb.Any{}, event("0"))
	g := consume(t, c, "s", "g", 1)
	if err := g.Nack(strings.Repeat("é", 1<<20), esdb.NackActionPark, g.next().Event); err != nil {
		t.Fatal(err)
	}
	if link := awaits(t, c, "$persistentsubscription-s::g-parked", 0); len(link.UserMetadata) > 8<<10 {
		t.Errorf("parked with %d bytes of metadata", len(link.UserMetadata))
	}
}

func TestCheckpointsAreWrittenAsTimePasses(t *testing.T) {
	t.Parallel()
	clock := newClock()
	c := connect(t, start(t, clock.options()))
	group(t, c, "s", "g", esdb.Start{}, func(s *esdb.PersistentSubscriptionSettings) {
		s.CheckpointLowerBound, s.CheckpointAfter = 2, 5_000
	})
	put(t, c, "s", esdb.Any{}, events(numbers(0, 5)...)...)
	g := consume(t, c, "s", "g", 2)
	g.ack(g.wants("0", "1")...)
	e := g.wants("2", "3")
	clock.pass(time.Second)
	awaitsCheckpoint(t, c, "s::g", "1")
	g.ack(e...)
	g.wants("4")
	clock.pass(time.Second)
	clock.pass(5 * time.Second)
	awaitsCheckpoint(t, c, "s::g", "3")
	if n := awaits(t, c, "$persistentsubscription-s::g-checkpoint", 0).EventNumber; n != 0 {
		t.Errorf("the first checkpoint is number %d", n)
	}
	if at := info(t, c, "s").Stats.LastCheckpointedEventRevision; at == nil || *at != 3 {
		t.Errorf("got checkpoint %v, want 3", at)
	}
}

func TestPinnedStreamsStayWithTheirConsumer(t *testing.T) {
	t.Parallel()
	c := node(t)
	groupOfAll(t, c, esdb.PersistentAllSubscriptionOptions{
		StartFrom: esdb.Start{}, Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"ticket-"}},
	}, func(s *esdb.PersistentSubscriptionSettings) { s.ConsumerStrategyName = esdb.ConsumerStrategyPinned })
	consumers := []consumer{consume(t, c, "$all", "g", 3), consume(t, c, "$all", "g", 3), consume(t, c, "$all", "g", 3)}
	const streams, each = 20, 10
	for n := range each {
		for s := range streams {
			put(t, c, fmt.Sprintf("ticket-%d", s), esdb.Any{}, event(strconv.Itoa(n)))
		}
	}
	var mu sync.Mutex
	var done sync.WaitGroup
	owner, last, all := map[string]int{}, map[string]string{}, make(chan struct{})
	var left atomic.Int64
	left.Store(streams * each)
	for i, g := range consumers {
		done.Go(func() {
			for {
				e := g.Recv()
				if e.EventAppeared == nil {
					return
				}
				name, data := e.EventAppeared.Event.Event.StreamID, string(e.EventAppeared.Event.Event.Data)
				mu.Lock()
				if o, ok := owner[name]; ok && o != i {
					t.Errorf("%s was with consumer %d and comes to %d", name, o, i)
				}
				if last[name] >= data && last[name] != "" {
					t.Errorf("%s: %s comes after %s", name, data, last[name])
				}
				owner[name], last[name] = i, data
				mu.Unlock()
				if err := g.Ack(e.EventAppeared.Event); err != nil {
					t.Error(err)
				}
				if left.Add(-1) == 0 {
					close(all)
				}
			}
		})
	}
	<-all
	for _, g := range consumers {
		_ = g.Close() // not earlier: it must not run beside an answer
	}
	done.Wait()
	if len(owner) != streams {
		t.Errorf("%d streams are missing", streams-len(owner))
	}
	served := map[int]int{}
	for _, o := range owner {
		served[o]++
	}
	if len(served) != 3 {
		t.Errorf("streams by consumer: %v, want some for each", served)
	}
}

func TestLinksAreResolvedAndAnsweredByTheirOwnID(t *testing.T) {
	t.Parallel()
	c := node(t)
	group(t, c, "links", "g", esdb.Start{}, func(s *esdb.PersistentSubscriptionSettings) {
		eager(s)
		s.ResolveLinkTos = true
	})
	put(t, c, "s", esdb.Any{}, events("0", "1")...)
	for _, to := range []string{"0@s", "7@s", "nonsense", "0@never", "1@s"} {
		e := event(to)
		e.EventType = "$>"
		put(t, c, "links", esdb.Any{}, e)
	}
	g := consume(t, c, "links", "g", 10)
	got, e := g.take(5)
	if diff := cmp.Diff([]string{"0@s", "7@s", "nonsense", "0@never", "1@s"}, got); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if e[0].Event == nil || string(e[0].Event.Data) != "0" || e[1].Event != nil || e[2].Event != nil || e[4].Event == nil {
		t.Errorf("targets: got %v", e)
	}
	g.nack(esdb.NackActionPark, e[0], e[1])
	g.ack(e[2:]...)
	awaitsCheckpoint(t, c, "links::g", "4")
	for n, want := range []string{"0@s", "7@s"} {
		if link := awaits(t, c, "$persistentsubscription-links::g-parked", uint64(n)); string(link.Data) != want {
			t.Errorf("parked %s, want %s", link.Data, want)
		}
	}
	if err := c.ReplayParkedMessages(t.Context(), "links", "g", esdb.ReplayParkedMessagesOptions{}); err != nil {
		t.Fatal(err)
	}
	again := g.next().Event
	if string(again.Event.Data) != "0" || again.Link.StreamID != "$persistentsubscription-links::g-parked" {
		t.Errorf("replayed %v", again)
	}
	g.ack(again) // what leads nowhere is left out
	awaits(t, c, "$$$persistentsubscription-links::g-parked", 0)
	if n := info(t, c, "links").Stats.ParkedMessagesCount; n != 0 {
		t.Errorf("%d events parked, want none", n)
	}
}

func TestTruncatedAndDeletedStreamsDoNotStallAGroup(t *testing.T) {
	t.Parallel()
	c := node(t)
	group(t, c, "s", "g", esdb.Start{}, nil)
	put(t, c, "s", esdb.Any{}, events(numbers(0, 10)...)...)
	setMeta(t, c, "s", `{"$maxCount":3}`)
	g := consume(t, c, "s", "g", 20)
	g.ack(g.wants("7", "8", "9")...)
	remove(t, c, "s")
	put(t, c, "s", esdb.Any{}, events("10", "11")...)
	g.ack(g.wants("10", "11")...)
	if _, err := c.TombstoneStream(t.Context(), "s", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Fatal(err)
	}
	last := g.next().Event
	if last.Event.EventType != "$streamDeleted" {
		t.Errorf("got %s, want the end of the stream", last.Event.EventType)
	}
	g.ack(last)
	if status := info(t, c, "s").Status; status != "Live" {
		t.Errorf("got status %s, want Live", status)
	}
}

func TestAGroupOfAllSeesEverythingButItself(t *testing.T) {
	t.Parallel()
	c := node(t)
	groupOfAll(t, c, esdb.PersistentAllSubscriptionOptions{StartFrom: esdb.Start{}}, eager)
	put(t, c, "s", esdb.Any{}, events("0", "1")...)
	g := consume(t, c, "$all", "g", 100)
	var got []string
	for !slices.Contains(got, "s/1") {
		e := g.next().Event
		got = append(got, fmt.Sprintf("%s/%d", e.Event.StreamID, e.Event.EventNumber))
		if strings.HasPrefix(e.Event.StreamID, "$persistentsubscription-$all") {
			t.Errorf("it got %s", e.Event.StreamID)
		}
		if e.Commit == nil || *e.Commit != e.Event.Position.Commit {
			t.Errorf("position %v of %v", e.Commit, e.Event.Position)
		}
		g.nack(esdb.NackActionPark, e)
	}
	if !slices.Contains(got, "$persistentSubscriptionConfig/0") {
		t.Errorf("got %v, want the definition of the group as well", got)
	}
}

// clock is the time of a node, which passes when a test says so.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	ticks chan time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), ticks: make(chan time.Time)}
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) options() eventnode.Options {
	return eventnode.Ticked(eventnode.Options{Now: c.time}, c.ticks)
}

// pass lets time pass; the node has taken the tick when it returns.
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	now := c.now
	c.mu.Unlock()
	c.ticks <- now
}
