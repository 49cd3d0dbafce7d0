package eventnode_test

import (
	"errors"
	"math"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func remove(tb testing.TB, c *esdb.Client, stream string) {
	tb.Helper()
	res, err := c.DeleteStream(tb.Context(), stream, esdb.DeleteStreamOptions{ExpectedRevision: esdb.Any{}})
	if err != nil {
		tb.Fatalf("delete %s: %v", stream, err)
	}
	if res.Position.Commit == 0 || res.Position.Prepare == 0 {
		tb.Errorf("delete answers position %v", res.Position)
	}
}

func TestAnEndedStreamIsToldApartWhateverItsName(t *testing.T) {
	t.Parallel()
	c := node(t)
	const stream = "two\nlines"
	if _, err := c.TombstoneStream(t.Context(), stream, esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Fatal(err)
	}
	if _, err := readStream(t, c, stream, forwards()); code(err) != esdb.ErrorCodeStreamDeleted {
		t.Errorf("got %v, want that it was deleted", err)
	}
}

func forwards() esdb.ReadStreamOptions {
	return esdb.ReadStreamOptions{From: esdb.Start{}, Direction: esdb.Forwards}
}

func TestSoftDeleteHidesAndWritingRevives(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "s", esdb.Any{}, events("0", "1", "2")...)
	remove(t, c, "s")
	if _, err := readStream(t, c, "s", forwards()); code(err) != esdb.ErrorCodeResourceNotFound {
		t.Errorf("read of a deleted stream: got %v, want not found", err)
	}
	remove(t, c, "s") // again is fine
	if got := put(t, c, "s", esdb.NoStream{}, event("3")); got.NextExpectedVersion != 3 {
		t.Errorf("got revision %d, want 3", got.NextExpectedVersion)
	}
	got, err := readStream(t, c, "s", forwards())
	if diff := cmp.Diff([]string{"3"}, texts(got)); diff != "" || err != nil {
		t.Errorf("revived stream: %v\n%s", err, diff)
	}
	meta, err := readStream(t, c, "$$s", forwards())
	if diff := cmp.Diff([]string{`{"$tb":3}`}, texts(meta)); diff != "" || err != nil {
		t.Errorf("metadata of the revived stream: %v\n%s", err, diff)
	}
	if all := readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}, Direction: esdb.Forwards}); len(all) != 3+2+2 {
		t.Errorf("$all has %d events, want all 7", len(all))
	}
}

func TestWritingMetadataRevives(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "s", esdb.Any{}, events("0", "1")...)
	remove(t, c, "s")
	setMeta(t, c, "s", `{"owner":"me"}`)
	meta, err := readStream(t, c, "$$s", forwards())
	if diff := cmp.Diff([]string{`{"$tb":2,"owner":"me"}`}, texts(meta)); diff != "" || err != nil {
		t.Errorf("metadata: %v\n%s", err, diff)
	}
	if got, err := readStream(t, c, "s", forwards()); err != nil || len(got) != 0 {
		t.Errorf("got %d events and %v, want an empty stream", len(got), err)
	}
}

func TestTombstoneIsForEver(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "s", esdb.Any{}, events("0")...)
	for _, stream := range []string{"s", "never-written"} {
		res, err := c.TombstoneStream(t.Context(), stream, esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}})
		if err != nil || res.Position.Commit == 0 {
			t.Fatalf("tombstone %s: %v %v", stream, res, err)
		}
		if _, err := readStream(t, c, stream, forwards()); code(err) != esdb.ErrorCodeStreamDeleted {
			t.Errorf("read: got %v, want stream deleted", err)
		}
		if _, err := c.SubscribeToStream(t.Context(), stream, esdb.SubscribeToStreamOptions{}); err == nil {
			t.Error("a subscription to a tombstoned stream was confirmed")
		}
		_, err = c.DeleteStream(t.Context(), stream, esdb.DeleteStreamOptions{ExpectedRevision: esdb.Any{}})
		if code(err) != esdb.ErrorCodeStreamDeleted {
			t.Errorf("delete: got %v, want stream deleted", err)
		}
	}
	all := readAll(t, c, esdb.ReadAllOptions{From: esdb.End{}, Direction: esdb.Backwards})
	if got := all[0].OriginalEvent(); got.EventNumber != math.MaxInt64 || got.EventType != "$streamDeleted" {
		t.Errorf("last event is %s at %d", got.EventType, got.EventNumber)
	}
}

func TestDeleteRefusals(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "s", esdb.Any{}, events("0", "1")...)
	for name, tc := range map[string]struct {
		stream   string
		expected esdb.ExpectedRevision
	}{
		"never written": {"never", esdb.Any{}},
		"stale":         {"s", esdb.Revision(0)},
		"ahead":         {"s", esdb.Revision(2)},
		"no stream":     {"s", esdb.NoStream{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.DeleteStream(t.Context(), tc.stream, esdb.DeleteStreamOptions{ExpectedRevision: tc.expected})
			for err != nil && status.Code(err) == codes.Unknown && errors.Unwrap(err) != nil {
				err = errors.Unwrap(err)
			}
			if status.Code(err) != codes.FailedPrecondition {
				t.Errorf("got %v, want a failed precondition", err)
			}
		})
	}
}
