package eventnode_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/google/go-cmp/cmp"

	"aftercare/deploy/eventnode"
)

// patience is how long a test waits for something that must come.
const patience = 30 * time.Second

// group makes a group with the settings that change leaves.
func group(tb testing.TB, c *esdb.Client, stream, name string, from esdb.StreamPosition, change func(*esdb.PersistentSubscriptionSettings)) {
	tb.Helper()
	s := esdb.SubscriptionSettingsDefault()
	if change != nil {
		change(&s)
	}
	err := c.CreatePersistentSubscription(tb.Context(), stream, name, esdb.PersistentStreamSubscriptionOptions{StartFrom: from, Settings: &s})
	if err != nil {
		tb.Fatalf("create group %s of %s: %v", name, stream, err)
	}
}

// groupOfAll makes a group "g" of $all.
func groupOfAll(tb testing.TB, c *esdb.Client, o esdb.PersistentAllSubscriptionOptions, change func(*esdb.PersistentSubscriptionSettings)) {
	tb.Helper()
	s := esdb.SubscriptionSettingsDefault()
	if change != nil {
		change(&s)
	}
	o.Settings = &s
	if err := c.CreatePersistentSubscriptionToAll(tb.Context(), "g", o); err != nil {
		tb.Fatalf("create a group of $all: %v", err)
	}
}

// eager stores a checkpoint for every event.
func eager(s *esdb.PersistentSubscriptionSettings) {
	s.CheckpointLowerBound, s.CheckpointUpperBound = 1, 1
}

// rare stores no checkpoint but when the group ends.
func rare(s *esdb.PersistentSubscriptionSettings) {
	s.CheckpointLowerBound, s.CheckpointUpperBound, s.CheckpointAfter = 10_000, 10_000, 0
}

// consumer is a consumer of a group that fails its test instead of waiting for ever.
type consumer struct {
	*esdb.PersistentSubscription
	tb testing.TB
}

func consume(tb testing.TB, c *esdb.Client, stream, name string, slots uint32) consumer {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	tb.Cleanup(cancel)
	o := esdb.SubscribeToPersistentSubscriptionOptions{BufferSize: slots}
	subscribe := func() (*esdb.PersistentSubscription, error) {
		return c.SubscribeToPersistentSubscription(ctx, stream, name, o)
	}
	if stream == "$all" {
		subscribe = func() (*esdb.PersistentSubscription, error) {
			return c.SubscribeToPersistentSubscriptionToAll(ctx, name, o)
		}
	}
	sub, err := subscribe()
	if err != nil {
		tb.Fatalf("consume group %s of %s: %v", name, stream, err)
	}
	tb.Cleanup(func() { _ = sub.Close() })
	return consumer{sub, tb}
}

// next is the next event.
func (c consumer) next() *esdb.EventAppeared {
	c.tb.Helper()
	e := c.Recv()
	if e.EventAppeared == nil {
		c.tb.Fatalf("dropped: %v", e.SubscriptionDropped.Error)
	}
	return e.EventAppeared
}

// take returns the data of the next n events, and the events.
func (c consumer) take(n int) ([]string, []*esdb.ResolvedEvent) {
	c.tb.Helper()
	data, out := make([]string, n), make([]*esdb.ResolvedEvent, n)
	for i := range n {
		out[i] = c.next().Event
		data[i] = string(out[i].OriginalEvent().Data)
	}
	return data, out
}

func (c consumer) wants(data ...string) []*esdb.ResolvedEvent {
	c.tb.Helper()
	got, out := c.take(len(data))
	if diff := cmp.Diff(data, got); diff != "" {
		c.tb.Fatalf("delivered (-want +got):\n%s", diff)
	}
	return out
}

func (c consumer) ack(e ...*esdb.ResolvedEvent) {
	c.tb.Helper()
	if err := c.Ack(e...); err != nil {
		c.tb.Fatalf("ack: %v", err)
	}
}

func (c consumer) nack(action esdb.NackAction, e ...*esdb.ResolvedEvent) {
	c.tb.Helper()
	if err := c.Nack("a reason", action, e...); err != nil {
		c.tb.Fatalf("nack: %v", err)
	}
}

// dropped is the error that ends the consumer.
func (c consumer) dropped() error {
	c.tb.Helper()
	for {
		if e := c.Recv(); e.SubscriptionDropped != nil {
			return e.SubscriptionDropped.Error
		}
	}
}

