package main_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/domain/codec"
	main "aftercare/projections/bench"
)

func TestStepsAddUp(t *testing.T) {
	t.Parallel()
	names := catalog.Codec()
	for name, steps := range main.Steps() {
		sum := 0
		for _, s := range steps {
			if sum += s.Of; names.Today(s.Next) == "" {
				t.Errorf("%s is followed by %s, which is in no catalog", name, s.Next)
			}
		}
		if sum < 990 || sum > 1000 {
			t.Errorf("the steps after %s are %d of a thousand", name, sum)
		}
	}
}

func TestACaseHasOneHistory(t *testing.T) {
	t.Parallel()
	first, second := main.NewMaker(), main.NewMaker()
	total := 0
	const cases = 2000
	for number := range cases {
		stream, events := first.History(number)
		if number%2 == 0 { // whatever was made before
			again, same := second.History(number)
			if diff := cmp.Diff(events, same); stream != again || diff != "" {
				t.Fatalf("case %d is %s and %s:\n%s", number, stream, again, diff)
			}
		}
		if total += len(events); len(events) != first.Length(number) {
			t.Errorf("case %d has %d events, want %d", number, len(events), first.Length(number))
		}
	}
	if mean := float64(total) / cases; mean < 6 || mean > 9 {
		t.Errorf("streams have %.1f events on average, want about 8", mean)
	}
}

// histories returns events as they are stored.
func histories(tb testing.TB, events int) (all []codec.Raw) {
	tb.Helper()
	m, c := main.NewMaker(), catalog.Codec()
	for number := 0; len(all) < events; number++ {
		stream, history := m.History(number)
		data, err := main.Encode(context.Background(), c, &main.Keys{}, stream, number, history)
		if err != nil {
			tb.Fatal(err)
		}
		for i, e := range data {
			all = append(all, codec.Raw{
				ID: domain.UUID(e.EventID), Stream: stream, Revision: uint64(i), Type: e.EventType, Data: e.Data, Metadata: e.Metadata,
			})
		}
	}
	return all
}

func BenchmarkDecode(b *testing.B) {
	events, c := histories(b, 50_000), catalog.Codec()
	for b.Loop() {
		for _, raw := range events {
			if _, err := c.Decode(b.Context(), nil, raw); err != nil {
				b.Fatal(err)
			}
		}
	}
	perEvent(b, len(events))
}

func BenchmarkOpen(b *testing.B) {
	events, c, keys := histories(b, 50_000), catalog.Codec(), &main.Keys{}
	for b.Loop() {
		for _, raw := range events {
			if _, err := c.Decode(b.Context(), keys, raw); err != nil {
				b.Fatal(err)
			}
		}
	}
	perEvent(b, len(events))
}

func BenchmarkFold(b *testing.B) {
	events, c, keys := histories(b, 50_000), catalog.Codec(), &main.Keys{}
	decoded := make([]domain.Recorded, len(events))
	for i, raw := range events {
		var err error
		if decoded[i], err = c.Decode(b.Context(), keys, raw); err != nil {
			b.Fatal(err)
		}
	}
	for _, v := range main.Views() {
		b.Run(v.Name(), func(b *testing.B) {
			for b.Loop() {
				fold := v.Bulk()
				for _, e := range decoded {
					if !v.Handles(e.Type) {
						continue
					}
					if err := fold.Add(e); err != nil {
						b.Fatal(err)
					}
				}
			}
			perEvent(b, len(events))
		})
	}
}

func perEvent(b *testing.B, events int) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(events), "ns/event")
}
