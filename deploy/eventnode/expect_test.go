package eventnode_test

import (
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

const fine = esdb.ErrorCode(-1)

// prepare brings a stream into one of the states of the expected-revision table.
var prepare = map[string]func(testing.TB, *esdb.Client, string){
	"never written": func(testing.TB, *esdb.Client, string) {},
	"only metadata": func(tb testing.TB, c *esdb.Client, s string) {
		tb.Helper()
		setMeta(tb, c, s, `{"owner":"me"}`)
	},
	"three events": func(tb testing.TB, c *esdb.Client, s string) {
		tb.Helper()
		put(tb, c, s, esdb.Any{}, events("0", "1", "2")...)
	},
	"soft deleted": func(tb testing.TB, c *esdb.Client, s string) {
		tb.Helper()
		put(tb, c, s, esdb.Any{}, events("0", "1", "2")...)
		remove(tb, c, s)
	},
	"tombstoned": func(tb testing.TB, c *esdb.Client, s string) {
		tb.Helper()
		put(tb, c, s, esdb.Any{}, events("0", "1", "2")...)
		if _, err := c.TombstoneStream(tb.Context(), s, esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
			tb.Fatal(err)
		}
	},
}

func TestExpectedRevision(t *testing.T) {
	t.Parallel()
	c := node(t)
	const wrong, gone = esdb.ErrorCodeWrongExpectedVersion, esdb.ErrorCodeStreamDeleted
	expectations := []esdb.ExpectedRevision{
		esdb.Any{}, esdb.StreamExists{}, esdb.NoStream{}, esdb.Revision(1), esdb.Revision(2), esdb.Revision(3),
	}
	for state, want := range map[string][6]esdb.ErrorCode{
		"never written": {fine, wrong, fine, wrong, wrong, wrong},
		"only metadata": {fine, fine, fine, wrong, wrong, wrong},
		"three events":  {fine, fine, wrong, wrong, fine, wrong},
		"soft deleted":  {fine, gone, fine, wrong, fine, wrong},
		"tombstoned":    {gone, gone, gone, gone, gone, gone},
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			var got [6]esdb.ErrorCode
			for i, e := range expectations {
				stream := "s-" + uuid.NewString()
				prepare[state](t, c, stream)
				_, err := c.AppendToStream(t.Context(), stream, esdb.AppendToStreamOptions{ExpectedRevision: e}, event("new"))
				got[i] = code(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("error codes for Any, StreamExists, NoStream, 1, 2, 3 (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStrongIdempotency(t *testing.T) {
	t.Parallel()
	c := node(t)
	sent := events("0", "1")
	first := put(t, c, "s", esdb.NoStream{}, sent...)
	second := events("2", "3")
	put(t, c, "s", esdb.Revision(1), second...)

	if diff := cmp.Diff(first, put(t, c, "s", esdb.NoStream{}, sent...)); diff != "" {
		t.Errorf("a repeated append differs from the original (-want +got):\n%s", diff)
	}
	for name, tc := range map[string]struct {
		expected esdb.ExpectedRevision
		events   []esdb.EventData
	}{
		"other events":         {esdb.NoStream{}, events("x")},
		"second differs":       {esdb.NoStream{}, []esdb.EventData{sent[0], event("x")}},
		"runs past the end":    {esdb.Revision(1), append(append([]esdb.EventData{}, second...), event("x"))},
		"from a later event":   {esdb.Revision(0), sent},
		"nothing at all":       {esdb.NoStream{}, nil},
		"in front of the last": {esdb.Revision(2), second},
	} {
		_, err := c.AppendToStream(t.Context(), "s", esdb.AppendToStreamOptions{ExpectedRevision: tc.expected}, tc.events...)
		if code(err) != esdb.ErrorCodeWrongExpectedVersion {
			t.Errorf("%s: got %v, want a wrong expected version", name, err)
		}
	}
	got, err := readStream(t, c, "s", forwards())
	if diff := cmp.Diff([]string{"0", "1", "2", "3"}, texts(got)); diff != "" || err != nil {
		t.Errorf("the stream changed: %v\n%s", err, diff)
	}
}

func TestWeakIdempotency(t *testing.T) {
	t.Parallel()
	c := node(t)
	sent := events("0", "1")
	first := put(t, c, "s", esdb.Any{}, sent...)
	put(t, c, "s", esdb.Any{}, event("2"))

	if diff := cmp.Diff(first, put(t, c, "s", esdb.Any{}, sent...)); diff != "" {
		t.Errorf("a repeated append differs from the original (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first, put(t, c, "s", esdb.StreamExists{}, sent...)); diff != "" {
		t.Errorf("with StreamExists it differs from the original (-want +got):\n%s", diff)
	}
	_, err := c.AppendToStream(t.Context(), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, sent[0], event("x"))
	if code(err) != esdb.ErrorCodeWrongExpectedVersion {
		t.Errorf("half known: got %v, want a wrong expected version", err)
	}
	put(t, c, "other", esdb.Any{}, sent...)
	if got, err := readStream(t, c, "other", forwards()); err != nil || len(got) != 2 {
		t.Errorf("the same ids in another stream: got %d events and %v, want 2", len(got), err)
	}
	if got, _ := readStream(t, c, "s", forwards()); len(got) != 3 {
		t.Errorf("got %d events, want 3", len(got))
	}
}

func TestEmptyAppend(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "s", esdb.Any{}, events("0", "1", "2")...)
	if got := put(t, c, "s", esdb.Any{}); got.NextExpectedVersion != 2 {
		t.Errorf("got revision %d, want 2", got.NextExpectedVersion)
	}
}
