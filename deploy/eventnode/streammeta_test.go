package eventnode_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aftercare/deploy/eventnode"
)

func setMeta(tb testing.TB, c *esdb.Client, stream, json string) {
	tb.Helper()
	put(tb, c, "$$"+stream, esdb.Any{}, esdb.EventData{
		EventID: uuid.New(), EventType: "$metadata", ContentType: esdb.ContentTypeJson, Data: []byte(json),
	})
}

func TestMetadataBoundsReads(t *testing.T) {
	t.Parallel()
	c := node(t)
	for name, tc := range map[string]struct {
		meta string
		want []string
	}{
		"none":                 {`{}`, []string{"0", "1", "2", "3", "4"}},
		"max count":            {`{"$maxCount":2}`, []string{"3", "4"}},
		"truncate before":      {`{"$tb":3}`, []string{"3", "4"}},
		"both, count wins":     {`{"$maxCount":1,"$tb":3}`, []string{"4"}},
		"both, truncation":     {`{"$maxCount":4,"$tb":4}`, []string{"4"}},
		"everything truncated": {`{"$tb":9}`, []string{}},
		"malformed":            {`{"$maxCount":`, []string{"0", "1", "2", "3", "4"}},
		"not allowed":          {`{"$maxCount":0}`, []string{"0", "1", "2", "3", "4"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stream := "s-" + uuid.NewString()
			put(t, c, stream, esdb.Any{}, events("0", "1", "2", "3", "4")...)
			setMeta(t, c, stream, tc.meta)
			got, err := readStream(t, c, stream, forwards())
			if diff := cmp.Diff(tc.want, texts(got)); diff != "" || err != nil {
				t.Errorf("forwards: %v\n%s", err, diff)
			}
			back, err := readStream(t, c, stream, esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards})
			if len(back) != len(got) || err != nil {
				t.Errorf("backwards: got %d events and %v, want %d", len(back), err, len(got))
			}
			sub, err := c.SubscribeToStream(t.Context(), stream, esdb.SubscribeToStreamOptions{From: esdb.Start{}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = sub.Close() }()
			if diff := cmp.Diff(tc.want, untilCaughtUp(t, sub)); diff != "" {
				t.Errorf("subscription (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMaxAgeHidesOldEvents(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	now.Store(1_700_000_000)
	c := connect(t, start(t, eventnode.Options{Now: func() time.Time { return time.Unix(now.Load(), 0) }}))
	setMeta(t, c, "s", `{"$maxAge":10}`)
	put(t, c, "s", esdb.Any{}, event("old"))
	now.Add(11)
	if got, err := readStream(t, c, "s", forwards()); err != nil || len(got) != 0 {
		t.Errorf("got %d events and %v, want an empty stream", len(got), err)
	}
	put(t, c, "s", esdb.Any{}, event("new"))
	got, err := readStream(t, c, "s", forwards())
	if diff := cmp.Diff([]string{"new"}, texts(got)); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if want := time.Unix(now.Load(), 0); !got[0].Event.CreatedDate.Equal(want) {
		t.Errorf("created at %v, want %v", got[0].Event.CreatedDate, want)
	}
}

func TestOnlyTheLastMetadataCounts(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "s", esdb.Any{}, events("0", "1")...)
	setMeta(t, c, "s", `{"$maxCount":1}`)
	setMeta(t, c, "s", `{"$tb":0,"owner":"me"}`)
	meta, err := c.GetStreamMetadata(t.Context(), "s", esdb.ReadStreamOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if meta.MaxCount() != nil || meta.CustomProperty("owner") != "me" {
		t.Errorf("got %v, want the second metadata alone", meta)
	}
	if got, _ := readStream(t, c, "s", forwards()); len(got) != 2 {
		t.Errorf("got %d events, want 2", len(got))
	}
}
