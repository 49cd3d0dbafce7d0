package eventnode_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"

	"aftercare/deploy/eventnode"
)

// TestLargeEventsInBothDirections reads events of all sizes around the node's read buffers.
func TestLargeEventsInBothDirections(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, eventnode.Options{Dir: t.TempDir()}))
	var want []int
	for i := range 60 {
		n := []int{10, 5_000, 70_000, 262_144, 600_000, 4_000}[i%6] + i
		want = append(want, n)
		put(t, c, "s", esdb.Any{}, event(strings.Repeat("x", n)))
	}
	sizes := func(events []*esdb.ResolvedEvent) []int {
		var out []int
		for _, e := range events {
			out = append(out, len(e.Event.Data))
		}
		return out
	}
	forth := readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}, Direction: esdb.Forwards})
	if diff := cmp.Diff(want, sizes(forth)); diff != "" {
		t.Errorf("forwards (-want +got):\n%s", diff)
	}
	one, err := readStream(t, c, "s", forwards())
	if diff := cmp.Diff(want, sizes(one)); diff != "" || err != nil {
		t.Errorf("the stream: %v\n%s", err, diff)
	}
	back := readAll(t, c, esdb.ReadAllOptions{From: esdb.End{}, Direction: esdb.Backwards})
	slices.Reverse(want)
	if diff := cmp.Diff(want, sizes(back)); diff != "" {
		t.Errorf("backwards (-want +got):\n%s", diff)
	}
}
