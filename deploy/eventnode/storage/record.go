package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

const (
	recordHeader = 68 // fixed part in front of stream, type, metadata and data
	recordMin    = recordHeader + 4
	recordMax    = 1 << 30
)

// TombstoneRevision is the revision of the event that ends a stream for ever.
const TombstoneRevision = math.MaxInt64

// Flags of a record.
const (
	// FlagJSON marks data that is JSON.
	FlagJSON uint32 = 1 << iota
	flagLastOfAppend
	flagFiller // see filler
)

// errDamaged means that the bytes at a position are not the record that was written there.
var errDamaged = errors.New("damaged record")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Record is one stored event. Its slices may alias the buffer it was decoded from.
type Record struct {
	Position uint64
	lag      uint32 // position minus the end of the log known to be on disk when it was written
	Flags    uint32
	Revision int64
	Created  int64 // ticks of 100 ns since 1970
	ID       [16]byte
	Stream   []byte
	Type     []byte // event type
	Metadata []byte // custom metadata
	Data     []byte
	size     uint64 // bytes in the log
}

// Next is the position right behind the record.
func (r *Record) Next() uint64 { return r.Position + r.size }

// durable is the end of the log that was on disk before this record was written.
func (r *Record) durable() uint64 { return r.Position - uint64(r.lag) }

// appendRecord encodes r at the end of b.
//
// Layout, little endian: length u32, crc u32, position u64, lag u32, flags u32, revision u64,
// created u64, id, lengths of stream, type and metadata u32 each, then the four byte strings, then the
// length again so that the log can be read backwards. The crc covers all that follows it.
func appendRecord(b []byte, r *Record) []byte {
	start := len(b)
	n := uint32(recordMin + len(r.Stream) + len(r.Type) + len(r.Metadata) + len(r.Data)) //nolint:gosec // bounded by the append size limit
	b = binary.LittleEndian.AppendUint32(b, n)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, r.Position)
	b = binary.LittleEndian.AppendUint32(b, r.lag)
	b = binary.LittleEndian.AppendUint32(b, r.Flags)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.Revision)) //nolint:gosec // same bits
	b = binary.LittleEndian.AppendUint64(b, uint64(r.Created))  //nolint:gosec // same bits
	b = append(b, r.ID[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.Stream)))   //nolint:gosec // bounded as above
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.Type)))     //nolint:gosec // bounded as above
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.Metadata))) //nolint:gosec // bounded as above
	b = append(b, r.Stream...)
	b = append(b, r.Type...)
	b = append(b, r.Metadata...)
	b = append(b, r.Data...)
	b = binary.LittleEndian.AppendUint32(b, n)
	sum := crc32.Checksum(b[start+8:], castagnoli)
	binary.LittleEndian.PutUint32(b[start+4:], sum)
	return b
}

// decodeRecord reads the record that b starts with and that must stand at position.
// It fails with errDamaged for anything that appendRecord did not write there.
func decodeRecord(b []byte, position uint64) (Record, error) {
	if len(b) < recordMin {
		return Record{}, fmt.Errorf("%w: %d bytes are too few", errDamaged, len(b))
	}
	n := binary.LittleEndian.Uint32(b)
	if n < recordMin || n > recordMax || uint64(n) > uint64(len(b)) {
		return Record{}, fmt.Errorf("%w: impossible length %d", errDamaged, n)
	}
	b = b[:n]
	if got := binary.LittleEndian.Uint64(b[8:]); got != position {
		return Record{}, fmt.Errorf("%w: it says it stands at %d", errDamaged, got)
	}
	if binary.LittleEndian.Uint32(b[n-4:]) != n || crc32.Checksum(b[8:], castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return Record{}, fmt.Errorf("%w: checksum differs", errDamaged)
	}
	r := Record{
		Position: position,
		lag:      binary.LittleEndian.Uint32(b[16:]),
		Flags:    binary.LittleEndian.Uint32(b[20:]),
		Revision: int64(binary.LittleEndian.Uint64(b[24:])), //nolint:gosec // same bits
		Created:  int64(binary.LittleEndian.Uint64(b[32:])), //nolint:gosec // same bits
		ID:       [16]byte(b[40:56]),
		size:     uint64(n),
	}
	stream := uint64(binary.LittleEndian.Uint32(b[56:]))
	kind := uint64(binary.LittleEndian.Uint32(b[60:]))
	meta := uint64(binary.LittleEndian.Uint32(b[64:]))
	body := b[recordHeader : n-4]
	if stream+kind+meta > uint64(len(body)) || uint64(r.lag) > position {
		return Record{}, fmt.Errorf("%w: parts are longer than the whole", errDamaged)
	}
	r.Stream, body = body[:stream], body[stream:]
	r.Type, body = body[:kind], body[kind:]
	r.Metadata, r.Data = body[:meta], body[meta:]
	return r, nil
}
