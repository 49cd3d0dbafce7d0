package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// unsyncedMax is how much of a log can be written and not synced: one group.
const unsyncedMax = groupBytes + MaxAppend

// recover calls seen for every record and filler from position `from` to the end of the last whole append and cuts off
// what a crash left behind that. It returns the end. Damage in front of something that was acknowledged, or that was
// written later on the assumption that it was safe, is a *CorruptError. acked is where the acknowledged part
// ends as far as anybody knows, or 0.
func (l *eventLog) recover(from, acked uint64, seen func(*Record)) (end, torn uint64, err error) {
	n, err := l.file.Size()
	if err != nil {
		return 0, 0, fmt.Errorf("size of the log: %w", err)
	}
	size := uint64(n) //nolint:gosec // not negative
	if known := max(from, acked); size < known {
		return 0, 0, &CorruptError{Position: size, Reason: fmt.Sprintf("the log ends here, but events up to %d were acknowledged", known)}
	}
	if err := l.settle(max(from, acked), size); err != nil {
		return 0, 0, err
	}
	rd := newReader(l, size)
	var open []Record // of an append whose last record has not been seen
	end = from
	for pos := from; pos < rd.End; {
		r, err := rd.at(pos)
		if errors.Is(err, errDamaged) {
			break
		}
		if err != nil {
			return 0, 0, err
		}
		pos = r.Next()
		if pos > rd.End { // the filler of a run that ends elsewhere
			break
		}
		if r.Flags&flagLastOfAppend == 0 {
			open = append(open, r.clone())
			continue
		}
		for i := range open {
			seen(&open[i])
		}
		open = open[:0]
		seen(&r)
		end = pos
	}
	if end == rd.End {
		return end, 0, nil
	}
	if end < acked {
		return 0, 0, &CorruptError{Position: end, Reason: fmt.Sprintf("events up to %d were acknowledged", acked)}
	}
	if err := l.onlyTorn(end, rd.End); err != nil {
		return 0, 0, err
	}
	if err := l.cut(end); err != nil {
		return 0, 0, err
	}
	return end, rd.End - end, nil
}

// settle puts what stands behind safe on disk. A process that was killed may have left bytes in the page cache only, and
// when writing them back has failed since, the kernel takes them for written. So they are written again: what
// is served after this start must be there after the next.
func (l *eventLog) settle(safe, size uint64) error {
	if size == safe {
		return nil
	}
	if err := l.rewrite(max(safe, size-min(size, unsyncedMax)), size); err != nil {
		return err
	}
	return l.sync()
}

// onlyTorn checks that no record in [from, to) was written after what stands at `from` was safe.
func (l *eventLog) onlyTorn(from, to uint64) error {
	rd := newReader(l, to)
	buf := make([]byte, min(to-from, largeWindow))
	for base := from; base+recordMin <= to; {
		b := buf[:min(to-base, largeWindow)]
		if n, err := l.file.ReadAt(b, int64(base)); n < len(b) { //nolint:gosec // files are smaller than that
			return fmt.Errorf("read log tail: %w", err)
		}
		last := uint64(len(b) - recordMin) //nolint:gosec // not negative, as to is so far
		for i := range last + 1 {
			pos := base + i
			if binary.LittleEndian.Uint64(b[i+8:]) != pos {
				continue
			}
			if r, err := rd.at(pos); err == nil && r.durable() > from {
				return &CorruptError{Position: from, Reason: fmt.Sprintf("events behind it, at %d, are whole", pos)}
			}
		}
		base += last + 1
	}
	return nil
}

// clone copies what r shares with a buffer.
func (r *Record) clone() Record {
	c := *r
	c.Stream, c.Type = bytes.Clone(r.Stream), bytes.Clone(r.Type)
	c.Metadata, c.Data = bytes.Clone(r.Metadata), bytes.Clone(r.Data)
	return c
}
