package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// ErrRemoved means that what stood at a position was removed by a scavenge.
var ErrRemoved = errors.New("the event was removed by a scavenge")

// fillerMax is how long one filler may be. A longer run of removed records becomes several.
const fillerMax = 1 << 30

// run is a piece of the log whose records were removed. A filler stands there: the header of a record with
// flagFiller, nothing, and the length again in the last four bytes. The revision says how many events were removed, and
// the time of creation is the length once more, because the checksum covers only the header behind itself.
type run struct{ start, end, events uint64 }

func (r run) size() uint64 { return r.end - r.start }

// filler reports whether r stands for removed records.
func (r *Record) filler() bool { return r.Flags&flagFiller != 0 }

func isFiller(head []byte) bool { return binary.LittleEndian.Uint32(head[20:])&flagFiller != 0 }

// appendFillerHead encodes the header of the filler of a run at the end of b.
func appendFillerHead(b []byte, r run) []byte {
	start := len(b)
	b = append(b, make([]byte, recordHeader)...)
	head := b[start:]
	binary.LittleEndian.PutUint32(head, uint32(r.size())) //nolint:gosec // at most fillerMax
	binary.LittleEndian.PutUint64(head[8:], r.start)
	binary.LittleEndian.PutUint32(head[20:], flagFiller|flagLastOfAppend)
	binary.LittleEndian.PutUint64(head[24:], r.events)
	binary.LittleEndian.PutUint64(head[32:], r.size())
	binary.LittleEndian.PutUint32(head[4:], crc32.Checksum(head[8:], castagnoli))
	return b
}

// decodeFiller reads the filler that head starts with and that must stand at position, or fails with errDamaged.
func decodeFiller(head []byte, position uint64) (Record, error) {
	if len(head) < recordMin {
		return Record{}, fmt.Errorf("%w: %d bytes are too few", errDamaged, len(head))
	}
	head = head[:recordHeader]
	if got := binary.LittleEndian.Uint64(head[8:]); got != position {
		return Record{}, fmt.Errorf("%w: it says it stands at %d", errDamaged, got)
	}
	if crc32.Checksum(head[8:], castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return Record{}, fmt.Errorf("%w: checksum differs", errDamaged)
	}
	size := binary.LittleEndian.Uint64(head[32:])
	if size < recordMin || size > fillerMax || size != uint64(binary.LittleEndian.Uint32(head)) {
		return Record{}, fmt.Errorf("%w: impossible length %d", errDamaged, size)
	}
	return Record{
		Position: position, Flags: binary.LittleEndian.Uint32(head[20:]), size: size,
		Revision: int64(binary.LittleEndian.Uint64(head[24:])), //nolint:gosec // same bits
	}, nil
}

// run is what a filler stands for.
func (r *Record) run() run { return run{r.Position, r.Next(), uint64(r.Revision)} } //nolint:gosec // not negative

// removedAt returns the run that position is inside of: behind its start and in front of its end.
func (l *eventLog) removedAt(position uint64) (run, bool, error) {
	if l.removed == nil {
		return run{}, false, nil
	}
	return l.removed(position)
}

// fillerEnds checks the end of a filler, which only matters to who reads backwards.
func (r *Reader) fillerEnds(of run) error {
	if of.end > r.End {
		return nil
	}
	tail, err := r.window(of.end-4, 4)
	if err == nil && binary.LittleEndian.Uint32(tail) != uint32(of.size()) { //nolint:gosec // at most fillerMax
		err = fmt.Errorf("%w: the length at its end differs", errDamaged)
	}
	return err
}

// fillerTail returns the last bytes of the filler of a run, by which the log can be read backwards.
func fillerTail(r run) []byte {
	return binary.LittleEndian.AppendUint32(nil, uint32(r.size())) //nolint:gosec // at most fillerMax
}
