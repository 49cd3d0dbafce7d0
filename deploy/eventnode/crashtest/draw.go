package crashtest

import (
	"math"
	"slices"

	"pgregory.net/rapid"

	"aftercare/deploy/eventnode/storage"
)

var (
	names    = []string{"a", "b", "c", "$$a", "$$b"}
	metadata = []string{
		`{}`, `{"$maxCount":2}`, `{"$tb":1}`, `{"$tb":9223372036854775807}`, `{"own":[1]}`, `none`, `null`, `{"$maxCount":0,"$tb":9223372036854775807}`,
	}
)

// Draw makes up a change: few streams, few ids, expected revisions around the current one, and often the same once more.
func (m *Model) Draw(t *rapid.T, kinds ...storage.Kind) *storage.Request {
	q := &storage.Request{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Stream: rapid.SampledFrom(names).Draw(t, "stream")}
	if q.Kind != storage.Append {
		q.Stream = rapid.SampledFrom(names[:3]).Draw(t, "stream to remove")
	}
	last := m.last(q.Stream)
	q.Expected = rapid.SampledFrom([]int64{
		storage.Any, storage.Any, storage.NoStream, storage.StreamExists, last, last, last + 1, last - 1, 0, math.MaxInt64,
	}).Draw(t, "expected")
	if q.Expected < 0 && q.Expected == last-1 {
		q.Expected = storage.NoStream
	}
	if q.Kind != storage.Append {
		return q
	}
	if have := m.streams[q.Stream]; len(have) > 0 && rapid.IntRange(0, 3).Draw(t, "again") == 0 {
		from := rapid.IntRange(0, len(have)-1).Draw(t, "from")
		to := rapid.IntRange(from+1, len(have)).Draw(t, "to")
		q.Events = slices.Clone(have[from:to])
		if rapid.Bool().Draw(t, "at its place") {
			q.Expected = int64(from) - 1
		}
	}
	q.Events = slices.DeleteFunc(q.Events, func(r storage.Record) bool { return r.ID == [16]byte{} })
	for range rapid.IntRange(0, 3).Draw(t, "new events") {
		id := [16]byte{15: rapid.Byte().Draw(t, "id"), 0: 1}
		q.Events = append(q.Events, storage.Record{
			ID: id, Type: []byte("noted"), Data: []byte(rapid.SampledFrom(metadata).Draw(t, "data")),
		})
	}
	return q
}
