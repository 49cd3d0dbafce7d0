package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections/archive"
	"aftercare/projections/feed"
	"aftercare/projections/feed/feedtest"
)

var start = archive.Selection{} //nolint:gochecknoglobals // all of it

// crafted makes a segment of events at hand.
func crafted(t *testing.T, dir string, after domain.Position, events ...codec.Raw) string {
	t.Helper()
	name, err := archive.WriteSegment(dir, after, events)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// damage changes the last byte of a file, which is in its last part.
func damage(t *testing.T, name string) {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)-1] ^= 1
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt(content[len(content)-1:], int64(len(content)-1)); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

func stored(t *testing.T, store *feedtest.Store) []codec.Raw {
	t.Helper()
	return collect(t, store.Log().Read(t.Context(), domain.Position{}))
}

// phantom is an event right behind another, where the store has none.
func phantom(behind codec.Raw) codec.Raw {
	behind.ID = domain.UUID{1, 2, 3}
	behind.Position.Commit++
	behind.Position.Prepare++
	return behind
}

func TestWhatTheStoreDroppedIsNotMissedInASegmentMadeAnew(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	end := fill(store, 300)
	want := stored(t, store)
	a := &archive.Archive{Dir: t.TempDir(), Log: store.Log()}
	gone := phantom(want[99])
	name := crafted(t, a.Dir, domain.Position{}, append(want[:100:100], gone)...)
	crafted(t, a.Dir, gone.Position, want[100:200]...)
	s := extend(t, a, end)
	if s.Events() != 301 {
		t.Fatalf("%d events, want 301 as long as the segment is good", s.Events())
	}
	damage(t, name)
	same(t, "mended", want, collect(t, s.Read(t.Context(), domain.Position{}, start)))
	same(t, "afterwards", want, collect(t, extend(t, a, end).Read(t.Context(), domain.Position{}, start)))
	for _, name := range files(t, a.Dir)[1:] {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	// A store that was restored to before the end of the segment may have others there.
	if s := extend(t, a, domain.Position{}); s.Events() != 0 {
		t.Errorf("a segment whose end the store does not have proved that it is of this store, with %d events", s.Events())
	}
}

func TestASegmentOfAnotherLogIsNotMended(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	end := fill(store, 300)
	events := stored(t, store)
	a := &archive.Archive{Dir: t.TempDir(), Log: store.Log()}
	other := events[99]
	other.ID = domain.UUID{1, 2, 3}
	name := crafted(t, a.Dir, domain.Position{}, append(events[:99:99], other)...)
	crafted(t, a.Dir, other.Position, events[100:200]...)
	s := extend(t, a, end)
	damage(t, name)
	var failed error
	for _, err := range s.Read(t.Context(), domain.Position{}, start) {
		failed = err
	}
	if !errors.Is(failed, feed.ErrReplaced) {
		t.Errorf("got %v, want %v", failed, feed.ErrReplaced)
	}
}

func TestALogThatWasRestoredKeepsWhatItShares(t *testing.T) {
	t.Parallel()
	var ids []uuid.UUID
	for range 400 {
		ids = append(ids, uuid.New())
	}
	record := func(store *feedtest.Store, ids []uuid.UUID, text string) {
		events := make([]esdb.EventData, len(ids))
		for i, id := range ids {
			events[i] = esdb.EventData{EventID: id, EventType: "a.v1", ContentType: esdb.ContentTypeJson, Data: fmt.Appendf(nil, "%q", text)}
		}
		store.Append("a-1", events...)
	}
	before, after := feedtest.New(t), feedtest.New(t)
	record(before, ids[:200], "shared")
	shared := stored(t, before)
	record(before, ids[200:300], "lost")
	lost := stored(t, before)[200:]
	record(after, ids[:200], "shared")
	record(after, ids[300:], "anew")
	a := &archive.Archive{Dir: t.TempDir(), Log: after.Log()}
	kept := crafted(t, a.Dir, domain.Position{}, shared...)
	dropped := crafted(t, a.Dir, shared[199].Position, lost...)
	was, err := os.Stat(kept)
	if err != nil {
		t.Fatal(err)
	}
	extend(t, a, domain.Position{}) // as it is
	if now, err := os.Stat(kept); err != nil || !os.SameFile(was, now) {
		t.Errorf("the segment both logs have was made again, %v", err)
	}
	if _, err := os.Stat(dropped); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the other log's segment is still there, %v", err)
	}
	got := collect(t, a.Read(t.Context(), domain.Position{}))
	same(t, "shared", shared, got[:200]) // the test's restored log is recorded later, which is how they differ
	same(t, "restored", stored(t, after)[200:], got[200:])
}

