package archive_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections/archive"
	"aftercare/projections/feed/feedtest"
)

// fill records n events in a few streams.
func fill(store *feedtest.Store, n int) domain.Position {
	var at domain.Position
	for i := 0; i < n; i += 100 {
		events := make([]esdb.EventData, 0, 100)
		for j := i; j < min(n, i+100); j++ {
			events = append(events, esdb.EventData{
				EventID: uuid.New(), EventType: fmt.Sprintf("thing.type-%d.v1", j%5), ContentType: esdb.ContentTypeJson,
				Data: fmt.Appendf(nil, `{"number":%d,"text":"%s"}`, j, strings.Repeat("x", j%50)), Metadata: []byte(`{}`),
			})
		}
		at = store.Append(fmt.Sprintf("thing-%d", i/100%37), events...)
	}
	return at
}

func collect(t *testing.T, all iter.Seq2[codec.Raw, error]) (events []codec.Raw) {
	t.Helper()
	for e, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// same compares events; whether what is empty is nil does not matter.
func same(t *testing.T, what string, want, got []codec.Raw) {
	t.Helper()
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) {
			t.Errorf("%s: %d events, want %d", what, len(got), len(want))
			return
		}
		w, g := want[i], got[i]
		if !bytes.Equal(w.Data, g.Data) || !bytes.Equal(w.Metadata, g.Metadata) {
			t.Errorf("%s: the payload of event %d differs", what, i)
		}
		w.Data, w.Metadata, g.Data, g.Metadata = nil, nil, nil, nil
		if fmt.Sprint(w) != fmt.Sprint(g) {
			t.Errorf("%s: event %d is\n%v, want\n%v", what, i, g, w)
			return
		}
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.segment"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

func extend(t *testing.T, a *archive.Archive, until domain.Position) *archive.Snapshot {
	t.Helper()
	s, err := a.Extend(t.Context(), until, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestTheArchiveReadsAsTheStoreDoes(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	const total = 70_000 // two full segments and a short one
	end := fill(store, total)
	want := collect(t, store.Log().Read(t.Context(), domain.Position{}))
	a := &archive.Archive{Dir: t.TempDir(), Log: store.Log()}
	s := extend(t, a, end)
	if s.Events() != total || s.End() != end || len(files(t, a.Dir)) != 3 {
		t.Fatalf("got %d events up to %d in %d files, want %d up to %d in 3", s.Events(), s.End().Commit, len(files(t, a.Dir)), total, end.Commit)
	}
	same(t, "in the order of the log", want, collect(t, s.Read(t.Context(), domain.Position{}, archive.Selection{})))
	same(t, "from the middle", want[40_001:], collect(t, s.Read(t.Context(), want[40_000].Position, archive.Selection{})))

	var streams []codec.Raw
	for first := 0; first < archive.Buckets; first += 64 {
		for batch, err := range s.Streams(t.Context(), first, first+64, archive.Selection{}) {
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range batch {
				e.Data, e.Metadata = slices.Clone(e.Data), slices.Clone(e.Metadata)
				if b := archive.Bucket(e.Stream); b < first || b >= first+64 {
					t.Fatalf("an event of bucket %d among those from %d", b, first)
				}
				streams = append(streams, e)
			}
		}
	}
	inStreams := func(events []codec.Raw) map[string][]codec.Raw {
		by := make(map[string][]codec.Raw)
		for _, e := range events {
			by[e.Stream] = append(by[e.Stream], e)
		}
		return by
	}
	byStream := inStreams(streams)
	for stream, events := range inStreams(want) {
		same(t, stream, events, byStream[stream])
	}

	end = fill(store, 300)
	longer := collect(t, a.Read(t.Context(), domain.Position{}))
	same(t, "with what came later", collect(t, store.Log().Read(t.Context(), domain.Position{})), longer)
	if n := len(files(t, a.Dir)); n != 3 || longer[len(longer)-1].Position != end {
		t.Errorf("%d files; want 3, the short one replaced by a longer one", n)
	}
}

func TestASelectionLeavesOthersOut(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	end := fill(store, 1000)
	all := collect(t, store.Log().Read(t.Context(), domain.Position{}))
	by := all[len(all)/2].RecordedAt
	which := archive.Selection{Types: func(name string) bool { return name == "thing.type-3.v1" }, RecordedBy: by}
	var want []codec.Raw
	for _, e := range all {
		if which.Types(e.Type) && !e.RecordedAt.After(by) {
			want = append(want, e)
		}
	}
	s := extend(t, &archive.Archive{Dir: t.TempDir(), Log: store.Log()}, end)
	same(t, "selected", want, collect(t, s.Read(t.Context(), domain.Position{}, which)))
	if len(want) == 0 || len(want) >= 200 && len(want) == len(all) {
		t.Fatalf("the selection has %d of %d events", len(want), len(all))
	}
}

// TestWhatIsDamagedIsNeverServed flips bytes all over a file, cuts it, and replaces it.
func TestWhatIsDamagedIsNeverServed(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	end := fill(store, 400)
	want := collect(t, store.Log().Read(t.Context(), domain.Position{}))
	a := &archive.Archive{Dir: t.TempDir(), Log: store.Log()}
	name := func() string {
		extend(t, a, end)
		return files(t, a.Dir)[0]
	}
	intact, err := os.ReadFile(name())
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, content []byte) {
		t.Helper()
		if err := os.WriteFile(name(), content, 0o600); err != nil {
			t.Fatal(err)
		}
		s := extend(t, a, end)
		same(t, what, want, collect(t, s.Read(t.Context(), domain.Position{}, archive.Selection{})))
		var n int
		for batch, err := range s.Streams(t.Context(), 0, archive.Buckets, archive.Selection{}) {
			if err != nil {
				t.Fatal(err)
			}
			n += len(batch)
		}
		if n != len(want) {
			t.Errorf("%s: %d events in streams, want %d", what, n, len(want))
		}
		if got, err := os.ReadFile(files(t, a.Dir)[0]); err != nil || string(got) != string(intact) {
			t.Errorf("%s: the file was not made anew", what)
		}
	}
	for i := 0; i < len(intact); i += max(1, len(intact)/60) {
		flipped := slices.Clone(intact)
		flipped[i] ^= 1 << (i % 8)
		try(fmt.Sprintf("byte %d flipped", i), flipped)
	}
	try("cut", intact[:len(intact)-7])
	try("cut in the head", intact[:100])
	try("empty", nil)
	try("longer", append(slices.Clone(intact), 0))
	try("something else", []byte(strings.Repeat("not a segment", 10_000)))
}

func TestDamageUnderAReaderIsMended(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	end := fill(store, 400)
	want := collect(t, store.Log().Read(t.Context(), domain.Position{}))
	a := &archive.Archive{Dir: t.TempDir(), Log: store.Log()}
	s := extend(t, a, end)
	name := files(t, a.Dir)[0]
	if err := os.Truncate(name, 20_000); err != nil {
		t.Fatal(err)
	}
	same(t, "cut under the reader", want, collect(t, s.Read(t.Context(), domain.Position{}, archive.Selection{})))
	if err := os.Remove(files(t, a.Dir)[0]); err != nil {
		t.Fatal(err)
	}
	same(t, "removed under the reader", want, collect(t, s.Read(t.Context(), domain.Position{}, archive.Selection{})))
}

func TestAGapIsFilledFromTheStore(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	end := fill(store, 70_000)
	a := &archive.Archive{Dir: t.TempDir(), Log: store.Log()}
	extend(t, a, end)
	if err := os.Remove(files(t, a.Dir)[1]); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a.Dir, "1234.partial"), []byte("left over"), 0o600); err != nil {
		t.Fatal(err)
	}
	read := 0
	s, err := a.Extend(t.Context(), end, func(n int) { read = n })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // only read
	if s.Events() != 70_000 || s.End() != end || read < 30_000 || read > 40_000 {
		t.Errorf("%d events, %d of them from the store; want 70000, all but the first segment from the store", s.Events(), read)
	}
	if left, _ := filepath.Glob(filepath.Join(a.Dir, "*.partial")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestTheSegmentsOfAnotherLogAreNotServed(t *testing.T) {
	t.Parallel()
	first, second := feedtest.New(t), feedtest.New(t)
	dir := t.TempDir()
	extend(t, &archive.Archive{Dir: dir, Log: first.Log()}, fill(first, 5000))
	fill(second, 700)
	a := &archive.Archive{Dir: dir, Log: second.Log()}
	same(t, "of the second log", collect(t, second.Log().Read(t.Context(), domain.Position{})), collect(t, a.Read(t.Context(), domain.Position{})))
}

func TestWithoutAFolderNothingIsKept(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	end := fill(store, 500)
	a := &archive.Archive{Log: store.Log()}
	s := extend(t, a, end)
	same(t, "read", collect(t, store.Log().Read(t.Context(), domain.Position{})), collect(t, s.Read(t.Context(), domain.Position{}, archive.Selection{})))
	same(t, "read", collect(t, store.Log().Read(t.Context(), domain.Position{})), collect(t, a.Read(t.Context(), domain.Position{})))
}

func TestSeveralExtendOneFolder(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	end := fill(store, 40_000)
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			a := &archive.Archive{Dir: dir, Log: store.Log()}
			s, err := a.Extend(t.Context(), end, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close() //nolint:errcheck // only read
			if s.Events() != 40_000 {
				t.Errorf("%d events, want 40000", s.Events())
			}
		})
	}
	wg.Wait()
	if n := len(files(t, dir)); n != 2 {
		t.Errorf("%d files, want 2", n)
	}
}

