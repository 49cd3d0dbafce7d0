package eventnode_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/deploy/eventnode"
)

// TestIndexMovesToDiskWhileInUse reads streams that are partly in memory, partly on their way to disk
// and partly there.
func TestIndexMovesToDiskWhileInUse(t *testing.T) {
	t.Parallel()
	const streams, rounds = 7, 60
	dir := t.TempDir()
	check := func(c *esdb.Client, stream, want int) {
		for _, o := range []esdb.ReadStreamOptions{forwards(), {From: esdb.End{}, Direction: esdb.Backwards}} {
			got, err := readStream(t, c, fmt.Sprintf("s-%d", stream), o)
			if err != nil || len(got) != want {
				t.Fatalf("stream %d: got %d events and %v, want %d", stream, len(got), err, want)
			}
			for i, e := range got {
				n := i
				if o.Direction == esdb.Backwards {
					n = want - 1 - i
				}
				if string(e.Event.Data) != strconv.Itoa(n) {
					t.Fatalf("stream %d: event %d is %s", stream, n, e.Event.Data)
				}
			}
		}
	}
	c := connect(t, start(t, eventnode.EagerIndex(eventnode.Options{Dir: dir}, 10)))
	for round := range rounds {
		for s := range streams {
			put(t, c, fmt.Sprintf("s-%d", s), expectAt(2*round), events(strconv.Itoa(2*round), strconv.Itoa(2*round+1))...)
		}
		check(c, round%streams, 2*round+2)
	}
	for s := range streams {
		check(c, s, 2*rounds)
	}
}

// expectAt expects a stream to hold n events.
func expectAt(n int) esdb.ExpectedRevision {
	if n == 0 {
		return esdb.NoStream{}
	}
	return esdb.Revision(uint64(n - 1)) //nolint:gosec // not negative
}
