package archive_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections/archive"
)

// drawn are events as no program of ours writes them: other people's logs are read, too.
func drawn() *rapid.Generator[[]codec.Raw] {
	payload := rapid.OneOf(rapid.SliceOfN(rapid.Byte(), 0, 200), rapid.Map(rapid.IntRange(0, 1<<14), func(n int) []byte { return make([]byte, n) }))
	names := []string{"case-1", "case-2", "", "$", "ä \x00\xff", "case-1 ", string(make([]byte, 300))}
	return rapid.Custom(func(t *rapid.T) []codec.Raw {
		var at uint64
		events := make([]codec.Raw, rapid.IntRange(0, 30).Draw(t, "events"))
		for i := range events {
			at += rapid.OneOf(rapid.Uint64Range(1, 500), rapid.Uint64Range(1, 1<<50)).Draw(t, "step")
			events[i] = codec.Raw{
				Stream:   rapid.SampledFrom(names).Draw(t, "stream"),
				Revision: rapid.Uint64().Draw(t, "revision"),
				Position: domain.Position{Commit: at, Prepare: at - rapid.Uint64Range(0, at).Draw(t, "prepare")},
				RecordedAt: time.Unix(
					rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanoseconds")).UTC(),
				Type: rapid.SampledFrom([]string{"a.b.v1", "", "ä\x00", "a.b.v2"}).Draw(t, "type"),
				Data: payload.Draw(t, "data"), Metadata: payload.Draw(t, "metadata"),
			}
			copy(events[i].ID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		}
		return events
	})
}

func TestASegmentHoldsWhatWasPutIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		events := drawn().Draw(r, "events")
		which := archive.Selection{}
		if rapid.Bool().Draw(r, "selected") {
			which.Types = func(name string) bool { return name != "a.b.v1" }
			which.Streams = func(name string) bool { return len(name)%2 == 0 }
			which.RecordedBy = time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(r, "by"), 0)
			which.Until.Commit = rapid.Uint64Range(1, 1<<55).Draw(r, "until")
		}
		first := rapid.IntRange(0, archive.Buckets).Draw(r, "first")
		end := rapid.IntRange(first, archive.Buckets).Draw(r, "end")
		name, err := archive.WriteSegment(dir, domain.Position{}, events)
		if err != nil {
			r.Fatal(err)
		}
		got, err := archive.ReadSegment(name, 0, archive.Buckets, archive.Selection{})
		if err != nil {
			r.Fatal(err)
		}
		same(t, "all", events, got)
		if got, err = archive.ReadSegment(name, first, end, which); err != nil {
			r.Fatal(err)
		}
		same(t, "selected", slices.DeleteFunc(slices.Clone(events), func(e codec.Raw) bool {
			b := archive.Bucket(e.Stream)
			return b < first || b >= end || which.Types != nil &&
				(!which.Types(e.Type) || !which.Streams(e.Stream) || e.RecordedAt.After(which.RecordedBy) || e.Position.Commit > which.Until.Commit)
		}), got)
		if t.Failed() {
			r.Fatal("see above")
		}
	})
}

// small are a few events of a few streams.
func small() []codec.Raw {
	events := make([]codec.Raw, 40)
	for i := range events {
		events[i] = codec.Raw{
			ID: domain.UUID{byte(i)}, Stream: []string{"case-1", "case-2", "agent-7"}[i%3], Revision: uint64(i / 3),
			Position:   domain.Position{Commit: uint64(100 + i*80), Prepare: uint64(100 + i*80)},
			RecordedAt: time.Date(2026, 1, 1, 0, 0, i, 100, time.UTC), Type: "case.noted.v1", Data: []byte(`{"n":1}`), Metadata: []byte(`{}`),
		}
	}
	return events
}

func TestNoByteOfASegmentChangesUnnoticed(t *testing.T) {
	t.Parallel()
	name, err := archive.WriteSegment(t.TempDir(), domain.Position{}, small())
	if err != nil {
		t.Fatal(err)
	}
	intact, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // not needed afterwards
	put := func(at int, b byte) {
		if _, err := file.WriteAt([]byte{b}, int64(at)); err != nil {
			t.Fatal(err)
		}
	}
	for i, b := range intact {
		put(i, b^(1<<(i%8)))
		if _, err := archive.ReadSegment(name, 0, archive.Buckets, archive.Selection{}); err == nil {
			t.Errorf("byte %d of %d was flipped, and served", i, len(intact))
		}
		put(i, b)
	}
	if got, err := archive.ReadSegment(name, 0, archive.Buckets, archive.Selection{}); err != nil || len(got) != len(small()) {
		t.Fatalf("the intact segment has %d events, %v", len(got), err)
	}
	for n := len(intact) - 1; n >= 0; n -= 7 {
		if err := file.Truncate(int64(n)); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.ReadSegment(name, 0, archive.Buckets, archive.Selection{}); err == nil {
			t.Errorf("it was cut to %d bytes of %d, and served", n, len(intact))
		}
	}
}

func FuzzParts(f *testing.F) {
	f.Add(archive.EncodePart(small()))
	f.Add(archive.EncodePart(nil))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		events, err := archive.DecodePart(raw)
		if err != nil && len(events) > len(raw) || err == nil && 25*len(events) > len(raw) {
			t.Fatalf("%d events of %d bytes, %v", len(events), len(raw), err)
		}
		if err != nil {
			return
		}
		again, err := archive.DecodePart(archive.EncodePart(events))
		if err != nil {
			t.Fatal(err)
		}
		same(t, "encoded again", events, again)
	})
}
