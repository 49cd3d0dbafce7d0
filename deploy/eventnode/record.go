package eventnode

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

// tombstoneRevision is the revision of the event that ends a stream for ever.
const tombstoneRevision = math.MaxInt64

const (
	flagJSON uint32 = 1 << iota
	flagLastOfAppend
)

// errDamaged means that the bytes at a position are not the record that was written there.
var errDamaged = errors.New("damaged record")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record is one stored event. Its slices may alias the buffer it was decoded from.
type record struct {
	position uint64
	lag      uint32 // position minus the end of the log known to be on disk when it was written
	flags    uint32
	revision int64
	created  int64 // ticks of 100 ns since 1970
	id       [16]byte
	stream   []byte
	kind     []byte // event type
	meta     []byte // custom metadata
	data     []byte
	size     uint64 // bytes in the log
}

// next is the position right behind the record.
func (r *record) next() uint64 { return r.position + r.size }

// durable is the end of the log that was on disk before this record was written.
func (r *record) durable() uint64 { return r.position - uint64(r.lag) }

// appendRecord encodes r at the end of b.
//
// Layout, little endian: length u32, crc u32, position u64, lag u32, flags u32, revision u64,
// created u64, id, lengths of stream, type and metadata u32 each, then the four byte strings, then the
// length again so that the log can be read backwards. The crc covers all that follows it.
func appendRecord(b []byte, r *record) []byte {
	start := len(b)
	n := uint32(recordMin + len(r.stream) + len(r.kind) + len(r.meta) + len(r.data)) //nolint:gosec // bounded by the append size limit
	b = binary.LittleEndian.AppendUint32(b, n)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, r.position)
	b = binary.LittleEndian.AppendUint32(b, r.lag)
	b = binary.LittleEndian.AppendUint32(b, r.flags)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.revision)) //nolint:gosec // same bits
	b = binary.LittleEndian.AppendUint64(b, uint64(r.created))  //nolint:gosec // same bits
	b = append(b, r.id[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.stream))) //nolint:gosec // bounded as above
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.kind)))   //nolint:gosec // bounded as above
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.meta)))   //nolint:gosec // bounded as above
	b = append(b, r.stream...)
	b = append(b, r.kind...)
	b = append(b, r.meta...)
	b = append(b, r.data...)
	b = binary.LittleEndian.AppendUint32(b, n)
	sum := crc32.Checksum(b[start+8:], castagnoli)
	binary.LittleEndian.PutUint32(b[start+4:], sum)
	return b
}

// decodeRecord reads the record that b starts with and that must stand at position.
// It fails with errDamaged for anything that appendRecord did not write there.
func decodeRecord(b []byte, position uint64) (record, error) {
	if len(b) < recordMin {
		return record{}, fmt.Errorf("%w: %d bytes are too few", errDamaged, len(b))
	}
	n := binary.LittleEndian.Uint32(b)
	if n < recordMin || n > recordMax || uint64(n) > uint64(len(b)) {
		return record{}, fmt.Errorf("%w: impossible length %d", errDamaged, n)
	}
	b = b[:n]
	if got := binary.LittleEndian.Uint64(b[8:]); got != position {
		return record{}, fmt.Errorf("%w: it says it stands at %d", errDamaged, got)
	}
	if binary.LittleEndian.Uint32(b[n-4:]) != n || crc32.Checksum(b[8:], castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return record{}, fmt.Errorf("%w: checksum differs", errDamaged)
	}
	r := record{
		position: position,
		lag:      binary.LittleEndian.Uint32(b[16:]),
		flags:    binary.LittleEndian.Uint32(b[20:]),
		revision: int64(binary.LittleEndian.Uint64(b[24:])), //nolint:gosec // same bits
		created:  int64(binary.LittleEndian.Uint64(b[32:])), //nolint:gosec // same bits
		id:       [16]byte(b[40:56]),
		size:     uint64(n),
	}
	stream := uint64(binary.LittleEndian.Uint32(b[56:]))
	kind := uint64(binary.LittleEndian.Uint32(b[60:]))
	meta := uint64(binary.LittleEndian.Uint32(b[64:]))
	body := b[recordHeader : n-4]
	if stream+kind+meta > uint64(len(body)) || uint64(r.lag) > position {
		return record{}, fmt.Errorf("%w: parts are longer than the whole", errDamaged)
	}
	r.stream, body = body[:stream], body[stream:]
	r.kind, body = body[:kind], body[kind:]
	r.meta, r.data = body[:meta], body[meta:]
	return r, nil
}
