package eventnode_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestReadStreamInBothDirections(t *testing.T) {
	t.Parallel()
	c := node(t)
	const total = 1500 // more than two pages
	want := make([]string, total)
	for i := range want {
		want[i] = strconv.Itoa(i)
	}
	for chunk := range slices.Chunk(want, 100) {
		put(t, c, "s", esdb.Any{}, events(chunk...)...)
		put(t, c, "noise", esdb.Any{}, event("noise"))
	}
	reversed := slices.Clone(want)
	slices.Reverse(reversed)
	for name, tc := range map[string]struct {
		o    esdb.ReadStreamOptions
		want []string
	}{
		"start":         {forwards(), want},
		"revision":      {esdb.ReadStreamOptions{From: esdb.Revision(700), Direction: esdb.Forwards}, want[700:]},
		"last":          {esdb.ReadStreamOptions{From: esdb.Revision(total - 1), Direction: esdb.Forwards}, want[total-1:]},
		"beyond":        {esdb.ReadStreamOptions{From: esdb.Revision(total), Direction: esdb.Forwards}, []string{}},
		"end backwards": {esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards}, reversed},
		"backwards":     {esdb.ReadStreamOptions{From: esdb.Revision(600), Direction: esdb.Backwards}, reversed[total-601:]},
		"from far back": {esdb.ReadStreamOptions{From: esdb.Revision(1 << 40), Direction: esdb.Backwards}, reversed},
		"from zero":     {esdb.ReadStreamOptions{From: esdb.Revision(0), Direction: esdb.Backwards}, want[:1]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readStream(t, c, "s", tc.o)
			if diff := cmp.Diff(tc.want, texts(got)); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	got, err := drain(t, func() (*esdb.ReadStream, error) { return c.ReadStream(t.Context(), "s", forwards(), 7) })
	if diff := cmp.Diff(want[:7], texts(got)); diff != "" || err != nil {
		t.Errorf("count: %v\n%s", err, diff)
	}
}

func TestEventComesBackAsItWasSent(t *testing.T) {
	t.Parallel()
	c := node(t)
	sent := esdb.EventData{
		EventID: uuid.New(), EventType: "noted ✓", ContentType: esdb.ContentTypeJson,
		Data: []byte(`{"a":1}`), Metadata: []byte(`{"by":"x"}`),
	}
	res := put(t, c, "straße-1", esdb.NoStream{}, sent)
	got, err := readStream(t, c, "straße-1", forwards())
	if err != nil || len(got) != 1 {
		t.Fatalf("got %d events and %v", len(got), err)
	}
	e := got[0].Event
	if e.EventID != sent.EventID || e.EventType != sent.EventType || e.ContentType != "application/json" ||
		string(e.Data) != string(sent.Data) || string(e.UserMetadata) != string(sent.Metadata) ||
		e.StreamID != "straße-1" || e.EventNumber != 0 || e.CreatedDate.IsZero() {
		t.Errorf("got %+v, want %+v", e, sent)
	}
	if e.Position.Commit != res.CommitPosition || e.Position.Prepare != res.PreparePosition || *got[0].Commit != res.CommitPosition {
		t.Errorf("read at %v, written at %d", e.Position, res.CommitPosition)
	}
	if len(e.SystemMetadata) != 3 {
		t.Errorf("system metadata is %v, want type, created, content-type", e.SystemMetadata)
	}
}

func TestReadAllPositions(t *testing.T) {
	t.Parallel()
	c := node(t)
	for i := range 20 {
		put(t, c, fmt.Sprintf("s-%d", i%3), esdb.Any{}, events(fmt.Sprint(i, "a"), fmt.Sprint(i, "b"))...)
	}
	all := readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}, Direction: esdb.Forwards})
	if len(all) != 40 {
		t.Fatalf("got %d events, want 40", len(all))
	}
	dense := true
	for i, e := range all {
		p := e.OriginalEvent().Position
		if p.Commit != p.Prepare || i > 0 && p.Commit <= all[i-1].OriginalEvent().Position.Commit {
			t.Fatalf("position %d is %v", i, p)
		}
		dense = dense && (i == 0 || p.Commit == all[i-1].OriginalEvent().Position.Commit+1)
	}
	if dense {
		t.Error("positions are dense: code could come to count on it")
	}
	middle := all[17].OriginalEvent().Position
	from := readAll(t, c, esdb.ReadAllOptions{From: middle, Direction: esdb.Forwards})
	if diff := cmp.Diff(texts(all[17:]), texts(from)); diff != "" {
		t.Errorf("forwards includes the position (-want +got):\n%s", diff)
	}
	want := texts(all[:17])
	slices.Reverse(want)
	back := readAll(t, c, esdb.ReadAllOptions{From: middle, Direction: esdb.Backwards})
	if diff := cmp.Diff(want, texts(back)); diff != "" {
		t.Errorf("backwards excludes the position (-want +got):\n%s", diff)
	}
	whole := readAll(t, c, esdb.ReadAllOptions{From: esdb.End{}, Direction: esdb.Backwards})
	slices.Reverse(whole)
	if diff := cmp.Diff(texts(all), texts(whole)); diff != "" {
		t.Errorf("the whole log backwards (-want +got):\n%s", diff)
	}
	_, err := drain(t, func() (*esdb.ReadStream, error) {
		return c.ReadAll(t.Context(), esdb.ReadAllOptions{From: esdb.Position{Commit: middle.Commit + 1, Prepare: middle.Commit + 1}}, 10)
	})
	if err == nil {
		t.Error("a position inside an event was accepted")
	}
}

func TestLinksAreResolved(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "target", esdb.Any{}, events("0", "1")...)
	link := func(data string) esdb.EventData {
		return esdb.EventData{EventID: uuid.New(), EventType: "$>", ContentType: esdb.ContentTypeBinary, Data: []byte(data)}
	}
	put(t, c, "links", esdb.Any{}, link("1@target"), link("7@target"), link("0@missing"), link("nonsense"))
	o := forwards()
	o.ResolveLinkTos = true
	got, err := readStream(t, c, "links", o)
	if err != nil || len(got) != 4 {
		t.Fatalf("got %d events and %v, want 4", len(got), err)
	}
	if got[0].Event == nil || string(got[0].Event.Data) != "1" || got[0].Event.StreamID != "target" || got[0].Link.StreamID != "links" {
		t.Errorf("resolved to %+v", got[0])
	}
	if *got[0].Commit != got[0].Link.Position.Commit {
		t.Error("the position is not that of the link")
	}
	for i, e := range got[1:] {
		if e.Event != nil || e.Link == nil {
			t.Errorf("link %d to nothing: got %+v", i+1, e)
		}
	}
	plain, err := readStream(t, c, "links", forwards())
	if err != nil || plain[0].Link != nil || string(plain[0].Event.Data) != "1@target" {
		t.Errorf("unresolved: got %+v and %v", plain[0], err)
	}
}

func TestNeverWrittenIsNotFound(t *testing.T) {
	t.Parallel()
	if _, err := readStream(t, node(t), "never", forwards()); code(err) != esdb.ErrorCodeResourceNotFound {
		t.Errorf("got %v, want not found", err)
	}
}
