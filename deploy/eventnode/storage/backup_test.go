package storage_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aftercare/deploy/eventnode/storage"
)

func backup(tb testing.TB, from, to string) storage.BackedUp {
	tb.Helper()
	done, err := storage.Backup(tb.Context(), from, to, storage.BackupOptions{})
	if err != nil {
		tb.Fatalf("back up: %v", err)
	}
	return done
}

// restored opens what a backup holds.
func restored(tb testing.TB, from string) *storage.Store {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "restored")
	if _, err := storage.Restore(tb.Context(), from, dir, nil); err != nil {
		tb.Fatalf("restore: %v", err)
	}
	s, _ := open(tb, storage.Options{Dir: dir, NoSync: true})
	return s
}

func TestABackupBesideAWriterHoldsAPrefixOfTheLog(t *testing.T) {
	t.Parallel()
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	s, _ := open(t, storage.Options{Dir: dir})
	ctx, written := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	for w := range 3 {
		writing.Go(func() {
			for ctx.Err() == nil {
				put(t, s, fmt.Sprint("s-", w), "noted", "one", "two", "three") //nolint:contextcheck // what was begun is finished
			}
		})
	}
	var last storage.BackedUp
	for range 8 {
		promised := put(t, s, "promised", "noted", "x").Position
		last = backup(t, dir, to)
		if last.End <= promised {
			t.Errorf("the backup ends at %d, but %d was acknowledged before it began", last.End, promised)
		}
		if _, err := s.Scavenge(t.Context()); err != nil {
			t.Error(err)
		}
		v, err := storage.Verify(t.Context(), to, nil)
		if err != nil || v.Events != last.Events || v.End != last.End || !v.Backup {
			t.Errorf("verify the backup: %+v, %v", v, err)
		}
		if v, err := storage.Verify(t.Context(), dir, nil); err != nil || !v.Running || v.End < last.End {
			t.Errorf("verify beside the writer: %+v, %v", v, err)
		}
	}
	written()
	writing.Wait()
	got := everything(t, restored(t, to))
	if diff := cmp.Diff(everything(t, s)[:last.Events], got); diff != "" {
		t.Errorf("restored (- log, + backup):\n%s", diff)
	}
	b, err := os.ReadFile(filepath.Join(to, storage.LogName))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != last.SHA256 {
		t.Errorf("sha256 of the log is %x, the manifest says %s", sum, last.SHA256)
	}
}

// TestABackupIsMadeOverScavenges takes turns with writing, scavenging and backing up: the backup always restores, and holds
// every event that the log still has.
func TestABackupIsMadeOverScavenges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		base, err := os.MkdirTemp(t.TempDir(), "turns-") //nolint:usetesting // one for each history
		if err != nil {
			rt.Fatal(err)
		}
		dir, to := filepath.Join(base, "events"), filepath.Join(base, "backup")
		s, stop := open(t, storage.Options{Dir: dir, FlushEvents: 10})
		put(t, s, "$$short", "$metadata", `{"$maxCount":1}`)
		for i := range rapid.IntRange(2, 12).Draw(rt, "turns") {
			switch rapid.IntRange(0, 3).Draw(rt, "turn") {
			case 0:
				put(t, s, rapid.SampledFrom([]string{"short", "long"}).Draw(rt, "stream"), "noted", string(make([]byte, rapid.SampledFrom([]int{0, 9000}).Draw(rt, "size"))))
			case 1:
				for range rapid.IntRange(1, 5).Draw(rt, "events") {
					put(t, s, "short", "noted", "x", "y")
				}
			case 2:
				if _, err := s.Scavenge(t.Context()); err != nil {
					rt.Fatal(err)
				}
			default:
				done := backup(t, dir, to)
				if i%2 == 0 {
					into, out := filepath.Join(base, fmt.Sprint("restored-", i)), map[string]bool{}
					if _, err := storage.Restore(t.Context(), to, into, nil); err != nil {
						rt.Fatal(err)
					}
					again, stopAgain := open(t, storage.Options{Dir: into, NoSync: true, FlushEvents: 10})
					for _, e := range everything(t, again) {
						out[e] = true
					}
					stopAgain()
					if _, err := storage.Verify(t.Context(), into, nil); err != nil {
						rt.Errorf("verify what was restored: %v", err)
					}
					for _, e := range everything(t, s) {
						if !out[e] {
							rt.Errorf("the backup up to %d lacks %s", done.End, e)
						}
					}
				}
			}
		}
		stop()
		if _, err := storage.Verify(t.Context(), dir, nil); err != nil {
			rt.Errorf("verify: %v", err)
		}
	})
}

