package eventnode

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

// reader decodes records through one buffer that grows while reading is sequential.
// A record it returns is valid until the next call. It is not safe for concurrent use.
type reader struct {
	log  *eventLog
	end  uint64 // nothing at or behind it exists for this reader
	base uint64 // position of window[0]
	win  []byte
	buf  []byte
}

func newReader(l *eventLog, end uint64) *reader { return &reader{log: l, end: end} }

// at returns the record that stands at pos, or errDamaged.
func (r *reader) at(pos uint64) (record, error) {
	if pos < firstPosition || pos > r.end || r.end-pos < recordMin {
		return record{}, fmt.Errorf("%w: no record can stand at %d", errDamaged, pos)
	}
	head, err := r.window(pos, recordMin)
	if err != nil {
		return record{}, err
	}
	n := uint64(binary.LittleEndian.Uint32(head))
	if n < recordMin || n > r.end-pos {
		return record{}, fmt.Errorf("%w: impossible length %d", errDamaged, n)
	}
	whole, err := r.window(pos, n)
	if err != nil {
		return record{}, err
	}
	return decodeRecord(whole, pos)
}

// before returns the record that ends at pos, or errDamaged.
func (r *reader) before(pos uint64) (record, error) {
	if pos > r.end || pos < firstPosition+recordMin {
		return record{}, fmt.Errorf("%w: no record can end at %d", errDamaged, pos)
	}
	if pos-4 < r.base || pos > r.base+uint64(len(r.win)) {
		from := uint64(firstPosition)
		if pos-from > largeWindow {
			from = pos - largeWindow
		}
		if err := r.fill(from, pos-from); err != nil {
			return record{}, err
		}
	}
	tail, err := r.window(pos-4, 4)
	if err != nil {
		return record{}, err
	}
	n := uint64(binary.LittleEndian.Uint32(tail))
	if n < recordMin || n > pos-firstPosition {
		return record{}, fmt.Errorf("%w: impossible length %d", errDamaged, n)
	}
	if start := pos - n; start < r.base && n < largeWindow {
		from := uint64(firstPosition)
		if pos-from > largeWindow {
			from = pos - largeWindow
		}
		if err := r.fill(from, pos-from); err != nil {
			return record{}, err
		}
	}
	rec, err := r.at(pos - n)
	if err == nil && rec.next() != pos {
		return record{}, fmt.Errorf("%w: it does not end at %d", errDamaged, pos)
	}
	return rec, err
}

// window returns n bytes from pos on, which must lie in front of the end.
func (r *reader) window(pos, n uint64) ([]byte, error) {
	if pos < r.base || pos+n > r.base+uint64(len(r.win)) {
		want := uint64(smallWindow)
		if len(r.win) > 0 && pos >= r.base && pos <= r.base+uint64(len(r.win)) {
			want = min(2*uint64(len(r.buf)), largeWindow)
		}
		if err := r.fill(pos, min(max(n, want), r.end-pos)); err != nil {
			return nil, err
		}
	}
	off := pos - r.base
	return r.win[off : off+n], nil
}

func (r *reader) fill(pos, n uint64) error {
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
