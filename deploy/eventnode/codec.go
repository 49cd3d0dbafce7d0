package eventnode

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"aftercare/deploy/eventnode/storage"
)

// encodedMessage is a response that is on the wire as it stands. Events are encoded by hand because
// the generated code spends most of a long read on building and walking maps.
type encodedMessage []byte

// wireCodec is the standard codec that also knows the messages that are encoded and decoded by hand.
type wireCodec struct{ encoding.CodecV2 }

func newWireCodec() wireCodec { return wireCodec{encoding.GetCodecV2(proto.Name)} }

// Marshal implements encoding.CodecV2.
func (c wireCodec) Marshal(v any) (mem.BufferSlice, error) {
	if b, ok := v.(encodedMessage); ok {
		return mem.BufferSlice{mem.SliceBuffer(b)}, nil
	}
	return c.CodecV2.Marshal(v)
}

// Unmarshal implements encoding.CodecV2.
func (c wireCodec) Unmarshal(data mem.BufferSlice, v any) (err error) {
	if m, ok := v.(*appendMessage); ok {
		*m, err = decodeAppend(data)
		return err
	}
	return c.CodecV2.Unmarshal(data, v)
}

// Field numbers of streams.proto and shared.proto.
const (
	fieldRespEvent        = 1
	fieldEventEvent       = 1
	fieldEventLink        = 2
	fieldEventCommit      = 3
	fieldEventRetries     = 5 // of persistent.proto, whose messages are otherwise the same
	fieldRecordedID       = 1
	fieldRecordedStream   = 2
	fieldRecordedRevision = 3
	fieldRecordedPrepare  = 4
	fieldRecordedCommit   = 5
	fieldRecordedSystem   = 6
	fieldRecordedMeta     = 7
	fieldRecordedData     = 8
	fieldUUIDStructured   = 1
	fieldUUIDString       = 2
	fieldStreamName       = 3
)

// maxChunk is how large a piece of memory an encoder takes at once.
const maxChunk = 64 << 10

// encoder encodes the events of one call. It cuts the messages out of larger pieces of memory, because a piece for
// each would be most of the garbage of a long read. The pieces grow with the call: a quiet subscription holds little.
type encoder struct {
	stringIDs bool
	chunk     []byte // the part that is still free
	size      int    // of the last piece
}

// event returns the ReadResp of an event, and of the link that led to it if there is one.
// The event may be nil when the link leads nowhere.
func (e *encoder) event(event, link *storage.Record) encodedMessage { return e.encode(event, link, -1) }

// encode does so and adds how often the event was delivered before, unless that is negative.
func (e *encoder) encode(event, link *storage.Record, retries int) encodedMessage {
	const head = 1 + 5 // a tag and a length
	original, size := event, head+24
	for _, r := range []*storage.Record{event, link} {
		if r != nil {
			size += recordedSize(r)
		}
	}
	if link != nil {
		original = link
	}
	if cap(e.chunk) < size {
		e.size = max(size, min(2*e.size, maxChunk))
		e.chunk = make([]byte, 0, e.size)
	}
	b := append(e.chunk[:0], 0, 0, 0, 0, 0, 0)
	if event != nil {
		b = appendRecorded(b, fieldEventEvent, event, e.stringIDs)
	}
	if link != nil {
		b = appendRecorded(b, fieldEventLink, link, e.stringIDs)
	}
	b = appendNumber(b, fieldEventCommit, original.Position)
	if retries >= 0 {
		b = appendNumber(b, fieldEventRetries, uint64(retries))
	}
	b[0] = byte(fieldRespEvent<<3 | protowire.BytesType)
	putLength(b[1:head], len(b)-head)
	e.chunk = b[len(b):]
	return slices.Clip(b)
}

// putLength writes n as a varint of five bytes. It may have leading zero groups, so room for it can be left before
// the length is known.
func putLength(b []byte, n int) {
	for i := range b {
		b[i] = byte(n>>(7*i)&0x7f) | 0x80
	}
	b[len(b)-1] &= 0x7f
}

// recordedSize is at least the encoded size of r without its header.
func recordedSize(r *storage.Record) int {
	return 208 + len(r.Stream) + len(r.Type) + len(r.Metadata) + len(r.Data)
}

func appendRecorded(b []byte, field protowire.Number, r *storage.Record, stringIDs bool) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	const gap = 5 // room for the length
	start := len(b) + gap
	b = append(b, 0, 0, 0, 0, 0)
	b = appendID(b, r.ID, stringIDs)
	b = protowire.AppendTag(b, fieldRecordedStream, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(1+protowire.SizeBytes(len(r.Stream)))) //nolint:gosec // not negative
	b = appendBytes(b, fieldStreamName, r.Stream)
	b = appendNumber(b, fieldRecordedRevision, uint64(r.Revision)) //nolint:gosec // not negative
	b = appendNumber(b, fieldRecordedPrepare, r.Position)
	b = appendNumber(b, fieldRecordedCommit, r.Position)
	b = appendPair(b, "type", r.Type)
	var digits [20]byte
	b = appendPair(b, "created", strconv.AppendInt(digits[:0], r.Created, 10))
	if r.Flags&storage.FlagJSON != 0 {
		b = appendPair(b, "content-type", []byte(contentJSON))
	} else {
		b = appendPair(b, "content-type", []byte("application/octet-stream"))
	}
	b = appendBytes(b, fieldRecordedMeta, r.Metadata)
	b = appendBytes(b, fieldRecordedData, r.Data)
	putLength(b[start-gap:start], len(b)-start)
	return b
}

func appendID(b []byte, id [16]byte, stringIDs bool) []byte {
	b = protowire.AppendTag(b, fieldRecordedID, protowire.BytesType)
	if stringIDs {
		var s [36]byte
		hex.Encode(s[:8], id[:4])
		hex.Encode(s[9:13], id[4:6])
		hex.Encode(s[14:18], id[6:8])
		hex.Encode(s[19:23], id[8:10])
		hex.Encode(s[24:], id[10:])
		s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
		b = protowire.AppendVarint(b, 2+36)
		b = protowire.AppendTag(b, fieldUUIDString, protowire.BytesType)
		return protowire.AppendBytes(b, s[:])
	}
	high, low := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	n := uint64(2 + protowire.SizeVarint(high) + protowire.SizeVarint(low)) //nolint:gosec // not negative
	b = protowire.AppendVarint(b, n+2)
	b = protowire.AppendTag(b, fieldUUIDStructured, protowire.BytesType)
	b = protowire.AppendVarint(b, n)
	b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), high)
	return protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), low)
}

func appendNumber(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func appendPair(b []byte, key string, value []byte) []byte {
	b = protowire.AppendTag(b, fieldRecordedSystem, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(2+protowire.SizeBytes(len(key))+protowire.SizeBytes(len(value)))) //nolint:gosec // not negative
	b = protowire.AppendString(protowire.AppendTag(b, 1, protowire.BytesType), key)
	return appendBytes(b, 2, value)
}
