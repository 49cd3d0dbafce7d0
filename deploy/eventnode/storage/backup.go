package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	manifestName    = "manifest.json"
	newManifestName = "manifest.json.new"
	manifestFormat  = 1
)

// Manifest says what a backup holds. It is written last: what it does not speak of does not count.
type Manifest struct {
	Format       int       `json:"format"`       // 1
	Log          string    `json:"log"`          // the id of the log
	End          uint64    `json:"end"`          // the position where it ends, which is the number of its bytes
	Events       uint64    `json:"events"`       // that are in it
	LastPosition uint64    `json:"lastPosition"` // of the last event
	LastRecorded time.Time `json:"lastRecorded"` // when the last event was recorded
	Made         time.Time `json:"made"`         // when the backup was begun that the manifest speaks of
	SHA256       string    `json:"sha256"`       // of the first End bytes of events.log
	// Sum is the state of that sum, from which the next backup goes on.
	Sum []byte `json:"sum,omitempty"`
}

// BackupOptions say how to make a backup.
type BackupOptions struct {
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Progress, when set, is told now and then how many bytes of how many are done.
	Progress func(done, total uint64)
}

// BackedUp says what a backup added.
type BackedUp struct {
	Manifest
	AddedBytes  uint64        `json:"addedBytes"`
	AddedEvents uint64        `json:"addedEvents"`
	Took        time.Duration `json:"took"` // in nanoseconds
}

// Errors of Backup and Restore.
var (
	// ErrNotBackup means that a folder has other things in it than a backup.
	ErrNotBackup = errors.New("the folder is not empty and not a backup")
	// ErrBackingUp means that another process is backing up to the folder or reading it.
	ErrBackingUp = errors.New("the folder of the backup is in use")
	// ErrOtherLog means that a folder has the backup of another log, or of one that went another way since.
	ErrOtherLog = errors.New("the folder has the backup of another log")
	// ErrNotEmpty means that a backup cannot be restored there, because something else is there.
	ErrNotEmpty = errors.New("the folder is not empty")
)

