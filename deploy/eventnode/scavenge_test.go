package eventnode_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"aftercare/deploy/eventnode"
)

// TestAScavengeChangesNothingButAll plays random histories, looks at everything that can be read, scavenges and looks
// again: only $all is shorter, by exactly what no stream shows any more.
func TestAScavengeChangesNothingButAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(t, rt)
		for range rapid.IntRange(1, 2).Draw(rt, "rounds") {
			for range rapid.IntRange(3, 18).Draw(rt, "steps") {
				h.step()
			}
			before := h.look(nil)
			may := before.removable()
			done, err := eventnode.Scavenge(t.Context(), h.node)
			if err != nil {
				rt.Fatalf("scavenge: %v", err)
			}
			if done.Events != uint64(len(may)) {
				rt.Errorf("%d events removed, want %d: %v", done.Events, len(may), may)
			}
			want := before.without(may)
			h.same("after a scavenge", want)
			if rapid.Bool().Draw(rt, "again") {
				if done, err := eventnode.Scavenge(t.Context(), h.node); err != nil || done.Events != 0 {
					rt.Errorf("a second scavenge removed %d events, %v", done.Events, err)
				}
			}
			switch rapid.IntRange(0, 2).Draw(rt, "restart") {
			case 1:
				h.stop()
				h.start()
				h.same("after a restart", want)
			case 2:
				h.stop()
				if err := os.Remove(filepath.Join(h.dir, "index.db")); err != nil {
					rt.Fatal(err)
				}
				h.start()
				h.same("with a new index", want)
			}
		}
		h.stop()
	})
}

var scavengeStreams = []string{"a", "b", "c", "$d"}

// history is a node to which random things happen.
type history struct {
	t       *testing.T
	rt      *rapid.T
	dir     string
	clock   atomic.Int64
	flush   int
	node    *eventnode.Node
	client  *esdb.Client
	stopped chan error
	past    []esdb.Position   // every position there ever was
	last    map[string]uint64 // the last revision there ever was of each stream
}

func newHistory(t *testing.T, rt *rapid.T) *history {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "events-") //nolint:usetesting // one for each history
	if err != nil {
		rt.Fatal(err)
	}
	h := &history{t: t, rt: rt, dir: dir, flush: rapid.IntRange(1, 40).Draw(rt, "flush"), last: map[string]uint64{}}
	h.clock.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	h.start()
	return h
}

func (h *history) now() time.Time { return time.Unix(0, h.clock.Load()).UTC() }

func (h *history) start() {
	n, err := eventnode.Open(eventnode.EagerIndex(eventnode.Options{Dir: h.dir, NoSync: true, Now: h.now}, h.flush))
	if err != nil {
		h.rt.Fatalf("open: %v", err)
	}
	h.node, h.stopped = n, make(chan error, 1)
	go func() { h.stopped <- n.Run(h.t.Context()) }()
	config, err := esdb.ParseConnectionString(n.URL())
	if err != nil {
		h.rt.Fatal(err)
	}
	config.Logger = esdb.NoopLogging()
	if h.client, err = esdb.NewClient(config); err != nil {
		h.rt.Fatal(err)
	}
	h.rt.Cleanup(h.stop)
}

func (h *history) stop() {
	if h.node == nil {
		return
	}
	_ = h.client.Close()
	if err := errors.Join(h.node.Close(), <-h.stopped); err != nil {
		h.rt.Errorf("close: %v", err)
	}
	h.node = nil
}

