package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Restore copies a backup into a data directory that must not exist or be empty. Every record, the revisions and the sum
// are verified before the log is there: after an error or a crash the directory is empty
// or has all of it. The index is built when a node first opens it.
//
// Positions behind the end of the backup will denote other events than they did before. Whoever has read further, as
// read models have, must begin anew.
func Restore(ctx context.Context, from, to string, progress func(done, total uint64)) (f Figures, err error) {
	if err := makeDir(to); err != nil {
		return f, fmt.Errorf("restore: %w", err)
	}
	lock, err := lockDir(filepath.Join(to, lockName))
	if err != nil {
		return f, fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := onlyHas(to, ErrNotEmpty, lockName, newLogName); err != nil {
		return f, fmt.Errorf("restore: %w", err)
	}
	if f, err = restore(ctx, from, to, progress); err != nil {
		return f, fmt.Errorf("restore: %w", err)
	}
	return f, nil
}

func restore(ctx context.Context, from, to string, progress func(done, total uint64)) (f Figures, err error) {
	src, m, err := openBackup(from)
	if err != nil {
		return f, err
	}
	defer src.file.Close() //nolint:errcheck // only read
	path := filepath.Join(to, newLogName)
	out, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return f, err
	}
	file := diskFile{File: out}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, removeIfThere(path))
		}
	}()
	w := newRewriter(file, 0)
	w.sum = sha256.New()
	if f, err = checkBackup(ctx, src, m, w, progress); err != nil {
		return f, err
	}
	if err := file.Sync(); err != nil {
		return f, err
	}
	if err := os.Rename(path, filepath.Join(to, LogName)); err != nil {
		return f, err
	}
	_ = sealAcked(to, src.id, m.End) // saves the first start some work, and nothing else
	return f, syncDir(to)
}

// sealAcked notes that all of a log is on disk.
func sealAcked(dir string, id [16]byte, end uint64) (err error) {
	o := Options{Dir: dir}
	file, err := o.openFile(AckedName)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	acked, _, _, err := openAcked(file, id)
	if err != nil {
		return err
	}
	return acked.seal(end)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// openBackup opens the log of a backup.
func openBackup(dir string) (*eventLog, Manifest, error) {
	m, err := readManifest(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, m, fmt.Errorf("%s has no finished backup: %w", dir, err)
	}
	if err != nil {
		return nil, m, err
	}
	l, err := openReadOnly(filepath.Join(dir, LogName))
	if errors.Is(err, os.ErrNotExist) { // the first backup stopped between its last two steps
		l, err = openReadOnly(filepath.Join(dir, newLogName))
	}
	if err != nil {
		return nil, m, err
	}
	size, err := l.file.Size()
	switch {
	case err != nil:
	case hex.EncodeToString(l.id[:]) != m.Log:
		err = &CorruptError{Position: 0, Reason: "the manifest is that of another log"}
	case uint64(size) < m.End: //nolint:gosec // not negative
		err = &CorruptError{Position: uint64(size), Reason: fmt.Sprintf("the log ends here, the manifest says at %d", m.End)} //nolint:gosec // not negative
	default:
		return l, m, nil
	}
	return nil, m, errors.Join(err, l.file.Close())
}

// checkBackup verifies a backup as far as its manifest speaks of it, and writes it to w.
func checkBackup(ctx context.Context, l *eventLog, m Manifest, w *rewriter, progress func(done, total uint64)) (Figures, error) {
	c, told := newChecker(l), uint64(0)
	if err := w.put(logHeader(l.id, l.generation)); err != nil {
		return c.figures, err
	}
	err := walk(ctx, l, FirstPosition, m.End, func(r *Record, raw []byte) error {
		if progress != nil && r.Position-told >= rewriteBuffer {
			told = r.Position
			progress(told, m.End)
		}
		if err := c.see(r); err != nil {
			return err
		}
		if r.filler() {
			return w.drop(r.run())
		}
		return w.keep(raw)
	})
	if err != nil {
		return c.figures, err
	}
	c.figures.Streams = len(c.streams)
	end, err := w.finish()
	if err != nil {
		return c.figures, err
	}
	got := c.figures
	switch {
	case end != m.End || got.Events != m.Events || got.LastPosition != m.LastPosition:
		err = &CorruptError{Position: min(end, m.End), Reason: fmt.Sprintf("the manifest speaks of %d events up to %d, and here are %d up to %d",
			m.Events, m.End, got.Events, end)}
	case hex.EncodeToString(w.sum.Sum(nil)) != m.SHA256:
		err = &CorruptError{Position: 0, Reason: "every record is whole, but the sum of all differs from the manifest"}
	}
	return got, err
}
