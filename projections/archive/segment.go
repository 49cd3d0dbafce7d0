package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// magic begins a segment. The number is the version of the format.
var magic = [8]byte{'A', 'F', 'T', 'E', 'R', 'S', 'E', 1} //nolint:gochecknoglobals // constant

// head is the beginning of a segment's file, in the order of its bytes, big endian.
type head struct {
	Magic [8]byte
	// After and Until are what stretch of the log it is: it lacks nothing between them.
	After, Until domain.Position
	// Last is the last event, if there is one.
	Last   domain.Position
	LastID domain.UUID
	// Earliest is the first second in which one of the events was recorded.
	Earliest int64
	Events   uint32
	// Parts lie one after the other behind the head, by bucket.
	Parts [Buckets]part
}

// part is the events of a bucket.
type part struct {
	// Length is that of its bytes in the file, Raw that before compression. Both are zero without events.
	Length, Raw, Events uint32
	// Sum is the SHA-256 of its bytes in the file.
	Sum [sha256.Size]byte
}

// headSize is the length of the head with the SHA-256 of itself.
var headSize = binary.Size(head{}) + sha256.Size //nolint:gochecknoglobals // constant

// put writes the head at the beginning of a file.
func (h *head) put(file []byte) {
	size := headSize - sha256.Size
	if _, err := binary.Encode(file, binary.BigEndian, h); err != nil {
		panic("archive: " + err.Error()) // a struct of fixed size in a slice long enough
	}
	sum := sha256.Sum256(file[:size])
	copy(file[size:], sum[:])
}

var (
	errForeign = errors.New("it is not a segment of this version")
	errDamaged = errors.New("it is damaged")
)

// parse reads a head and checks it.
func (h *head) parse(data []byte) error {
	size := headSize - sha256.Size
	if len(data) < headSize || !bytes.Equal(data[:len(magic)], magic[:]) {
		return errForeign
	}
	if sum := sha256.Sum256(data[:size]); !bytes.Equal(sum[:], data[size:headSize]) {
		return errDamaged
	}
	_, err := binary.Decode(data, binary.BigEndian, h)
	return err
}

// length returns that of the file.
func (h *head) length() int64 {
	total := int64(headSize)
	for _, p := range h.Parts {
		total += int64(p.Length)
	}
	return total
}

// raw returns the bytes of the parts from first up to end before compression.
func (h *head) raw(first, end int) (total int) {
	for _, p := range h.Parts[first:end] {
		total += int(p.Raw)
	}
	return total
}

// events returns how many are in the parts from first up to end.
func (h *head) events(first, end int) (total int) {
	for _, p := range h.Parts[first:end] {
		total += int(p.Events)
	}
	return total
}

// short reports whether more events would fit.
func (h *head) short() bool { return h.Events < segmentEvents && h.raw(0, Buckets) < segmentBytes }

// segment is an open file.
type segment struct {
	head
	file *os.File
}

// openSegment opens a file and checks its head and length. Unless the error is errForeign or errDamaged it says nothing about the file.
func openSegment(name string) (_ *segment, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open segment %s: %w", name, err), f.Close())
		}
	}()
	data := make([]byte, headSize)
	if _, err := io.ReadFull(f, data); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errForeign
	} else if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	s := &segment{file: f}
	if err := s.parse(data); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() != s.length() {
		return nil, errDamaged
	}
	return s, nil
}

// decompressor is shared: it keeps nothing between calls.
var decompressor = sync.OnceValues(func() (*zstd.Decoder, error) { //nolint:gochecknoglobals // has no state of ours
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(1<<32), zstd.WithDecodeAllCapLimit(true))
})

// buffers are what reading parts of a segment uses.
type buffers struct {
	packed, raw []byte
}

// parts appends the selected events of the parts from first up to end to out. Their payloads are in b.raw. An error other
// than one of reading the file is errDamaged.
func (s *segment) parts(b *buffers, d *decoder, first, end int, out []codec.Raw) ([]codec.Raw, error) {
	offset := int64(headSize)
	for _, p := range s.Parts[:first] {
		offset += int64(p.Length)
	}
	var length int
	for _, p := range s.Parts[first:end] {
		length += int(p.Length)
	}
	b.packed = sized(b.packed, length)
	if _, err := s.file.ReadAt(b.packed, offset); err != nil && (length > 0 || !errors.Is(err, io.EOF)) {
		if errors.Is(err, io.EOF) {
			return out, errDamaged // somebody cut it off
		}
		return out, err
	}
	z, err := decompressor()
	if err != nil {
		return out, err
	}
	b.raw = sized(b.raw, s.raw(first, end))[:0] // it does not grow below, since payloads point into it
	if d.Types == nil && d.Streams == nil {
		out = slices.Grow(out, s.events(first, end))
	}
	packed := b.packed
	for _, p := range s.Parts[first:end] {
		this := packed[:p.Length]
		packed = packed[p.Length:]
		if p.Events == 0 {
			continue
		}
		if sha256.Sum256(this) != p.Sum {
			return out, errDamaged
		}
		start, before := len(b.raw), len(out)
		if b.raw, err = z.DecodeAll(this, b.raw); err != nil || len(b.raw)-start != int(p.Raw) {
			return out, errDamaged
		}
		if out, err = d.part(b.raw[start:], s.After, out); err != nil {
			return out[:before], errDamaged
		}
	}
	return out, nil
}

// sized returns a slice of a length, b where it is large enough.
func sized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}
