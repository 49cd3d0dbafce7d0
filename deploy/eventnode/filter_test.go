package eventnode_test

import (
	"strconv"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func typed(kind, data string) esdb.EventData {
	return esdb.EventData{EventID: uuid.New(), EventType: kind, ContentType: esdb.ContentTypeBinary, Data: []byte(data)}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "order-1", esdb.Any{}, typed("order.placed", "1"), typed("order.paid", "2"))
	put(t, c, "claim-1", esdb.Any{}, typed("claim.made", "3"))
	setMeta(t, c, "claim-1", `{"x":"4"}`)
	put(t, c, "order-2", esdb.Any{}, typed("order.placed", "5"))
	for name, tc := range map[string]struct {
		filter *esdb.SubscriptionFilter
		want   []string
	}{
		"type prefix":     {&esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: []string{"order.pl", "claim"}}, []string{"1", "3", "5"}},
		"stream prefix":   {&esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"order-"}}, []string{"1", "2", "5"}},
		"type regex":      {&esdb.SubscriptionFilter{Type: esdb.EventFilterType, Regex: "paid|made"}, []string{"2", "3"}},
		"stream regex":    {&esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: "-2$"}, []string{"5"}},
		"no system event": {esdb.ExcludeSystemEventsFilter(), []string{"1", "2", "3", "5"}},
		"nothing":         {&esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: []string{"nope"}}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sub := subscribe(t, c, esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: tc.filter})
			if diff := cmp.Diff(tc.want, untilCaughtUp(t, sub)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// marks reads a subscription up to CaughtUp and returns its checkpoints.
func marks(tb testing.TB, sub *esdb.Subscription) []uint64 {
	tb.Helper()
	var out []uint64
	for {
		switch e := sub.Recv(); {
		case e.CheckPointReached != nil:
			out = append(out, e.CheckPointReached.Commit)
		case e.CaughtUp != nil:
			return out
		case e.SubscriptionDropped != nil:
			tb.Fatalf("dropped: %v", e.SubscriptionDropped.Error)
		}
	}
}

func TestCheckpoints(t *testing.T) {
	t.Parallel()
	c := node(t)
	var want []uint64
	for i := range 25 {
		if res := put(t, c, "noise", esdb.Any{}, event(strconv.Itoa(i))); i%10 == 9 || i == 24 {
			want = append(want, res.CommitPosition)
		}
	}
	o := esdb.SubscribeToAllOptions{
		From: esdb.Start{}, MaxSearchWindow: 5, CheckpointInterval: 2,
		Filter: &esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: []string{"wanted"}},
	}
	sub := subscribe(t, c, o)
	if diff := cmp.Diff(want, marks(t, sub)); diff != "" {
		t.Errorf("every 10 considered events and at the end (-want +got):\n%s", diff)
	}
	var live uint64
	for i := range 10 {
		live = put(t, c, "noise", esdb.Any{}, event(strconv.Itoa(i))).CommitPosition
	}
	if e := sub.Recv(); e.CheckPointReached == nil || e.CheckPointReached.Commit != live {
		t.Errorf("got %+v, want a live checkpoint at %d", e, live)
	}
	put(t, c, "s", esdb.Any{}, typed("wanted", "x"))
	if diff := cmp.Diff([]string{"x"}, take(t, sub, 1)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	o.From = esdb.Position{Commit: live, Prepare: live}
	resumed := subscribe(t, c, o)
	if diff := cmp.Diff([]string{"x"}, take(t, resumed, 1)); diff != "" {
		t.Errorf("resumed at a checkpoint (-want +got):\n%s", diff)
	}
	o.From = esdb.End{}
	if got := marks(t, subscribe(t, c, o)); len(got) != 0 {
		t.Errorf("a subscription from the end got checkpoints %v in front of CaughtUp", got)
	}
	if got := marks(t, subscribe(t, c, esdb.SubscribeToAllOptions{From: esdb.Start{}})); len(got) != 0 {
		t.Errorf("an unfiltered subscription got checkpoints %v", got)
	}
}
