package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"

	"aftercare/domain"
	"aftercare/projections/feed"
)

const (
	suffix  = ".segment"
	partial = ".partial"
)

// folder is where segments are.
type folder struct {
	dir     string
	archive *Archive
}

// lockPause lies between attempts to lock a folder.
const lockPause = 50 * time.Millisecond

// lock waits until no other process extends the folder. The lock goes with the process.
func (f folder) lock(ctx context.Context) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(f.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil // which unlocks
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", f.dir, err), file.Close())
		}
		if !sleep(ctx, lockPause) {
			return nil, errors.Join(ctx.Err(), file.Close())
		}
	}
}

// open opens the segments that join from the beginning of the log on and are of the store's log, and removes all others. The folder
// is locked.
func (f folder) open(ctx context.Context) ([]*segment, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	// The longest that begins at a place, since a short one may have been left beside the longer one that replaced it.
	found := make(map[domain.Position]*segment)
	for _, entry := range entries {
		name := filepath.Join(f.dir, entry.Name())
		switch {
		case strings.HasSuffix(name, partial):
			f.remove(ctx, name, "it was not finished")
		case strings.HasSuffix(name, suffix) && entry.Type().IsRegular():
			s, err := openSegment(name)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				continue
			case errors.Is(err, errForeign) || errors.Is(err, errDamaged):
				f.remove(ctx, name, err.Error())
				continue
			case err != nil: // such as too many open files: the segment may be as good as ever
				closeAll(maps.Values(found))
				return nil, err
			}
			other, ok := found[s.After]
			if ok && s.Until.Compare(other.Until) <= 0 {
				s, other = other, s
			}
			found[s.After] = s
			if ok {
				f.drop(ctx, other, "a longer one replaced it")
			}
		}
	}
	var joined []*segment
	for next, ok := found[domain.Position{}]; ok; next, ok = found[joined[len(joined)-1].Until] {
		delete(found, next.After)
		joined = append(joined, next)
	}
	for _, s := range found {
		f.drop(ctx, s, "one before it is missing")
	}
	return f.agreed(ctx, joined)
}

// agreed drops the newest segments until the store has the last event of the one that is left.
func (f folder) agreed(ctx context.Context, segments []*segment) ([]*segment, error) {
	for n := len(segments); n > 0; n-- {
		s := segments[n-1]
		there := s.Last == s.Until // what was mended may end with what the store has no more, which proves nothing
		if there {
			e, err := f.archive.Log.At(ctx, s.Last)
			if err != nil && !errors.Is(err, feed.ErrMissing) {
				closeAll(slices.Values(segments[:n]))
				return nil, err
			}
			there = err == nil && e.ID == s.LastID
		}
		if there {
			return segments[:n], nil
		}
		f.drop(ctx, s, "the store has another event at its end")
	}
	return nil, nil
}

func closeAll(segments iter.Seq[*segment]) {
	for s := range segments {
		_ = s.file.Close()
	}
}

// drop closes and removes a segment.
func (f folder) drop(ctx context.Context, s *segment, why string) {
	_ = s.file.Close()
	f.remove(ctx, s.file.Name(), why)
}

// remove removes a file that is of no use. One that cannot be removed is in nobody's way.
func (f folder) remove(ctx context.Context, name, why string) {
	f.archive.logger().WarnContext(ctx, "segment removed from the archive", slog.String("file", name), slog.String("reason", why))
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.archive.logger().WarnContext(ctx, "segment not removed", slog.String("file", name), slog.Any("error", err))
	}
}

// replaced removes a short segment when a longer one has taken its place.
func (f folder) replaced(short, by *segment) {
	_ = short.file.Close()
	f.outdated(short, by)
}

// outdated removes the file of a segment that was made anew, if that did not take its place.
func (f folder) outdated(old, made *segment) {
	if old.file.Name() != made.file.Name() {
		_ = os.Remove(old.file.Name())
	}
}

// write makes the file of a segment, and opens it.
func (f folder) write(b *builder) (*segment, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	h, data := b.encode(z)
	name := filepath.Join(f.dir, fmt.Sprintf("%020d-%020d%s", h.After.Commit, h.Until.Commit, suffix))
	file, err := os.CreateTemp(f.dir, "*"+partial)
	if err != nil {
		return nil, err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write segment %s: %w", name, err), os.Remove(file.Name()))
	}
	if err := syncDir(f.dir); err != nil {
		return nil, err
	}
	return openSegment(name)
}

// syncDir makes sure that what was renamed in a folder stays so.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sleep waits, and reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
