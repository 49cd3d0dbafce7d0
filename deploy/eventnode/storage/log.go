package storage

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// FirstPosition is where the first record stands, behind the log's own header.
const FirstPosition = 64

const logMagic = "aftercare event log 1\n"

const generationOffset = len(logMagic) + 16

// blockSize is the unit in which disks and page caches lose what they lose.
const blockSize = 4096

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
	// spoiled is true when a sync failed since the last cut: the block that was being written may be bad, and with it
	// what stands in front of the cut.
	spoiled bool
}

// openLog reads the header of file, or writes one if the file is new.
func openLog(file logFile) (*eventLog, error) {
	size, err := file.Size()
	if err != nil {
		return nil, fmt.Errorf("size of the log: %w", err)
	}
	l := &eventLog{file: &currentFile{logFile: file}}
	if size >= FirstPosition {
		l.id, l.generation, err = readHeader(file)
		if err == nil || size > FirstPosition {
			return l, err
		}
	}
	return l, l.create() // new, or torn while it was created
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

// readHeader returns the id and the generation of the log that r holds.
func readHeader(r io.ReaderAt) (id [16]byte, generation uint64, err error) {
	head := make([]byte, FirstPosition)
	if _, err := r.ReadAt(head, 0); err != nil {
		return id, 0, fmt.Errorf("read log header: %w", err)
	}
	sum := crc32.Checksum(head[:FirstPosition-4], castagnoli)
	if !bytes.HasPrefix(head, []byte(logMagic)) || binary.LittleEndian.Uint32(head[FirstPosition-4:]) != sum {
		return id, 0, &CorruptError{Position: 0, Reason: "this is not the header of an event log"}
	}
	return [16]byte(head[len(logMagic):]), binary.LittleEndian.Uint64(head[generationOffset:]), nil
}

// write puts b at position and returns when it is on disk. After an error any part of b may be there, now or after a
// crash, until the log was cut at position.
func (l *eventLog) write(b []byte, position uint64) error {
	if err := l.writeAt(b, position); err != nil {
		return err
	}
	return l.sync()
}

func (l *eventLog) writeAt(b []byte, position uint64) error {
	n, err := l.file.WriteAt(b, int64(position)) //nolint:gosec // files are smaller than that
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}

func (l *eventLog) sync() error {
	if err := l.file.Sync(); err != nil {
		l.spoiled = true
		return fmt.Errorf("sync log: %w", err)
	}
	return nil
}

// cut removes everything from position on, and returns when that is on disk.
func (l *eventLog) cut(position uint64) error {
	if err := l.file.Truncate(int64(position)); err != nil { //nolint:gosec // files are smaller than that
		return fmt.Errorf("cut log: %w", err)
	}
	if l.spoiled {
		if err := l.rewrite(position-position%blockSize, position); err != nil {
			return err
		}
	}
	if err := l.sync(); err != nil {
		return err
	}
	l.spoiled = false
	return nil
}

// rewrite writes what the file holds in [from, to) once more, without syncing. It leaves out holes, which a scavenge made
// and which would take space from then on.
func (l *eventLog) rewrite(from, to uint64) error {
	buf := make([]byte, min(to-from, largeWindow))
	for end := from; from < to; {
		if from >= end {
			if from, end = l.file.extent(from, to); from >= to {
				break
			}
		}
		b := buf[:min(end-from, largeWindow)]
		if n, err := l.file.ReadAt(b, int64(from)); n < len(b) { //nolint:gosec // files are smaller than that
			return fmt.Errorf("read log: %w", err)
		}
		if err := l.writeAt(b, from); err != nil {
			return err
		}
		from += uint64(len(b))
	}
	return nil
}