func TestFilesMayBeRenamedCopiedAndReplaced(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	end := fill(store, 300)
	want := stored(t, store)
	try := map[string]func(dir, first, second string) error{
		"swapped": func(dir, first, second string) error {
			x := filepath.Join(dir, "x")
			return errors.Join(os.Rename(first, x), os.Rename(second, first), os.Rename(x, second))
		},
		"copied":   func(dir, first, _ string) error { return os.Link(first, filepath.Join(dir, "0.segment")) },
		"the same": func(_, first, second string) error { return errors.Join(os.Remove(second), os.Link(first, second)) },
		"a folder": func(dir, first, _ string) error {
			return errors.Join(os.Remove(first), os.MkdirAll(filepath.Join(dir, "7.segment", "x"), 0o700))
		},
		"a pipe": func(dir, _, _ string) error { return syscall.Mkfifo(filepath.Join(dir, "7.segment"), 0o600) },
		"a later version": func(_, first, _ string) error {
			f, err := os.OpenFile(first, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt([]byte{2}, 7)
			return errors.Join(err, f.Close())
		},
		"copied and damaged": func(dir, first, _ string) error {
			content, err := os.ReadFile(first)
			if err != nil {
				return err
			}
			content[len(content)-1] ^= 1
			return os.WriteFile(filepath.Join(dir, "0.segment"), content, 0o600)
		},
		"the lock is gone":   func(dir, _, _ string) error { return os.Remove(filepath.Join(dir, "lock")) },
		"the folder is gone": func(dir, _, _ string) error { return os.RemoveAll(dir) },
	}
	for what, change := range try {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			a := &archive.Archive{Dir: filepath.Join(t.TempDir(), "archive"), Log: store.Log()}
			if err := os.Mkdir(a.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			first := crafted(t, a.Dir, domain.Position{}, want[:100]...)
			second := crafted(t, a.Dir, want[99].Position, want[100:200]...)
			running := extend(t, a, domain.Position{})
			if err := change(a.Dir, first, second); err != nil {
				t.Fatal(err)
			}
			same(t, "by who reads already", want[:200], collect(t, running.Read(t.Context(), domain.Position{}, start)))
			for range 2 {
				same(t, "by who comes", want, collect(t, extend(t, a, end).Read(t.Context(), domain.Position{}, start)))
			}
			if _, err := os.Stat(filepath.Join(a.Dir, "0.segment")); what == "copied and damaged" && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the copy is still there, %v", err)
			}
			same(t, "by who reads still", want[:200], collect(t, running.Read(t.Context(), domain.Position{}, start)))
		})
	}
}

func TestReadersMendWhileOthersExtend(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	end := fill(store, 400)
	want := stored(t, store)
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			a := &archive.Archive{Dir: dir, Log: store.Log()}
			for range 15 {
				s, err := a.Extend(t.Context(), end, nil)
				if err != nil {
					t.Error(err)
					return
				}
				if found, _ := filepath.Glob(filepath.Join(dir, "*.segment")); len(found) > 0 {
					_ = os.Truncate(found[0], 12_000)
				}
				var got bytes.Buffer
				for e, err := range s.Read(t.Context(), domain.Position{}, start) {
					if err != nil {
						t.Error(err)
					}
					got.Write(e.ID[:])
				}
				if got.Len() != 16*len(want) {
					t.Errorf("%d events, want %d", got.Len()/16, len(want))
				}
				_ = s.Close()
			}
		})
	}
	wg.Wait()
}

func TestWaitingForTheFolderEndsWithItsContext(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	end := fill(store, 100)
	a := &archive.Archive{Dir: t.TempDir(), Log: store.Log()}
	s := extend(t, a, end)
	lock, err := os.OpenFile(filepath.Join(a.Dir, "lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close() //nolint:errcheck // not written
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	damage(t, files(t, a.Dir)[0])
	soon, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := a.Extend(soon, end, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("extending: got %v, want %v", err, context.DeadlineExceeded)
	}
	// Who extends removes what is not finished, so nobody else may be writing.
	soon, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	var failed error
	for _, err := range s.Read(soon, domain.Position{}, start) {
		failed = err
	}
	if !errors.Is(failed, context.DeadlineExceeded) {
		t.Errorf("reading what is damaged: got %v, want %v", failed, context.DeadlineExceeded)
	}
}

func TestTheKeeperEndsWithItsContext(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	fill(store, 100)
	for _, dir := range []string{"", t.TempDir()} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		a := &archive.Archive{Dir: dir, Log: store.Log()}
		if err := a.Run(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		a.Log.Wait()
	}
}

func TestASnapshotMayBeLeftHalfRead(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	end := fill(store, 300)
	a := &archive.Archive{Log: store.Log()}
	s := extend(t, a, end)
	for _, err := range s.Read(t.Context(), domain.Position{}, start) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	for _, err := range s.Streams(t.Context(), 0, archive.Buckets, start) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range s.Streams(ctx, 0, archive.Buckets, start) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	}
}
