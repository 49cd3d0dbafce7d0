package codec

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"aftercare/domain"
	"aftercare/domain/codec/scan"
	"aftercare/domain/seal"
)

// Entry is one stored type: see JSON and Upcast.
type Entry struct {
	name   string // as stored
	today  string // as the decoded event calls itself
	decode func(*scan.Scanner, []byte) (e domain.Event, sealed bool, err error)
}

// Name returns the stored name.
func (e Entry) Name() string { return e.name }

// Scannable is an event that reads itself, quicker than encoding/json does: see package scan.
type Scannable interface {
	// Scan returns the event that the scanner reads. The receiver does not matter.
	Scan(s *scan.Scanner) domain.Event
}

// JSON is the entry of an event that is stored as it is, under the name its zero value returns.
func JSON[E domain.Event]() Entry {
	var zero E
	general := func(data []byte) (domain.Event, bool, error) {
		var e E
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, false, err
		}
		return e, true, nil
	}
	quick, ok := any(zero).(Scannable)
	return Entry{zero.EventType(), zero.EventType(), func(s *scan.Scanner, data []byte) (domain.Event, bool, error) {
		if !ok {
			return general(data)
		}
		s.Reset(data)
		e := quick.Scan(s)
		if !s.Done() {
			return general(data)
		}
		return e, s.Texts() > 0, nil
	}}
}

// Upcast is the entry of a retired type: it is read as Old and seen as New by the rest of the program. Where f moves a text to
// a field of another path, Old must be a seal.Carrier, whose paths are those the texts were sealed at.
func Upcast[Old any, New domain.Event](name string, f func(Old) New) Entry {
	var zero New
	return Entry{name, zero.EventType(), func(_ *scan.Scanner, data []byte) (domain.Event, bool, error) {
		var old Old
		if err := json.Unmarshal(data, &old); err != nil {
			return nil, false, err
		}
		old, err := sealedHere(old)
		if err != nil {
			return nil, false, err
		}
		return f(old), true, nil
	}}
}

// sealedHere returns an event whose texts keep the paths they have in it.
func sealedHere[Old any](old Old) (Old, error) {
	carrier, ok := any(old).(seal.Carrier)
	if !ok {
		return old, nil
	}
	e, err := carrier.MapTexts(func(path string, t seal.Text) (seal.Text, error) { return t.SealedAt(path), nil })
	if err != nil {
		return old, err
	}
	same, ok := e.(Old)
	if !ok {
		return old, fmt.Errorf("its texts were mapped into a %T", e)
	}
	return same, nil
}

// Codec knows a fixed set of stored types.
type Codec struct {
	entries map[string]Entry
	names   []string
}

// New returns a codec of the entries. It panics when two have one name.
func New(entries ...Entry) *Codec {
	c := &Codec{entries: make(map[string]Entry, len(entries))}
	for _, e := range entries {
		if _, twice := c.entries[e.name]; twice {
			panic("codec: two entries named " + e.name)
		}
		c.entries[e.name] = e
		c.names = append(c.names, e.name)
	}
	return c
}

// Names returns the stored names in the order of New.
func (c *Codec) Names() []string { return append([]string(nil), c.names...) }

// Today returns the type that a stored type is read as: its own name, or for a retired type that of its successor. It is
// "" for a type that the codec does not know.
func (c *Codec) Today(name string) string { return c.entries[name].today }

// Encoded is an event as it goes to the store.
type Encoded struct {
	Type     string
	Data     []byte
	Metadata []byte
}

// Raw is an event as it comes from the store.
type Raw struct {
	ID         domain.UUID
	Stream     string
	Revision   uint64
	Position   domain.Position
	RecordedAt time.Time
	Type       string
	Data       []byte
	Metadata   []byte
}

// Encode seals the texts of e for its place and returns its stored form. The metadata's OccurredAt is set from the event.
func (c *Codec) Encode(ctx context.Context, s seal.Sealer, stream string, id domain.UUID, e domain.Event, m domain.Metadata) (Encoded, error) {
	name := e.EventType()
	if _, ok := c.entries[name]; !ok {
		return Encoded{}, fmt.Errorf("encode %s: not in the catalog", name)
	}
	if carrier, ok := e.(seal.Carrier); ok {
		sealed, err := carrier.MapTexts(func(path string, t seal.Text) (seal.Text, error) {
			return seal.Seal(ctx, s, t, seal.Binding{Stream: stream, EventID: id, Path: path})
		})
		if err != nil {
			return Encoded{}, fmt.Errorf("seal %s of %s: %w", name, stream, err)
		}
		e = sealed
	}
	data, err := marshal(e)
	if err != nil {
		return Encoded{}, fmt.Errorf("encode %s of %s: %w", name, stream, err)
	}
	m.OccurredAt = e.OccurredAt()
	meta, err := marshal(m)
	if err != nil {
		return Encoded{}, fmt.Errorf("encode metadata of %s of %s: %w", name, stream, err)
	}
	return Encoded{Type: name, Data: data, Metadata: meta}, nil
}

// Decode returns the event of raw. A type not in the catalog, and a nil opener's sealed texts, are left as they are;
// malformed bytes are an error that names the place.
func (c *Codec) Decode(ctx context.Context, o seal.Opener, raw Raw) (domain.Recorded, error) {
	r, sealed, err := c.DecodeSealed(raw)
	if err != nil || !sealed {
		return r, err
	}
	return c.Open(ctx, o, r)
}

// DecodeSealed is Decode without an opener. It reports whether the event may have sealed texts: when it does not, there is nothing to
// open.
func (c *Codec) DecodeSealed(raw Raw) (_ domain.Recorded, sealed bool, _ error) {
	r := domain.Recorded{
		ID: raw.ID, Stream: raw.Stream, Revision: raw.Revision, Position: raw.Position,
		RecordedAt: raw.RecordedAt, Type: raw.Type,
	}
	entry, ok := c.entries[raw.Type]
	if !ok {
		return r, false, nil
	}
	s := scanners.Get().(*scan.Scanner) // there is nothing else in it
	defer scanners.Put(s)
	var err error
	if r.Metadata, err = decodeMetadata(s, raw.Metadata); err != nil {
		return r, false, fmt.Errorf("decode metadata of %s at %d@%s: %w", raw.Type, raw.Revision, raw.Stream, err)
	}
	e, sealed, err := entry.decode(s, raw.Data)
	s.Reset(nil)
	if err != nil {
		return r, false, fmt.Errorf("decode %s at %d@%s: %w", raw.Type, raw.Revision, raw.Stream, err)
	}
	r.Event = e
	return r, sealed, nil
}

// scanners keep what they remember of codes.
var scanners = sync.Pool{New: func() any { return new(scan.Scanner) }} //nolint:gochecknoglobals // a cache

// Open opens the texts of a decoded event. Without an Opener they stay sealed.
func (*Codec) Open(ctx context.Context, o seal.Opener, r domain.Recorded) (domain.Recorded, error) {
	carrier, ok := r.Event.(seal.Carrier)
	if !ok || o == nil {
		return r, nil
	}
	e, err := carrier.MapTexts(func(path string, t seal.Text) (seal.Text, error) {
		return seal.Open(ctx, o, t, seal.Binding{Stream: r.Stream, EventID: r.ID, Path: path})
	})
	if err != nil {
		r.Event = nil
		return r, fmt.Errorf("open %s at %d@%s: %w", r.Type, r.Revision, r.Stream, err)
	}
	r.Event = e
	return r, nil
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