func TestACancelledExtendKeepsWhatItMade(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	end := fill(store, 70_000)
	a := &archive.Archive{Dir: t.TempDir(), Log: store.Log()}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := a.Extend(ctx, end, func(n int) {
		if n > 66_000 {
			cancel()
		}
	}); err == nil {
		t.Fatal("it was not cancelled")
	}
	kept := extend(t, a, domain.Position{})
	if kept.Events() == 0 || kept.Events() == 70_000 {
		t.Errorf("%d events are kept, want some", kept.Events())
	}
	if s := extend(t, a, end); s.Events() != 70_000 {
		t.Errorf("%d events, want 70000", s.Events())
	}
}

func BenchmarkExtend(b *testing.B) {
	store := feedtest.New(b)
	const total = 200_000
	end := fillReal(store, total)
	for b.Loop() {
		a := &archive.Archive{Dir: b.TempDir(), Log: store.Log()}
		s, err := a.Extend(b.Context(), end, nil)
		if err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
	b.ReportMetric(total*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkRead(b *testing.B) {
	store := feedtest.New(b)
	const total = 200_000
	fillReal(store, total)
	for b.Loop() {
		n := 0
		for _, err := range store.Log().Read(b.Context(), domain.Position{}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(total*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkStreams(b *testing.B) {
	store := feedtest.New(b)
	const total = 200_000
	end := fillReal(store, total)
	s, err := (&archive.Archive{Dir: b.TempDir(), Log: store.Log()}).Extend(b.Context(), end, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // only read
	for b.Loop() {
		n := 0
		for first := 0; first < archive.Buckets; first += 64 {
			for batch, err := range s.Streams(b.Context(), first, first+64, archive.Selection{}) {
				if err != nil {
					b.Fatal(err)
				}
				n += len(batch)
			}
		}
		if n != total {
			b.Fatal(n)
		}
	}
	b.ReportMetric(total*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// fillReal records events of the size that real ones have.
func fillReal(store *feedtest.Store, n int) domain.Position {
	var at domain.Position
	for i := 0; i < n; i += 8 {
		var events []esdb.EventData
		for range 8 {
			id := uuid.New()
			events = append(events, esdb.EventData{
				EventID: id, EventType: "ticket.assigned.v1", ContentType: esdb.ContentTypeJson,
				Data: fmt.Appendf(nil, `{"at":"2026-03-01T10:%02d:%02dZ","team":"team-%d","agent":"agent-%d","note":"%s"}`, i%60, i%59, i%17, i%301, strings.Repeat(id.String(), 4)),
				Metadata: fmt.Appendf(nil, `{"commandId":%q,"commandHash":%q,"correlationId":%q,"principal":{"id":"import:bpic"},"channel":"import","occurredAt":"2026-03-01T10:%02d:00Z"}`,
					uuid.New(), id, uuid.New(), i%60),
			})
		}
		at = store.Append("ticket-"+uuid.NewString(), events...)
	}
	return at
}
