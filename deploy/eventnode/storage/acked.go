package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// Files of a data directory.
const (
	// LogName is the log, which holds everything.
	LogName = "events.log"
	// AckedName is the file that says how much of the log was acknowledged.
	AckedName = "acked"

	indexName = "index.db"
	lockName  = "lock"
)

const (
	ackedMagic = "acked 1\n"
	ackedSlot  = 512 // two of them, so that a torn write leaves the other one
	ackedSize  = 36
)

// ackedFile remembers where the acknowledged part of the log ends. It is written after each group and never synced:
// a killed process leaves it exact, a lost machine leaves it behind, and it is never ahead of what is on disk.
//
// Two slots of 512 bytes are written in turn. A slot is, little endian: "acked 1\n", the id of the log (16 bytes), the
// end as u64, and the CRC-32C of these 32 bytes as u32. The slot with the larger end counts; one whose CRC is wrong or
// that belongs to another log does not.
type ackedFile struct {
	file File
	id   [16]byte
	slot int  // the one to write next
	off  bool // nothing is synced, so nothing is noted
	buf  [ackedSize]byte
}

// ackedMark is what a slot says.
type ackedMark struct {
	log [16]byte
	end uint64
}

// Acked returns where the acknowledged part of the log in dir ends: everything in front of it is whole and on disk. It
// may be asked while a node, also of another process, has the directory open, and is then at most the length of
// one unfinished acknowledgement old. It is false when nobody wrote it down for this log.
func Acked(dir string) (end uint64, ok bool, err error) {
	log, err := os.Open(filepath.Join(dir, LogName))
	if err != nil {
		return 0, false, fmt.Errorf("acknowledged end: %w", err)
	}
	defer log.Close() //nolint:errcheck // only read
	id, _, err := readHeader(log)
	if err != nil {
		return 0, false, err
	}
	f, err := os.Open(filepath.Join(dir, AckedName))
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("acknowledged end: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	marks, err := readMarks(f)
	if err != nil {
		return 0, false, err
	}
	for _, m := range marks {
		if m.log == id && m.end > end {
			end, ok = m.end, true
		}
	}
	return end, ok, nil
}

// readMarks returns what the two slots say; one that says nothing is zero.
func readMarks(f io.ReaderAt) (marks [2]ackedMark, err error) {
	for i := range marks {
		var b [ackedSize]byte // stays zero where the file ends early
		if _, err := f.ReadAt(b[:], int64(i)*ackedSlot); err != nil && !errors.Is(err, io.EOF) {
			return marks, fmt.Errorf("read %s: %w", AckedName, err)
		}
		if string(b[:8]) != ackedMagic || crc32.Checksum(b[:32], castagnoli) != binary.LittleEndian.Uint32(b[32:]) {
			continue
		}
		marks[i] = ackedMark{[16]byte(b[8:24]), binary.LittleEndian.Uint64(b[24:])}
	}
	return marks, nil
}

// openAcked returns the file of the log called id and the end that it knows, or 0. When the file belongs to another log, foreign
// is the end of that one.
func openAcked(file File, id [16]byte) (a *ackedFile, end, foreign uint64, err error) {
	marks, err := readMarks(file)
	if err != nil {
		return nil, 0, 0, err
	}
	a = &ackedFile{file: file, id: id}
	copy(a.buf[:], ackedMagic)
	copy(a.buf[8:], id[:])
	for i, m := range marks {
		switch {
		case m.log != id:
			foreign = max(foreign, m.end)
		case m.end >= end:
			end, a.slot = m.end, 1-i
		}
	}
	return a, end, foreign, nil
}

// write notes the end of the log. What it covers must be on disk.
func (a *ackedFile) write(end uint64) error {
	if a == nil || a.off {
		return nil
	}
	binary.LittleEndian.PutUint64(a.buf[24:], end)
	binary.LittleEndian.PutUint32(a.buf[32:], crc32.Checksum(a.buf[:32], castagnoli))
	if _, err := a.file.WriteAt(a.buf[:], int64(a.slot)*ackedSlot); err != nil {
		return fmt.Errorf("write %s: %w", AckedName, err)
	}
	a.slot = 1 - a.slot
	return nil
}

// seal notes the end and makes that durable.
func (a *ackedFile) seal(end uint64) error {
	if err := a.write(end); err != nil {
		return err
	}
	if err := a.file.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", AckedName, err)
	}
	return nil
}

// Close makes the last end durable.
func (a *ackedFile) Close() error {
	if a == nil {
		return nil
	}
	return errors.Join(a.file.Sync(), a.file.Close())
}
