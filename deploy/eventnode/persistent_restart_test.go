package eventnode_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"aftercare/deploy/eventnode"
)

func TestAGroupThatIsDefinedTwiceRunsOnce(t *testing.T) {
	t.Parallel()
	c := node(t) // which does not end while a group runs that it has lost sight of
	group(t, c, "s", "g", esdb.Start{}, nil)
	stored, err := readStream(t, c, "$persistentSubscriptionConfig", esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}})
	if err != nil || len(stored) == 0 {
		t.Fatalf("got %d definitions and %v", len(stored), err)
	}
	var config map[string]any
	if err := json.Unmarshal(stored[0].Event.Data, &config); err != nil {
		t.Fatal(err)
	}
	entries := config["entries"].([]any) //nolint:forcetypeassert // fails the test
	config["entries"] = append(entries, entries...)
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	put(t, c, "$persistentSubscriptionConfig", esdb.Any{}, event(string(data)))
	if err := c.RestartPersistentSubscriptionSubsystem(t.Context(), esdb.RestartPersistentSubscriptionSubsystemOptions{}); err != nil {
		t.Fatal(err)
	}
	put(t, c, "s", esdb.Any{}, event("0"))
	consume(t, c, "s", "g", 1).wants("0")
}

func TestAGroupGoesOnWhereItWasWhenTheNodeStops(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n, err := eventnode.Open(eventnode.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- n.Run(context.WithoutCancel(t.Context())) }()
	c := connect(t, n)
	for _, stream := range []string{"s", "t"} {
		put(t, c, stream, esdb.Any{}, events(numbers(0, 8)...)...)
	}
	group(t, c, "s", "g", esdb.Start{}, rare)
	groupOfAll(t, c, esdb.PersistentAllSubscriptionOptions{
		StartFrom: esdb.Start{}, Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: "^t$"},
	}, rare)
	for _, g := range []consumer{consume(t, c, "s", "g", 3), consume(t, c, "$all", "g", 3)} {
		e := g.wants("0", "1", "2")
		g.ack(e[0], e[1])
		g.wants("3", "4") // so the answers have arrived
		if g.Close() != nil {
			t.Fatal("close")
		}
	}
	g := consume(t, c, "s", "g", 10)
	if err := errors.Join(n.Close(), <-stopped); err != nil {
		t.Fatal(err)
	}
	if err := g.dropped(); status.Code(err) != codes.Unavailable {
		t.Errorf("the consumer ends with %v, want UNAVAILABLE", err)
	}
	once(t, dir, func(c *esdb.Client) {
		consume(t, c, "s", "g", 10).wants(numbers(2, 8)...)
		consume(t, c, "$all", "g", 10).wants(numbers(2, 8)...)
	})
}

func TestACrashRepeatsWhatHasNoCheckpointAndLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := connect(t, start(t, eventnode.Options{Dir: dir}))
	put(t, c, "s", esdb.Any{}, events(numbers(0, 10)...)...)
	group(t, c, "s", "g", esdb.Start{}, func(s *esdb.PersistentSubscriptionSettings) {
		rare(s)
		s.CheckpointUpperBound = 4
	})
	g := consume(t, c, "s", "g", 8)
	e := g.wants(numbers(0, 8)...)
	g.ack(e[0], e[2], e[3], e[4])
	g.nack(esdb.NackActionPark, e[1])
	g.wants("8", "9")
	awaitsCheckpoint(t, c, "s::g", "4")
	g.ack(e[6], e[7]) // event 5 is unfinished
	after := snapshot(t, dir)
	once(t, after, func(c *esdb.Client) {
		consume(t, c, "s", "g", 10).wants(numbers(5, 10)...)
		if n := info(t, c, "s").Stats.ParkedMessagesCount; n != 1 {
			t.Errorf("%d events parked, want 1", n)
		}
	})
}

