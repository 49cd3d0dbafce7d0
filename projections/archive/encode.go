package archive

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/klauspost/compress/zstd"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// A segment is full when it has so many events, or so many bytes of payloads and metadata: enough for parts that compress well, and little
// enough to be held in memory twice.
const (
	segmentEvents = 1 << 15
	segmentBytes  = 32 << 20
)

// builder collects the consecutive events of a segment.
type builder struct {
	after  domain.Position
	events []codec.Raw
	bytes  int
	// upTo is where it ends when that is not with its last event.
	upTo domain.Position
}

func (b *builder) add(e codec.Raw) {
	b.events = append(b.events, e)
	b.bytes += len(e.Data) + len(e.Metadata)
}

func (b *builder) full() bool { return len(b.events) >= segmentEvents || b.bytes >= segmentBytes }

// until returns the position up to which the builder has the log.
func (b *builder) until() domain.Position {
	if b.upTo != (domain.Position{}) {
		return b.upTo
	}
	if len(b.events) == 0 {
		return b.after
	}
	return b.events[len(b.events)-1].Position
}

// encode returns the segment as a file.
func (b *builder) encode(z *zstd.Encoder) (head, []byte) {
	h := head{Magic: magic, After: b.after, Until: b.until(), Events: uint32(len(b.events))} //nolint:gosec // segmentEvents, or a little more
	var grouped [Buckets][]codec.Raw
	for i, e := range b.events {
		if i == 0 || e.RecordedAt.Unix() < h.Earliest {
			h.Earliest = e.RecordedAt.Unix()
		}
		n := Bucket(e.Stream)
		grouped[n] = append(grouped[n], e)
		h.Last, h.LastID = e.Position, e.ID
	}
	file := make([]byte, headSize, headSize+b.bytes/2)
	var raw []byte
	for i, events := range grouped {
		if len(events) == 0 {
			continue
		}
		raw = appendPart(raw[:0], events, b.after)
		start := len(file)
		file = z.EncodeAll(raw, file)
		h.Parts[i] = part{
			Length: uint32(len(file) - start), Raw: uint32(len(raw)), Events: uint32(len(events)), //nolint:gosec // less than 2 GiB
			Sum: sha256.Sum256(file[start:]),
		}
	}
	h.put(file)
	return h, file
}

// appendPart appends a part before its compression: the names of its streams and types, then the fields of each event that are small, as
// differences where those are smaller, then the payloads.
func appendPart(buf []byte, events []codec.Raw, after domain.Position) []byte {
	streams, types := names{}, names{}
	for _, e := range events {
		streams.add(e.Stream)
		types.add(e.Type)
	}
	buf = binary.AppendUvarint(buf, uint64(len(events)))
	buf = types.append(streams.append(buf))
	numbers := appendNumbers(nil, events, streams, types, after)
	buf = append(binary.AppendUvarint(buf, uint64(len(numbers))), numbers...)
	for _, e := range events {
		buf = append(buf, e.ID[:]...)
	}
	for _, e := range events {
		buf = append(append(buf, e.Data...), e.Metadata...)
	}
	return buf
}

// appendNumbers appends the small fields of events.
func appendNumbers(buf []byte, events []codec.Raw, streams, types names, after domain.Position) []byte {
	commit, recorded := after.Commit, int64(0)
	for _, e := range events {
		buf = binary.AppendUvarint(buf, uint64(streams.index[e.Stream])) //nolint:gosec // not negative
		buf = binary.AppendUvarint(buf, uint64(types.index[e.Type]))     //nolint:gosec // not negative
		buf = binary.AppendUvarint(buf, e.Revision)
		buf = binary.AppendUvarint(buf, e.Position.Commit-commit)
		buf = binary.AppendVarint(buf, int64(e.Position.Commit-e.Position.Prepare)) //nolint:gosec // modulo 2^64, both ways
		buf = binary.AppendVarint(buf, e.RecordedAt.Unix()-recorded)
		buf = binary.AppendUvarint(buf, uint64(e.RecordedAt.Nanosecond())) //nolint:gosec // not negative
		buf = binary.AppendUvarint(buf, uint64(len(e.Data)))
		buf = binary.AppendUvarint(buf, uint64(len(e.Metadata)))
		commit, recorded = e.Position.Commit, e.RecordedAt.Unix()
	}
	return buf
}

// names numbers strings.
type names struct {
	index map[string]int
	list  []string
}

func (n *names) add(name string) {
	if _, ok := n.index[name]; ok {
		return
	}
	if n.index == nil {
		n.index = make(map[string]int)
	}
	n.index[name] = len(n.list)
	n.list = append(n.list, name)
}

// append appends the number of names, their lengths, and the names.
func (n *names) append(buf []byte) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(n.list)))
	for _, name := range n.list {
		buf = binary.AppendUvarint(buf, uint64(len(name)))
	}
	for _, name := range n.list {
		buf = append(buf, name...)
	}
	return buf
}