// Backup copies what was acknowledged in the data directory from into the folder to, also beside a node that is
// writing there. A folder that has a backup of the same log gets what is new. Every record is verified on the way; a
// *CorruptError names a damaged one. After an error or a crash the folder has what it had before.
//
// It takes no lock on the data directory, so a node may start or stop meanwhile. After the loss of a machine the note of what was
// acknowledged may be some seconds old: what lies behind it is backed up once a node has started there.
func Backup(ctx context.Context, from, to string, o BackupOptions) (done BackedUp, err error) {
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // a backup has a time
	}
	began := o.Now()
	src, err := openSource(ctx, from, false)
	if err != nil {
		return done, fmt.Errorf("back up: %w", err)
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if err := makeDir(to); err != nil {
		return done, fmt.Errorf("back up: %w", err)
	}
	lock, err := lockDir(filepath.Join(to, lockName))
	if errors.Is(err, ErrLocked) {
		err = fmt.Errorf("%w: %s", ErrBackingUp, to)
	}
	if err != nil {
		return done, fmt.Errorf("back up: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	b := &backup{src: src, dir: to, sum: sha256.New(), progress: o.Progress}
	if err := b.run(ctx, began); err != nil {
		return done, fmt.Errorf("back up: %w", err)
	}
	done = BackedUp{Manifest: b.now, AddedBytes: b.now.End - b.was.End, AddedEvents: b.now.Events - b.was.Events}
	done.Sum, done.Took = nil, o.Now().Sub(began)
	return done, nil
}

// backup is one run.
type backup struct {
	src      *source
	dir      string
	was, now Manifest // was is zero for the first run
	sum      hash.Hash
	progress func(done, total uint64)
}

func (b *backup) path(name string) string { return filepath.Join(b.dir, name) }

func (b *backup) run(ctx context.Context, began time.Time) (err error) {
	first, err := b.settle()
	if err != nil {
		return err
	}
	name := LogName
	if first {
		name = newLogName
	}
	f, err := os.OpenFile(b.path(name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	file := diskFile{File: f}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Truncate(int64(b.was.End)); err != nil { //nolint:gosec // files are smaller than that
		return err
	}
	b.now = b.was
	b.now.Format, b.now.Log, b.now.Made = manifestFormat, hex.EncodeToString(b.src.id[:]), began.UTC()
	to := newRewriter(file, b.was.End)
	to.sum = b.sum
	if err := b.resume(ctx, file, to); err != nil {
		return err
	}
	if err := b.copy(ctx, to); err != nil {
		return errors.Join(err, file.Truncate(int64(b.was.End))) //nolint:gosec // as above
	}
	if b.now.End == b.was.End {
		b.now.Made = b.was.Made
		return nil
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := b.writeManifest(); err != nil {
		return err
	}
	if first {
		if err := os.Rename(b.path(newLogName), b.path(LogName)); err != nil {
			return err
		}
	}
	return syncDir(b.dir)
}

// settle finds what the folder has, and finishes or forgets what an earlier run could not finish.
func (b *backup) settle() (first bool, err error) {
	b.was, err = readManifest(b.dir)
	if errors.Is(err, os.ErrNotExist) {
		return true, onlyHas(b.dir, ErrNotBackup, lockName, newLogName, newManifestName)
	}
	if err != nil {
		return false, err
	}
	if _, err := os.Stat(b.path(LogName)); errors.Is(err, os.ErrNotExist) { // it stopped between its last two steps
		if err := os.Rename(b.path(newLogName), b.path(LogName)); err != nil {
			return false, err
		}
		return false, syncDir(b.dir)
	}
	return false, nil
}

// onlyHas fails with an error when a folder has anything else.
func onlyHas(dir string, otherwise error, names ...string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !slices.Contains(names, e.Name()) {
			return fmt.Errorf("%w: %s has %s", otherwise, dir, e.Name())
		}
	}
	return nil
}

// resume makes sure that the source goes on where the backup ends, and brings the sum up to there.
func (b *backup) resume(ctx context.Context, file diskFile, to *rewriter) error {
	if b.was.End == 0 {
		return to.put(logHeader(b.src.id, b.src.generation))
	}
	mine, err := openReadOnly(b.path(LogName))
	if err != nil {
		return err
	}
	defer mine.file.Close() //nolint:errcheck // only read
	if mine.id != b.src.id || b.was.Log != hex.EncodeToString(b.src.id[:]) {
		return ErrOtherLog
	}
	if b.src.end < b.was.End {
		return fmt.Errorf("%w, or the node must start first and say where its log ends: the backup ends at %d, and the log at %d", ErrOtherLog, b.was.End, b.src.end)
	}
	if err := b.sameLast(ctx, mine); err != nil {
		return err
	}
	state, ok := b.sum.(encoding.BinaryUnmarshaler)
	if ok && len(b.was.Sum) > 0 && state.UnmarshalBinary(b.was.Sum) == nil && b.hex() == b.was.SHA256 {
		return nil
	}
	b.sum.Reset()                                                                             // the state is that of another program: begin anew
	if _, err := io.Copy(b.sum, io.NewSectionReader(file, 0, int64(b.was.End))); err != nil { //nolint:gosec // files are smaller than that
		return err
	}
	if b.hex() != b.was.SHA256 {
		return errors.New("the sum of the backup differs from that in its manifest")
	}
	return nil
}

func (b *backup) hex() string { return hex.EncodeToString(b.sum.Sum(nil)) }

// sameLast compares the last record of the backup with what stands in the source. A scavenge may have removed it there.
func (b *backup) sameLast(ctx context.Context, mine *eventLog) error {
	if b.was.LastPosition == 0 {
		return nil
	}
	r, err := newReader(mine, b.was.End).At(b.was.LastPosition)
	if err != nil {
		return fmt.Errorf("the last record of the backup: %w", err)
	}
	want := r.clone()
	got, err := newReader(b.src.eventLog, b.src.end).at(b.was.LastPosition)
	if err == nil && !got.filler() {
		if got.ID != want.ID || got.Revision != want.Revision || !bytes.Equal(got.Stream, want.Stream) || !bytes.Equal(got.Data, want.Data) {
			return fmt.Errorf("%w: at %d stands another event", ErrOtherLog, b.was.LastPosition)
		}
		return nil
	}
	if err != nil && !errors.Is(err, errDamaged) {
		return err
	}
	if _, ok, lookup := b.src.findRun(ctx, b.was.LastPosition); lookup != nil || ok {
		return lookup
	}
	return damage(b.was.LastPosition, err)
}

// findRun goes through the log to find the run that has a position in it, at its start, too.
func (s *source) findRun(ctx context.Context, position uint64) (found run, ok bool, err error) {
	past := errors.New("past the position")
	err = walk(ctx, s.eventLog, FirstPosition, s.end, func(r *Record, _ []byte) error {
		if r.Next() <= position {
			return nil
		}
		if ok = r.filler(); ok {
			found = r.run()
		}
		return past
	})
	if errors.Is(err, past) {
		err = nil
	}
	return found, ok, err
}

// copy adds everything from the end of the backup to that of the source.
func (b *backup) copy(ctx context.Context, to *rewriter) error {
	from := max(b.was.End, FirstPosition)
	if _, err := newReader(b.src.eventLog, b.src.end).at(from); from < b.src.end && errors.Is(err, errDamaged) {
		r, ok, lookup := b.src.findRun(ctx, from)
		if lookup != nil || !ok {
			return errors.Join(lookup, damage(from, err))
		}
		if err := to.drop(run{start: from, end: r.end}); err != nil { // how many of its events are behind from is not known
			return err
		}
		from = r.end
	}
	told := from
	err := walk(ctx, b.src.eventLog, from, b.src.end, func(r *Record, raw []byte) error {
		if b.progress != nil && r.Position-told >= rewriteBuffer {
			told = r.Position
			b.progress(told, b.src.end)
		}
		if r.filler() {
			return to.drop(r.run())
		}
		b.now.Events++
		b.now.LastPosition, b.now.LastRecorded = r.Position, timeOf(r.Created)
		return to.keep(raw)
	})
	if err != nil {
		return err
	}
	if b.now.End, err = to.finish(); err != nil {
		return err
	}
	if b.progress != nil {
		b.progress(b.now.End, b.src.end)
	}
	b.now.SHA256 = b.hex()
	if state, ok := b.sum.(encoding.BinaryMarshaler); ok {
		b.now.Sum, err = state.MarshalBinary()
	}
	return err
}

// writeManifest puts the manifest in the place of the old one, when all it speaks of is on disk.
func (b *backup) writeManifest() error {
	text, err := json.MarshalIndent(b.now, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(b.path(newManifestName), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(b.path(newManifestName), b.path(manifestName))
}

func readManifest(dir string) (m Manifest, err error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s: %w", manifestName, err)
	}
	if m.Format != manifestFormat || m.End < FirstPosition {
		return m, fmt.Errorf("%s: format %d is not known", manifestName, m.Format)
	}
	return m, nil
}