func TestParkedEventsAreReplayedAfterARestartAndStayUntilFinished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	once(t, dir, func(c *esdb.Client) {
		put(t, c, "s", esdb.Any{}, events(numbers(0, 6)...)...)
		group(t, c, "s", "g", esdb.Start{}, eager)
		g := consume(t, c, "s", "g", 10)
		g.nack(esdb.NackActionPark, g.wants(numbers(0, 6)...)...)
		awaits(t, c, "$persistentsubscription-s::g-parked", 5)
		awaitsCheckpoint(t, c, "s::g", "5")
	})
	n := start(t, eventnode.Options{Dir: dir})
	c := connect(t, n)
	if n := info(t, c, "s").Stats.ParkedMessagesCount; n != 6 {
		t.Errorf("%d events parked, want 6", n)
	}
	g := consume(t, c, "s", "g", 10)
	err := c.ReplayParkedMessages(t.Context(), "s", "g", esdb.ReplayParkedMessagesOptions{StopAt: 4})
	if err != nil {
		t.Fatal(err)
	}
	got, e := g.take(4)
	var replayed []string
	for i := range e {
		replayed = append(replayed, string(e[i].Event.Data))
	}
	if diff := cmp.Diff(numbers(0, 4), replayed); diff != "" || got[0] != "0@s" {
		t.Errorf("replayed %v (-want +got):\n%s", got, diff)
	}
	if n := info(t, c, "s").Stats.ParkedMessagesCount; n != 2 {
		t.Errorf("%d events parked during the replay, want 2", n)
	}
	after := snapshot(t, dir) // nothing is finished
	g.ack(e[:3]...)
	g.nack(esdb.NackActionPark, e[3])
	link := awaits(t, c, "$persistentsubscription-s::g-parked", 6)
	if string(link.Data) != "3@s" {
		t.Errorf("parked again: %s, want 3@s", link.Data)
	}
	meta := awaits(t, c, "$$$persistentsubscription-s::g-parked", 0)
	if string(meta.Data) != `{"$tb":4}` {
		t.Errorf("the parked stream has %s, want what was replayed cut off", meta.Data)
	}
	if n := info(t, c, "s").Stats.ParkedMessagesCount; n != 3 {
		t.Errorf("%d events parked, want 3", n)
	}
	once(t, after, func(c *esdb.Client) {
		if n := info(t, c, "s").Stats.ParkedMessagesCount; n != 6 {
			t.Errorf("after a crash in the middle %d events are parked, want 6", n)
		}
		g := consume(t, c, "s", "g", 10)
		if err := c.ReplayParkedMessages(t.Context(), "s", "g", esdb.ReplayParkedMessagesOptions{}); err != nil {
			t.Fatal(err)
		}
		g.take(6)
	})
}

func TestRestartingTheSubsystemDropsConsumersAndLosesNothing(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "s", esdb.Any{}, events(numbers(0, 4)...)...)
	group(t, c, "s", "g", esdb.Start{}, rare)
	g := consume(t, c, "s", "g", 2)
	e := g.wants("0", "1")
	g.ack(e[0])
	g.wants("2")
	if err := c.RestartPersistentSubscriptionSubsystem(t.Context(), esdb.RestartPersistentSubscriptionSubsystemOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := g.dropped(); status.Code(err) != codes.Canceled {
		t.Errorf("dropped with %v, want CANCELLED", err)
	}
	consume(t, c, "s", "g", 10).wants("1", "2", "3")
}