// step does one random thing. A refusal is fine.
func (h *history) step() {
	ctx, name := h.t.Context(), rapid.SampledFrom(scavengeStreams).Draw(h.rt, "stream")
	var err error
	switch rapid.SampledFrom([]string{"append", "append", "append", "append", "metadata", "metadata", "wait", "delete", "tombstone"}).Draw(h.rt, "step") {
	case "append":
		batch := make([]esdb.EventData, rapid.IntRange(1, 4).Draw(h.rt, "events"))
		for i := range batch {
			size := rapid.SampledFrom([]int{0, 10, 5000}).Draw(h.rt, "size")
			batch[i] = event(fmt.Sprintf("%s %0*d", name, size, len(h.past)))
		}
		_, err = h.client.AppendToStream(ctx, name, esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, batch...)
	case "metadata":
		m := esdb.StreamMetadata{}
		if rapid.Bool().Draw(h.rt, "count") {
			m.SetMaxCount(uint64(rapid.IntRange(1, 5).Draw(h.rt, "$maxCount"))) //nolint:gosec // not negative
		}
		if rapid.Bool().Draw(h.rt, "age") {
			m.SetMaxAge(time.Duration(rapid.IntRange(1, 4).Draw(h.rt, "$maxAge")) * time.Hour)
		}
		if rapid.Bool().Draw(h.rt, "before") {
			m.SetTruncateBefore(uint64(rapid.IntRange(0, 12).Draw(h.rt, "$tb"))) //nolint:gosec // not negative
		}
		_, err = h.client.SetStreamMetadata(ctx, name, esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, m)
	case "wait":
		h.clock.Add(int64(time.Duration(rapid.IntRange(1, 120).Draw(h.rt, "minutes")) * time.Minute))
	case "delete":
		_, err = h.client.DeleteStream(ctx, name, esdb.DeleteStreamOptions{ExpectedRevision: esdb.Any{}})
	case "tombstone":
		if rapid.IntRange(0, 3).Draw(h.rt, "really") == 0 {
			_, err = h.client.TombstoneStream(ctx, name, esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}})
		}
	}
	if e, ok := errors.AsType[*esdb.Error](err); err != nil && (!ok || e.Code() == esdb.ErrorCodeInternalServer) {
		h.rt.Fatalf("step: %v", err)
	}
}

// seen is one event as a client sees it.
type seen struct {
	Stream   string
	Revision uint64
	Position uint64
	ID       uuid.UUID
	Type     string
	Data     string
}

// sight is everything that can be read.
type sight struct {
	All       []seen
	Forwards  map[uint64][]seen // $all from each old position
	Backwards map[uint64][]seen
	Resumed   map[uint64][]seen // subscriptions to $all
	Streams   map[string][]seen // each stream, in each direction, from each revision; and subscriptions to it
	Answers   map[string]string // to metadata, and to appends that are repeated or wrong
}

func (h *history) look(within []esdb.Position) sight {
	s := sight{Forwards: map[uint64][]seen{}, Backwards: map[uint64][]seen{}, Resumed: map[uint64][]seen{}, Streams: map[string][]seen{}, Answers: map[string]string{}}
	s.All = h.all(esdb.Forwards, esdb.Start{})
	if within == nil {
		known := map[uint64]bool{}
		for _, p := range h.past {
			known[p.Commit] = true
		}
		for _, e := range s.All {
			if !known[e.Position] {
				h.past = append(h.past, esdb.Position{Commit: e.Position, Prepare: e.Position})
			}
		}
	}
	for i, p := range h.past { // a part of them in each history, which saves time
		switch (i + len(h.past)) % 7 {
		case 0:
			s.Forwards[p.Commit] = h.all(esdb.Forwards, p)
		case 1:
			s.Backwards[p.Commit] = h.all(esdb.Backwards, p)
		case 2:
			s.Resumed[p.Commit] = h.resumed(p)
		}
	}
	s.Backwards[0] = h.all(esdb.Backwards, esdb.End{})
	for _, e := range s.All {
		if e.Revision < 1<<62 {
			h.last[e.Stream] = max(h.last[e.Stream], e.Revision)
		}
	}
	for _, name := range scavengeStreams {
		for _, name := range []string{name, "$$" + name} {
			for r := uint64(0); r < h.last[name]+2; r += 1 + h.last[name]/3 {
				s.stream(h, name, r)
			}
			s.answers(h, name, h.last[name])
		}
		m, err := h.client.GetStreamMetadata(h.t.Context(), name, esdb.ReadStreamOptions{})
		s.Answers["metadata of "+name] = fmt.Sprint(m, code(err))
	}
	return s
}

func (s *sight) stream(h *history, name string, r uint64) {
	read := func(how string, o esdb.ReadStreamOptions) {
		got, err := drain(h.t, func() (*esdb.ReadStream, error) { return h.client.ReadStream(h.t.Context(), name, o, 1<<40) })
		s.Answers[how] = fmt.Sprint(code(err))
		s.Streams[how] = all(got)
	}
	read(fmt.Sprint(name, " from ", r), esdb.ReadStreamOptions{From: esdb.Revision(r)})
	read(fmt.Sprint(name, " back from ", r), esdb.ReadStreamOptions{From: esdb.Revision(r), Direction: esdb.Backwards})
	if r%2 == 0 {
		how := fmt.Sprint(name, " resumed from ", r)
		sub, err := h.client.SubscribeToStream(h.t.Context(), name, esdb.SubscribeToStreamOptions{From: esdb.Revision(r)})
		if err == nil {
			s.Streams[how] = h.caughtUp(sub)
		}
		s.Answers[how] = fmt.Sprint(code(err))
	}
	if r == 0 {
		read(name+" from its end", esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards})
	}
}

