package crashtest

import (
	"encoding/json"
	"math"

	"aftercare/deploy/eventnode/storage"
)

// Model decides changes as a store must, with none of its means: all it has is a list of events for each stream.
type Model struct {
	streams map[string][]storage.Record
	ended   map[string]bool
}

// NewModel returns the model of an empty store.
func NewModel() *Model {
	return &Model{streams: map[string][]storage.Record{}, ended: map[string]bool{}}
}

// Streams names all streams that have events.
func (m *Model) Streams() []string {
	var names []string
	for name := range m.streams {
		names = append(names, name)
	}
	return names
}

// Events returns what a stream holds, by revision. Only the ids and the data count; the zero id is one that the store makes up.
func (m *Model) Events(stream string) []storage.Record { return m.streams[stream] }

// Ended reports whether a stream has ended for ever.
func (m *Model) Ended(stream string) bool { return m.ended[stream] }

// Apply makes a change and returns the verdict and a revision: the last one written or found again, or the current one.
func (m *Model) Apply(q *storage.Request) (storage.Verdict, int64) {
	last := m.last(q.Stream)
	if m.ended[q.Stream] || IsMeta(q.Stream) && m.ended[q.Stream[2:]] {
		return storage.Deleted, last
	}
	hidden := !IsMeta(q.Stream) && m.Hidden(q.Stream)
	never := last < 0 && (IsMeta(q.Stream) || m.last("$$"+q.Stream) < 0)
	switch q.Expected {
	case storage.Any, storage.StreamExists:
		if q.Expected == storage.StreamExists && hidden {
			return storage.Deleted, last
		}
		if q.Expected == storage.StreamExists && last < 0 && m.last("$$"+q.Stream) < 0 {
			return storage.WrongRevision, last
		}
		if found, some := m.lately(q); found >= 0 {
			return storage.Repeated, found
		} else if some {
			return storage.WrongRevision, last
		}
	case last:
	default:
		if q.Expected > last {
			return storage.WrongRevision, last
		}
		matched := m.match(q)
		if matched == len(q.Events) && matched > 0 {
			return storage.Repeated, q.Expected + int64(matched)
		}
		empty := q.Kind == storage.Append && len(q.Events) == 0
		if matched > 0 || empty || q.Expected != storage.NoStream || !hidden {
			return storage.WrongRevision, last
		}
	}
	switch q.Kind {
	case storage.Append:
		return storage.Written, m.append(q)
	case storage.Delete:
		if never {
			return storage.WrongRevision, last
		}
		m.put("$$"+q.Stream, `{"$tb":9223372036854775807}`)
		return storage.Written, m.last("$$" + q.Stream)
	case storage.Tombstone:
	}
	m.ended[q.Stream] = true
	return storage.Written, storage.TombstoneRevision
}

// IsMeta reports whether a stream holds metadata.
func IsMeta(stream string) bool { return len(stream) >= 2 && stream[:2] == "$$" }

func (m *Model) last(stream string) int64 { return int64(len(m.streams[stream])) - 1 }

// Hidden reports whether a stream is deleted until it is written again.
func (m *Model) Hidden(stream string) bool {
	meta := m.streams["$$"+stream]
	return len(meta) > 0 && before(meta[len(meta)-1].Data) == math.MaxInt64
}

// First is the lowest revision that $tb lets anybody read.
func (m *Model) First(stream string) int64 {
	meta := m.streams["$$"+stream]
	if IsMeta(stream) || len(meta) == 0 {
		return 0
	}
	return before(meta[len(meta)-1].Data)
}

// before is the $tb of metadata; what is not valid counts as none.
func before(raw []byte) int64 {
	var v struct {
		Before   *int64 `json:"$tb"`
		MaxCount *int64 `json:"$maxCount"`
	}
	if json.Unmarshal(raw, &v) != nil || v.Before == nil || *v.Before < 0 || v.MaxCount != nil && *v.MaxCount <= 0 {
		return 0
	}
	return *v.Before
}

// lately looks for the events anywhere in the stream. It returns the revision of the last one if all are there, and
// otherwise whether the first is.
func (m *Model) lately(q *storage.Request) (found int64, some bool) {
	found = -1
	for i, e := range q.Events {
		at := int64(-1)
		for rev, have := range m.streams[q.Stream] {
			if have.ID == e.ID {
				at = int64(rev)
			}
		}
		if at < 0 {
			return -1, i > 0
		}
		found = at
	}
	return found, found >= 0
}

// match counts how many of the events stand behind the expected revision.
func (m *Model) match(q *storage.Request) int {
	have := m.streams[q.Stream]
	for i, e := range q.Events {
		at := int(q.Expected) + 1 + i
		if at >= len(have) || have[at].ID != e.ID {
			return i
		}
	}
	return len(q.Events)
}

func (m *Model) append(q *storage.Request) int64 {
	if len(q.Events) == 0 {
		return m.last(q.Stream)
	}
	about, raw := q.Stream, []byte(nil)
	if IsMeta(about) {
		about, raw = about[2:], q.Events[len(q.Events)-1].Data
	}
	revives, next := m.Hidden(about), m.last(about)+1
	if meta := m.streams["$$"+about]; revives && raw == nil {
		raw = meta[len(meta)-1].Data
	}
	m.streams[q.Stream] = append(m.streams[q.Stream], q.Events...)
	last := m.last(q.Stream)
	var object map[string]json.RawMessage
	if revives && json.Unmarshal(raw, &object) == nil && object != nil {
		object["$tb"], _ = json.Marshal(next) // a number
		fixed, _ := json.Marshal(object)      // valid parts
		m.put("$$"+about, string(fixed))
	}
	return last
}

// put writes an event that the store makes up.
func (m *Model) put(stream, data string) {
	m.streams[stream] = append(m.streams[stream], storage.Record{Data: []byte(data)})
}