func TestAnUpdateDropsConsumersAndGoesOn(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "s", esdb.Any{}, events(numbers(0, 5)...)...)
	group(t, c, "s", "g", esdb.Start{}, rare)
	g := consume(t, c, "s", "g", 2)
	g.ack(g.wants("0", "1")...)
	g.wants("2", "3")
	s := esdb.SubscriptionSettingsDefault()
	s.MaxSubscriberCount, s.HistoryBufferSize = 1, 50
	err := c.UpdatePersistentSubscription(t.Context(), "s", "g", esdb.PersistentStreamSubscriptionOptions{StartFrom: esdb.Start{}, Settings: &s})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.dropped(); status.Code(err) != codes.Canceled {
		t.Errorf("dropped with %v, want CANCELLED", err)
	}
	again := consume(t, c, "s", "g", 10)
	again.wants("2", "3", "4")
	if got := info(t, c, "s").Settings; got.HistoryBufferSize != 50 || got.MaxSubscriberCount != 1 {
		t.Errorf("got settings %+v", got)
	}
}

func TestEveryEventIsDeliveredAcrossCrashes(t *testing.T) {
	t.Parallel()
	const total = 150
	dir := t.TempDir()
	once(t, dir, func(c *esdb.Client) {
		put(t, c, "s", esdb.Any{}, events(numbers(0, total)...)...)
		group(t, c, "s", "g", esdb.Start{}, func(s *esdb.PersistentSubscriptionSettings) {
			s.CheckpointLowerBound, s.CheckpointUpperBound = 1, 3
		})
	})
	answered := map[string]bool{}
	for round := 0; len(answered) < total; round++ {
		n := start(t, eventnode.Options{Dir: dir})
		c := connect(t, n)
		g := consume(t, c, "s", "g", 7)
		held := map[string]bool{}
		for i := range 5 + 7*(round%5) {
			if len(answered)+len(held) == total || len(held) == 7 {
				break // there is nothing more to come
			}
			e := g.next().Event
			data := string(e.Event.Data)
			switch (i + round) % 7 {
			case 0:
				if !answered[data] {
					held[data] = true
				} else {
					g.ack(e)
				}
			case 1:
				g.nack(esdb.NackActionRetry, e)
			case 2:
				g.nack(esdb.NackActionPark, e)
				answered[data] = true
			default:
				g.ack(e)
				answered[data] = true
			}
		}
		dir = snapshot(t, dir)
		if round > 20*total {
			t.Fatalf("%d of %d events after %d crashes", len(answered), total, round)
		}
	}
}

func TestGroupsStepOverWhatWasScavenged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, eventnode.Options{Dir: dir})
	c := connect(t, n)
	put(t, c, "s", esdb.Any{}, events(numbers(0, 10)...)...)
	group(t, c, "s", "g", esdb.Start{}, eager)
	groupOfAll(t, c, esdb.PersistentAllSubscriptionOptions{
		StartFrom: esdb.Start{}, Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: "^s$"},
	}, eager)
	consumers := map[string]consumer{"s": consume(t, c, "s", "g", 3), "$all": consume(t, c, "$all", "g", 3)}
	inHand := map[string][]*esdb.ResolvedEvent{}
	for source, g := range consumers {
		g.ack(g.wants("0", "1", "2")[:2]...)
		inHand[source] = g.wants("3", "4")
		awaits(t, c, "$persistentsubscription-"+source+"::g-checkpoint", 0)
	}
	setMeta(t, c, "s", `{"$tb":8}`)
	if _, err := eventnode.Scavenge(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	for source, g := range consumers {
		g.nack(esdb.NackActionPark, inHand[source][0]) // there is nothing left to link to
		g.ack(inHand[source][1])
		for data := ""; data != "8"; { // what was read ahead may still come
			e := g.next().Event
			data = string(e.Event.Data)
			g.ack(e)
		}
		if n := info(t, c, source).Stats.ParkedMessagesCount; n != 0 {
			t.Errorf("%s: %d events parked, want none", source, n)
		}
	}
	once(t, snapshot(t, dir), func(c *esdb.Client) {
		for source := range consumers { // event 2 was never finished, and is gone
			got, _ := consume(t, c, source, "g", 5).take(1)
			if got[0] != "8" && got[0] != "9" { // 8 may have no checkpoint yet
				t.Errorf("%s: got %s after the restart", source, got[0])
			}
		}
	})
}
