package logtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aftercare/commands"
	"aftercare/domain"
	"aftercare/domain/codec"
)

// Subject is a store under test. Others may use it, too: the suite keeps to streams of its own.
type Subject struct {
	// Open returns the store's log as seen through a catalog. All logs of one Subject are about the same records, and seal
	// with Sealer. Open closes what it opened at the end of the test.
	Open func(t *testing.T, c *codec.Codec) commands.Log
	// Outage takes the store away and returns what brings it back at the same address with its records. Nil when the store
	// cannot go away.
	Outage func(t *testing.T) (restore func())
	// Limit is the size of an append that the store refuses, in bytes.
	Limit int
}

// Run holds a store to the contract of commands.Log and, when its log is one, of commands.Follower. open is called once a
// test.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	cases := []struct {
		name string
		run  func(*testing.T, Subject)
	}{
		{"a stream never written is empty", emptyStream},
		{"events come back as they went in, texts sealed", roundTrip},
		{"an append at another revision is a conflict and writes nothing", conflict},
		{"the same append again returns the first receipt", repeatedAppend},
		{"an append that continues a repeated one with other events is a conflict", corruptRepeat},
		{"each revision is won once by concurrent writers", race},
		{"the head is where the last append is", head},
		{"a stream is read from a revision on", readFrom},
		{"a reader may stop early", stopEarly},
		{"a large batch is one append, read in order", largeBatch},
		{"an append above the size limit is refused and writes nothing", oversize},
		{"a type outside the catalog cannot be written", unknownWrite},
		{"a type outside the catalog is read without its event", unknownRead},
		{"unicode survives in names and texts", unicodeNames},
		{"a cancelled context ends reads and appends", cancelled},
		{"an append without events is refused", emptyAppend},
		{"a text without a key refuses the append", forgotten},
		{"a follower gets what was and what comes, in order", followFromPosition},
		{"a follower gets only the types it asked for", followPrefix},
		{"a follower of nothing is told once that it is live", followEmpty},
		{"a follower's error ends the following", followError},
		{"an outage is reported in time and outlived", outage},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, open(t))
		})
	}
}

// at is the business time of all events.
var at = time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)

func newStream() string { return "logtest-" + uuid.NewString() }

func note(n int) domain.Event { return Noted{At: at, N: n} }

// propose gives events random ids and metadata of one random command.
func propose(events ...domain.Event) []commands.Proposed {
	meta := domain.Metadata{CommandID: domain.UUID(uuid.New()), Channel: "test", OccurredAt: at}
	proposed := make([]commands.Proposed, len(events))
	for i, e := range events {
		proposed[i] = commands.Proposed{ID: domain.UUID(uuid.New()), Event: e, Metadata: meta}
	}
	return proposed
}

// bounded is a context that ends with the test or after a minute: nothing here takes that long.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func mustAppend(t *testing.T, log commands.Log, stream string, expected commands.Expected, events []commands.Proposed) commands.Receipt {
	t.Helper()
	receipt, err := log.Append(bounded(t), stream, expected, events)
	if err != nil {
		t.Fatalf("append to %s at %d: %v", stream, expected, err)
	}
	return receipt
}

func mustRead(t *testing.T, log commands.Log, stream string, from uint64) []domain.Recorded {
	t.Helper()
	var all []domain.Recorded
	for r, err := range log.Read(bounded(t), stream, from) {
		if err != nil {
			t.Fatalf("read %s from %d: %v", stream, from, err)
		}
		all = append(all, r)
	}
	return all
}

// wantNumbers holds a stream to the numbers of its events and to revisions without gaps.
func wantNumbers(t *testing.T, log commands.Log, stream string, want ...int) {
	t.Helper()
	var got []int
	for i, r := range mustRead(t, log, stream, 0) {
		if r.Revision != uint64(i) {
			t.Errorf("event %d of %s has revision %d", i, stream, r.Revision)
		}
		got = append(got, number(t, r))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events of %s (-want +got):\n%s", stream, diff)
	}
}

func number(t *testing.T, r domain.Recorded) int {
	t.Helper()
	switch e := r.Event.(type) {
	case Noted:
		return e.N
	case Counted:
		return e.N
	}
	t.Fatalf("%d@%s is %s: %s", r.Revision, r.Stream, r.Type, fmt.Sprint(r.Event))
	return 0
}
