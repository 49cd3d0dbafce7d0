package storage

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// FirstPosition is where the first record stands, behind the log's own header.
const FirstPosition = 64

const logMagic = "aftercare event log 1\n"

const generationOffset = len(logMagic) + 16

// CorruptError says that something acknowledged earlier can no longer be read.
type CorruptError struct {
	Position uint64 // of the damaged record
	Reason   string
}

// Error implements error.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("the record at position %d is damaged: %s", e.Position, e.Reason)
}

// eventLog is the append-only file. Only the writer changes it.
type eventLog struct {
	file *currentFile
	id   [16]byte // tells one log from another
	// generation tells one file of a log from the one that a scavenge put in its place; 0 is the first.
	generation uint64
	// removed finds the run of removed records that a position is inside of. It may be nil.
	removed func(position uint64) (run, bool, error)
}

// openLog reads the header of file, or writes one if the file is new.
func openLog(file logFile) (*eventLog, error) {
	size, err := file.Size()
	if err != nil {
		return nil, fmt.Errorf("size of the log: %w", err)
	}
	l := &eventLog{file: &currentFile{logFile: file}}
	if size < FirstPosition { // new, or torn while it was created
		return l, l.create()
	}
	head := make([]byte, FirstPosition)
	if _, err := file.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("read log header: %w", err)
	}
	sum := crc32.Checksum(head[:FirstPosition-4], castagnoli)
	if !bytes.HasPrefix(head, []byte(logMagic)) || binary.LittleEndian.Uint32(head[FirstPosition-4:]) != sum {
		return nil, &CorruptError{Position: 0, Reason: "this is not the header of an event log"}
	}
	copy(l.id[:], head[len(logMagic):])
	l.generation = binary.LittleEndian.Uint64(head[generationOffset:])
	return l, nil
}

func (l *eventLog) create() error {
	if _, err := rand.Read(l.id[:]); err != nil {
		return fmt.Errorf("log id: %w", err)
	}
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("create log: %w", err)
	}
	if err := l.write(logHeader(l.id, 0), 0); err != nil {
		return fmt.Errorf("create log: %w", err)
	}
	return nil
}

// logHeader returns what a log begins with: what it is, its id, its generation, and a checksum.
func logHeader(id [16]byte, generation uint64) []byte {
	head := make([]byte, FirstPosition)
	copy(head, logMagic)
	copy(head[len(logMagic):], id[:])
	binary.LittleEndian.PutUint64(head[generationOffset:], generation)
	binary.LittleEndian.PutUint32(head[FirstPosition-4:], crc32.Checksum(head[:FirstPosition-4], castagnoli))
	return head
}

// write puts b at position and returns when it is on disk. After an error nothing behind position counts.
func (l *eventLog) write(b []byte, position uint64) error {
	if _, err := l.file.WriteAt(b, int64(position)); err != nil { //nolint:gosec // files are smaller than that
		return fmt.Errorf("write log: %w", err)
	}
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("sync log: %w", err)
	}
	return nil
}

// cut removes everything from position on.
func (l *eventLog) cut(position uint64) error {
	if err := l.file.Truncate(int64(position)); err != nil { //nolint:gosec // files are smaller than that
		return fmt.Errorf("cut log: %w", err)
	}
	return nil
}

// recover calls seen for every record and filler from position `from` to the end of the last whole append and cuts off
// what a crash left behind that. It returns the end. Damage in front of something that was written
// later, on the assumption that it was safe, is a *CorruptError.
func (l *eventLog) recover(from uint64, seen func(*Record)) (end, torn uint64, err error) {
	size, err := l.file.Size()
	if err != nil {
		return 0, 0, fmt.Errorf("size of the log: %w", err)
	}
	if uint64(size) < from { //nolint:gosec // not negative
		return 0, 0, &CorruptError{Position: uint64(size), Reason: fmt.Sprintf("the log ends here, but events up to %d were acknowledged", from)} //nolint:gosec // not negative
	}
	rd := newReader(l, uint64(size)) //nolint:gosec // not negative
	var open []Record                // of an append whose last record has not been seen
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
	if err := l.onlyTorn(end, rd.End); err != nil {
		return 0, 0, err
	}
	if err := l.cut(end); err != nil {
		return 0, 0, err
	}
	if err := l.file.Sync(); err != nil {
		return 0, 0, fmt.Errorf("sync log: %w", err)
	}
	return end, rd.End - end, nil
}

// onlyTorn checks that no record in [from, to) was written after what stands at `from` was safe.
func (l *eventLog) onlyTorn(from, to uint64) error {
	rest := make([]byte, to-from)
	if _, err := l.file.ReadAt(rest, int64(from)); err != nil && !errors.Is(err, io.EOF) { //nolint:gosec // files are smaller than that
		return fmt.Errorf("read log tail: %w", err)
	}
	for i := 0; i+recordMin <= len(rest); i++ {
		pos := from + uint64(i)
		if binary.LittleEndian.Uint64(rest[i+8:]) != pos {
			continue
		}
		if r, err := decodeRecord(rest[i:], pos); err == nil && r.durable() > from {
			return &CorruptError{Position: from, Reason: fmt.Sprintf("events behind it, at %d, are whole", pos)}
		}
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