// answers repeats the append of every event that can be read, and expects a revision that is wrong.
func (s *sight) answers(h *history, name string, last uint64) {
	shown := s.Streams[name+" from 0"]
	for _, e := range shown[:min(len(shown), 3)] {
		expected := esdb.ExpectedRevision(esdb.NoStream{})
		if e.Revision > 0 {
			expected = esdb.Revision(e.Revision - 1)
		}
		res, err := h.client.AppendToStream(h.t.Context(), name, esdb.AppendToStreamOptions{ExpectedRevision: expected},
			esdb.EventData{EventID: e.ID, EventType: e.Type, Data: []byte(e.Data)})
		answer := fmt.Sprint(code(err))
		if err == nil {
			answer = fmt.Sprint(*res)
		}
		s.Answers[fmt.Sprint("repeat ", name, " ", e.Revision)] = answer
	}
	_, err := h.client.AppendToStream(h.t.Context(), name, esdb.AppendToStreamOptions{ExpectedRevision: esdb.Revision(last + 7)}, event("x"))
	if err == nil {
		h.rt.Fatalf("an append to %s at a revision that is not there was accepted", name)
	}
	s.Answers["wrong "+name] = err.Error()
}

func (h *history) all(d esdb.Direction, from esdb.AllPosition) []seen {
	got, err := drain(h.t, func() (*esdb.ReadStream, error) {
		return h.client.ReadAll(h.t.Context(), esdb.ReadAllOptions{Direction: d, From: from}, 1<<40)
	})
	if err != nil {
		h.rt.Fatalf("read $all from %v: %v", from, err)
	}
	return all(got)
}

func (h *history) resumed(from esdb.AllPosition) []seen {
	sub, err := h.client.SubscribeToAll(h.t.Context(), esdb.SubscribeToAllOptions{From: from})
	if err != nil {
		h.rt.Fatalf("subscribe to $all from %v: %v", from, err)
	}
	return h.caughtUp(sub)
}

func (h *history) caughtUp(sub *esdb.Subscription) (out []seen) {
	defer sub.Close() //nolint:errcheck // the node has seen to it
	for {
		switch e := sub.Recv(); {
		case e.EventAppeared != nil:
			out = append(out, sight1(e.EventAppeared))
		case e.CaughtUp != nil:
			return out
		case e.SubscriptionDropped != nil:
			if errors.Is(e.SubscriptionDropped.Error, io.EOF) {
				return out
			}
			h.rt.Fatalf("dropped: %v", e.SubscriptionDropped.Error)
		}
	}
}

func all(events []*esdb.ResolvedEvent) []seen {
	out := make([]seen, len(events))
	for i, e := range events {
		out[i] = sight1(e)
	}
	return out
}

func sight1(e *esdb.ResolvedEvent) seen {
	r := e.OriginalEvent()
	return seen{r.StreamID, r.EventNumber, r.Position.Commit, r.EventID, r.EventType, string(r.Data)}
}

// removable are the positions of the events that no stream shows and that are not the last of theirs.
func (s sight) removable() map[uint64]bool {
	shown, last, ended := map[uint64]bool{}, map[string]uint64{}, map[string]bool{}
	for _, events := range s.Streams {
		for _, e := range events {
			shown[e.Position] = true
		}
	}
	for _, e := range s.All {
		last[e.Stream] = e.Position
		if e.Revision > 1<<62 {
			ended["$$"+e.Stream] = true
		}
	}
	out := map[uint64]bool{}
	for _, e := range s.All {
		if !shown[e.Position] && (last[e.Stream] != e.Position || ended[e.Stream]) {
			out[e.Position] = true
		}
	}
	return out
}

// without is what should be left to see.
func (s sight) without(gone map[uint64]bool) sight {
	strip := func(events []seen) []seen {
		return slices.DeleteFunc(slices.Clone(events), func(e seen) bool { return gone[e.Position] })
	}
	out := s
	out.All = strip(s.All)
	for _, m := range []*map[uint64][]seen{&out.Forwards, &out.Backwards, &out.Resumed} {
		stripped := map[uint64][]seen{}
		for p, events := range *m {
			stripped[p] = strip(events)
		}
		*m = stripped
	}
	return out
}

func (h *history) same(when string, want sight) {
	h.t.Helper()
	got := h.look(h.past)
	if diff := cmp.Diff(want, got, cmp.Transformer("nil", func(s []seen) string { return fmt.Sprint(s) })); diff != "" {
		h.rt.Fatalf("%s:\n%s", when, diff)
	}
}