// TestABackupThatStoppedGoesOn leaves a backup as a crash could after each of its steps.
func TestABackupThatStoppedGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := open(t, storage.Options{Dir: dir})
	fill(t, s)
	first := filepath.Join(t.TempDir(), "backup")
	was := backup(t, dir, first)
	put(t, s, "long", "noted", "new")
	for name, spoil := range map[string]func(to string) error{
		"nothing but the copy": func(to string) error {
			return errors.Join(os.Rename(filepath.Join(to, "events.log"), filepath.Join(to, "events.log.new")), os.Remove(filepath.Join(to, "manifest.json")))
		},
		"the manifest, and the copy not renamed": func(to string) error {
			return os.Rename(filepath.Join(to, "events.log"), filepath.Join(to, "events.log.new"))
		},
		"more than the manifest says": func(to string) error {
			f, err := os.OpenFile(filepath.Join(to, "events.log"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("half a record")
			return errors.Join(err, f.Close())
		},
		"a new manifest not renamed": func(to string) error {
			return os.WriteFile(filepath.Join(to, "manifest.json.new"), []byte("{"), 0o600)
		},
		"a sum of another program": func(to string) error {
			return rewriteManifest(to, func(m map[string]any) { m["sum"] = "AAAA" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := copyDir(t, first)
			if err := spoil(to); err != nil {
				t.Fatal(err)
			}
			done := backup(t, dir, to)
			if done.Events != was.Events+1 {
				t.Errorf("%d events, want %d", done.Events, was.Events+1)
			}
			if diff := cmp.Diff(everything(t, s), everything(t, restored(t, to))); diff != "" {
				t.Errorf("restored (- log, + backup):\n%s", diff)
			}
		})
	}
}

// TestABackupThatStoppedAtItsLastStepIsRestored has what a crash can leave of a first backup: a manifest, and the copy
// that it speaks of under its first name.
func TestABackupThatStoppedAtItsLastStepIsRestored(t *testing.T) {
	t.Parallel()
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	s, _ := open(t, storage.Options{Dir: dir, NoSync: true})
	fill(t, s)
	backup(t, dir, to)
	if err := os.Rename(filepath.Join(to, "events.log"), filepath.Join(to, "events.log.new")); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Verify(t.Context(), to, nil); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(everything(t, s), everything(t, restored(t, to))); diff != "" {
		t.Errorf("restored (- log, + backup):\n%s", diff)
	}
}

func rewriteManifest(dir string, change func(m map[string]any)) error {
	path := filepath.Join(dir, "manifest.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	m := map[string]any{}
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	change(m)
	if text, err = json.Marshal(m); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

func TestDamageIsNamedAndNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	s, stop := open(t, storage.Options{Dir: dir})
	fill(t, s)
	at := put(t, s, "long", "noted", "damaged").Position
	put(t, s, "long", "noted", "behind")
	good := filepath.Join(t.TempDir(), "good")
	backup(t, dir, good)
	named := func(err error) {
		t.Helper()
		if damage, ok := errors.AsType[*storage.CorruptError](err); !ok || damage.Position != at {
			t.Errorf("got %v, want damage at %d", err, at)
		}
	}
	flip(t, dir, at+70)
	_, err := storage.Backup(t.Context(), dir, to, storage.BackupOptions{})
	named(err)
	if _, err := storage.Verify(t.Context(), to, nil); err == nil {
		t.Error("what is left of the backup passes for one")
	}
	_, err = storage.Verify(t.Context(), dir, nil)
	named(err)
	stop()
	_, err = storage.Verify(t.Context(), dir, nil)
	named(err)

	flip(t, good, at+70)
	_, err = storage.Verify(t.Context(), good, nil)
	named(err)
	empty := filepath.Join(t.TempDir(), "events")
	_, err = storage.Restore(t.Context(), good, empty, nil)
	named(err)
	flip(t, good, at+70)
	if _, err := storage.Restore(t.Context(), good, empty, nil); err != nil {
		t.Errorf("restore after one that failed: %v", err)
	}
	if _, err := storage.Restore(t.Context(), good, empty, nil); !errors.Is(err, storage.ErrNotEmpty) {
		t.Errorf("restore over events: got %v, want %v", err, storage.ErrNotEmpty)
	}
	if err := rewriteManifest(good, func(m map[string]any) { m["events"] = 3 }); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Verify(t.Context(), good, nil); err == nil {
		t.Error("a manifest that speaks of other events passes")
	}
}

func TestABackupIsOfOneLog(t *testing.T) {
	t.Parallel()
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	s, _ := open(t, storage.Options{Dir: dir})
	fill(t, s)
	backup(t, dir, to)
	other := t.TempDir()
	o, _ := open(t, storage.Options{Dir: other})
	fill(t, o)
	if _, err := storage.Backup(t.Context(), other, to, storage.BackupOptions{}); !errors.Is(err, storage.ErrOtherLog) {
		t.Errorf("another log: got %v, want %v", err, storage.ErrOtherLog)
	}
	again := restored(t, to)
	put(t, again, "long", "noted", "a way of its own")
	put(t, s, "long", "noted", "the first way")
	backup(t, dir, to)
	if _, err := storage.Backup(t.Context(), again.Dir(), to, storage.BackupOptions{}); !errors.Is(err, storage.ErrOtherLog) {
		t.Errorf("a log that went another way: got %v, want %v", err, storage.ErrOtherLog)
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Backup(t.Context(), dir, full, storage.BackupOptions{}); !errors.Is(err, storage.ErrNotBackup) {
		t.Errorf("a folder of something else: got %v, want %v", err, storage.ErrNotBackup)
	}
}

func TestAStoreDoesNotOpenABackup(t *testing.T) {
	t.Parallel()
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	s, _ := open(t, storage.Options{Dir: dir, NoSync: true})
	fill(t, s)
	backup(t, dir, to)
	if _, err := storage.Open(storage.Options{Dir: to}); !errors.Is(err, storage.ErrBackup) {
		t.Errorf("got %v, want %v", err, storage.ErrBackup)
	}
	backup(t, dir, to) // which nobody has now
}

func TestVerifyComparesTheIndex(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, stop := open(t, storage.Options{Dir: dir})
	fill(t, s)
	stop()
	if v, err := storage.Verify(t.Context(), dir, nil); err != nil || v.Index != fmt.Sprint("agrees up to ", v.End) {
		t.Errorf("%+v, %v", v, err)
	}
	if err := storage.SpoilIndex(dir, "long", 7); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Verify(t.Context(), dir, nil); err == nil {
		t.Error("an index that has an event elsewhere passes")
	}
}
