package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	smallWindow = 4 << 10
	largeWindow = 256 << 10
)

// Reader decodes records through one buffer that grows while reading is sequential.
// A record it returns is valid until the next call. It is not safe for concurrent use.
type Reader struct {
	log  *eventLog
	End  uint64 // nothing at or behind it exists for this reader
	base uint64 // position of window[0]
	win  []byte
	buf  []byte
}

func newReader(l *eventLog, end uint64) *Reader { return &Reader{log: l, End: end} }

// At returns the record that stands at pos. It fails with ErrRemoved when that was scavenged, and with a
// *CorruptError when there is none to read.
func (r *Reader) At(pos uint64) (Record, error) {
	rec, err := r.at(pos)
	switch {
	case errors.Is(err, errDamaged):
		if _, ok, lookup := r.log.removedAt(pos); ok || lookup != nil {
			return Record{}, errors.Join(lookup, ErrRemoved)
		}
	case err == nil && rec.filler():
		return Record{}, ErrRemoved
	}
	return rec, damage(pos, err)
}

// From returns the first record at or behind pos, stepping over what was scavenged, or io.EOF when there is none.
// A *CorruptError says that none can be read there.
func (r *Reader) From(pos uint64) (Record, error) {
	for pos < r.End {
		rec, err := r.at(pos)
		switch {
		case errors.Is(err, errDamaged):
			run, ok, lookup := r.log.removedAt(pos)
			if lookup != nil || !ok {
				return Record{}, errors.Join(lookup, damage(pos, err))
			}
			pos = run.end
		case err == nil && rec.filler():
			pos = rec.Next()
		default:
			return rec, err
		}
	}
	return Record{}, io.EOF
}

// Before returns the last record that ends at or in front of pos, stepping over what was scavenged, or io.EOF when there
// is none. A *CorruptError says that none can be read there.
func (r *Reader) Before(pos uint64) (Record, error) {
	for pos > FirstPosition {
		rec, err := r.before(pos)
		switch {
		case errors.Is(err, errDamaged):
			run, ok, lookup := r.log.removedAt(pos)
			if lookup != nil || !ok {
				return Record{}, errors.Join(lookup, damage(pos, err))
			}
			pos = run.start
		case err == nil && rec.filler():
			pos = rec.Position
		default:
			return rec, err
		}
	}
	return Record{}, io.EOF
}

// at returns the record or the filler that stands at pos, or errDamaged.
func (r *Reader) at(pos uint64) (Record, error) {
	rec, err := r.atOnce(pos)
	if errors.Is(err, errDamaged) { // a part may be of the log that a scavenge replaced: all of it anew
		r.win = nil
		rec, err = r.atOnce(pos)
	}
	return rec, err
}

func (r *Reader) atOnce(pos uint64) (Record, error) {
	if pos < FirstPosition || pos > r.End || r.End-pos < recordMin {
		return Record{}, fmt.Errorf("%w: no record can stand at %d", errDamaged, pos)
	}
	head, err := r.window(pos, recordMin)
	if err != nil {
		return Record{}, err
	}
	if isFiller(head) { // it may reach beyond the end: more was removed since
		return decodeFiller(head, pos)
	}
	n := uint64(binary.LittleEndian.Uint32(head))
	if n < recordMin || n > r.End-pos {
		return Record{}, fmt.Errorf("%w: impossible length %d", errDamaged, n)
	}
	whole, err := r.window(pos, n)
	if err != nil {
		return Record{}, err
	}
	return decodeRecord(whole, pos)
}

// before returns the record or the filler that ends at pos, or errDamaged.
func (r *Reader) before(pos uint64) (Record, error) {
	rec, err := r.beforeOnce(pos)
	if errors.Is(err, errDamaged) { // as in at
		r.win = nil
		rec, err = r.beforeOnce(pos)
	}
	return rec, err
}

func (r *Reader) beforeOnce(pos uint64) (Record, error) {
	if pos > r.End || pos < FirstPosition+recordMin {
		return Record{}, fmt.Errorf("%w: no record can end at %d", errDamaged, pos)
	}
	if pos-4 < r.base || pos > r.base+uint64(len(r.win)) {
		from := uint64(FirstPosition)
		if pos-from > largeWindow {
			from = pos - largeWindow
		}
		if err := r.fill(from, pos-from); err != nil {
			return Record{}, err
		}
	}
	tail, err := r.window(pos-4, 4)
	if err != nil {
		return Record{}, err
	}
	n := uint64(binary.LittleEndian.Uint32(tail))
	if n < recordMin || n > pos-FirstPosition {
		return Record{}, fmt.Errorf("%w: impossible length %d", errDamaged, n)
	}
	if start := pos - n; start < r.base && n < largeWindow {
		from := uint64(FirstPosition)
		if pos-from > largeWindow {
			from = pos - largeWindow
		}
		if err := r.fill(from, pos-from); err != nil {
			return Record{}, err
		}
	}
	rec, err := r.at(pos - n)
	if err == nil && rec.Next() != pos {
		return Record{}, fmt.Errorf("%w: it does not end at %d", errDamaged, pos)
	}
	return rec, err
}

// window returns n bytes from pos on, which must lie in front of the end.
func (r *Reader) window(pos, n uint64) ([]byte, error) {
	if pos < r.base || pos+n > r.base+uint64(len(r.win)) {
		want := uint64(smallWindow)
		if len(r.win) > 0 && pos >= r.base && pos <= r.base+uint64(len(r.win)) {
			want = min(2*uint64(len(r.buf)), largeWindow)
		}
		if err := r.fill(pos, min(max(n, want), r.End-pos)); err != nil {
			return nil, err
		}
	}
	off := pos - r.base
	return r.win[off : off+n], nil
}

func (r *Reader) fill(pos, n uint64) error {
	if uint64(cap(r.buf)) < n {
		r.buf = make([]byte, n)
	}
	r.buf = r.buf[:n]
	r.win = nil
	if _, err := r.log.file.ReadAt(r.buf, int64(pos)); err != nil { //nolint:gosec // files are smaller than that
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: the file ends early", errDamaged)
		}
		return fmt.Errorf("read log at %d: %w", pos, err)
	}
	r.base, r.win = pos, r.buf
	return nil
}