// awaits returns the n-th event of a stream once it is there, counted from 0.
func awaits(tb testing.TB, c *esdb.Client, stream string, n uint64) *esdb.RecordedEvent {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	sub, err := c.SubscribeToStream(ctx, stream, esdb.SubscribeToStreamOptions{From: esdb.Start{}})
	if err != nil {
		tb.Fatalf("subscribe to %s: %v", stream, err)
	}
	defer func() { _ = sub.Close() }()
	for {
		e := sub.Recv()
		if e.SubscriptionDropped != nil {
			tb.Fatalf("event %d of %s did not come: %v", n, stream, e.SubscriptionDropped.Error)
		}
		if e.EventAppeared != nil && e.EventAppeared.OriginalEvent().EventNumber >= n {
			return e.EventAppeared.OriginalEvent()
		}
	}
}

// awaitsCheckpoint waits until a checkpoint is stored.
func awaitsCheckpoint(tb testing.TB, c *esdb.Client, key, want string) {
	tb.Helper()
	for n := uint64(0); ; n++ {
		e := awaits(tb, c, "$persistentsubscription-"+key+"-checkpoint", n)
		n = e.EventNumber
		var got string
		if err := json.Unmarshal(e.Data, &got); err != nil || e.EventType != "$SubscriptionCheckpoint" {
			tb.Fatalf("checkpoint %s %s: %v", e.EventType, e.Data, err)
		}
		if got == want {
			return
		}
	}
}

// info describes the group "g" of a stream.
func info(tb testing.TB, c *esdb.Client, stream string) *esdb.PersistentSubscriptionInfo {
	tb.Helper()
	i, err := c.GetPersistentSubscriptionInfo(tb.Context(), stream, "g", esdb.GetPersistentSubscriptionOptions{})
	if stream == "$all" {
		i, err = c.GetPersistentSubscriptionInfoToAll(tb.Context(), "g", esdb.GetPersistentSubscriptionOptions{})
	}
	if err != nil {
		tb.Fatalf("info of the group of %s: %v", stream, err)
	}
	return i
}

func numbers(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, strconv.Itoa(i))
	}
	return out
}

// snapshot copies the log of a node as a crash at this moment would leave it.
func snapshot(tb testing.TB, dir string) string {
	tb.Helper()
	log, err := os.ReadFile(filepath.Join(dir, "events.log"))
	if err != nil {
		tb.Fatal(err)
	}
	to := tb.TempDir()
	if err := os.WriteFile(filepath.Join(to, "events.log"), log, 0o600); err != nil {
		tb.Fatal(err)
	}
	return to
}

func TestGroupsLast(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	once(t, dir, func(c *esdb.Client) {
		group(t, c, "s", "g", esdb.Revision(3), func(s *esdb.PersistentSubscriptionSettings) {
			s.MaxRetryCount, s.ConsumerStrategyName, s.ExtraStatistics = 7, esdb.ConsumerStrategyPinned, true
		})
		groupOfAll(t, c, esdb.PersistentAllSubscriptionOptions{
			Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"a,b", "c"}},
		}, nil)
		group(t, c, "s", "gone", nil, nil)
		if err := c.DeletePersistentSubscription(t.Context(), "s", "gone", esdb.DeletePersistentSubscriptionOptions{}); err != nil {
			t.Fatal(err)
		}
	})
	once(t, dir, func(c *esdb.Client) {
		err := c.CreatePersistentSubscription(t.Context(), "s", "g", esdb.PersistentStreamSubscriptionOptions{})
		if code(err) != esdb.ErrorCodeResourceAlreadyExists {
			t.Errorf("created twice: got %v, want that it exists", err)
		}
		err = c.DeletePersistentSubscription(t.Context(), "s", "gone", esdb.DeletePersistentSubscriptionOptions{})
		if code(err) != esdb.ErrorCodeResourceNotFound {
			t.Errorf("deleted twice: got %v, want not found", err)
		}
		want := esdb.SubscriptionSettingsDefault()
		want.StartFrom, want.MaxRetryCount = esdb.Revision(3), 7
		want.ConsumerStrategyName, want.ExtraStatistics = esdb.ConsumerStrategyPinned, true
		if diff := cmp.Diff(&want, info(t, c, "s").Settings); diff != "" {
			t.Errorf("settings (-want +got):\n%s", diff)
		}
		put(t, c, "a", esdb.Any{}, event("left out"))
		put(t, c, "a,bc", esdb.Any{}, event("one"))
		put(t, c, "cd", esdb.Any{}, event("two"))
		consume(t, c, "$all", "g", 5).wants("one", "two")
	})
}

func TestDefinitionsOfOlderNodesRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const old = `{"s::g":{"stream":{"streamIdentifier":{"streamName":"cw=="},"start":{}},"streamIdentifier":{"streamName":"cw=="},` +
		`"groupName":"g","settings":{"maxRetryCount":10,"minCheckpointCount":10,"maxCheckpointCount":1000,"liveBufferSize":500,` +
		`"readBatchSize":20,"historyBufferSize":500,"namedConsumerStrategy":"RoundRobin","messageTimeoutMs":30000,"checkpointAfterMs":2000}},` +
		`"s::new":{"stream":{"streamIdentifier":{"streamName":"cw=="},"end":{}},"groupName":"new",` +
		`"settings":{"readBatchSize":20,"historyBufferSize":500,"namedConsumerStrategy":"RoundRobin","messageTimeoutMs":30000}}}`
	once(t, dir, func(c *esdb.Client) {
		put(t, c, "s", esdb.Any{}, events("0", "1")...)
		e := event(old)
		e.EventType, e.ContentType = "$PersistentConfig", esdb.ContentTypeJson
		put(t, c, "$persistentSubscriptionConfig", esdb.Any{}, e)
	})
	once(t, dir, func(c *esdb.Client) { consume(t, c, "s", "g", 5).wants("0", "1") })
	once(t, dir, func(c *esdb.Client) { put(t, c, "s", esdb.Any{}, event("2")) })
	once(t, dir, func(c *esdb.Client) {
		consume(t, c, "s", "new", 5).wants("2")
		group(t, c, "s", "other", nil, nil)
	})
	once(t, dir, func(c *esdb.Client) {
		all, err := c.ListAllPersistentSubscriptions(t.Context(), esdb.ListPersistentSubscriptionsOptions{})
		if err != nil || len(all) != 3 {
			t.Errorf("got %d groups and %v, want 3", len(all), err)
		}
	})
}

func TestAGroupThatStartsAtTheEndMissesNothingWrittenSinceItWasMade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	once(t, dir, func(c *esdb.Client) {
		put(t, c, "s", esdb.Any{}, event("before"))
		group(t, c, "s", "g", esdb.End{}, nil)
		groupOfAll(t, c, esdb.PersistentAllSubscriptionOptions{
			StartFrom: esdb.End{}, Filter: &esdb.SubscriptionFilter{Type: esdb.EventFilterType, Regex: "^noted$"},
		}, nil)
		put(t, c, "s", esdb.Any{}, event("after"))
	})
	once(t, dir, func(c *esdb.Client) {
		put(t, c, "s", esdb.Any{}, event("later"))
		consume(t, c, "s", "g", 5).wants("after", "later")
		consume(t, c, "$all", "g", 5).wants("after", "later")
	})
}

func TestAGroupMadeAgainKnowsNothingOfTheFormerOne(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "s", esdb.Any{}, events("0", "1", "2")...)
	for range 2 {
		group(t, c, "s", "g", esdb.Start{}, eager)
		g := consume(t, c, "s", "g", 3)
		e := g.wants("0", "1", "2")
		g.ack(e[0])
		g.nack(esdb.NackActionPark, e[1])
		awaitsCheckpoint(t, c, "s::g", "1")
		if n := info(t, c, "s").Stats.ParkedMessagesCount; n != 1 {
			t.Errorf("%d events parked, want 1", n)
		}
		if err := c.DeletePersistentSubscription(t.Context(), "s", "g", esdb.DeletePersistentSubscriptionOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSupportedMethodsNamePersistentSubscriptions(t *testing.T) {
	t.Parallel()
	got := map[string][]string{}
	methods, err := serverfeatures.NewServerFeaturesClient(conn(t, start(t, eventnode.Options{}))).
		GetSupportedMethods(t.Context(), &shared.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range methods.GetMethods() {
		if m.GetServiceName() == "event_store.client.persistent_subscriptions.persistentsubscriptions" {
			got[m.GetMethodName()] = m.GetFeatures()
		}
	}
	want := map[string][]string{}
	for _, name := range []string{"create", "update", "delete", "read", "getinfo", "replayparked", "list", "restartsubsystem"} {
		want[name] = []string{"stream", "all"}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
