package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aftercare/deploy/eventnode/storage"
)

// open returns a store whose writer runs until the test ends or stop is called.
func open(tb testing.TB, o storage.Options) (s *storage.Store, stop func()) {
	tb.Helper()
	s, err := storage.Open(o)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	end := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() { s.Run(end) })
	stop = sync.OnceFunc(func() {
		close(end)
		running.Wait()
		if err := s.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	tb.Cleanup(stop)
	return s, stop
}

// put appends events with data to a stream.
func put(tb testing.TB, s *storage.Store, stream, kind string, data ...string) storage.Result {
	tb.Helper()
	q := &storage.Request{Kind: storage.Append, Stream: stream, Expected: storage.Any}
	for _, d := range data {
		q.Events = append(q.Events, storage.Record{ID: uuid.New(), Type: []byte(kind), Data: []byte(d)})
	}
	res, err := s.Write(tb.Context(), q)
	if err != nil || res.Verdict != storage.Written {
		tb.Fatalf("append to %s: verdict %d, %v", stream, res.Verdict, err)
	}
	return res
}

// everything returns the whole log, read forwards, and fails when reading it backwards or by stream differs.
func everything(tb testing.TB, s *storage.Store) []string {
	tb.Helper()
	var forwards, backwards []string
	say := func(r storage.Record) string {
		return fmt.Sprintf("%d %s %d %d bytes", r.Position, r.Stream, r.Revision, len(r.Data))
	}
	rd, side := s.Reader(), s.Reader()
	for pos := uint64(storage.FirstPosition); ; {
		r, err := rd.From(pos)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			tb.Fatalf("read from %d: %v", pos, err)
		}
		forwards, pos = append(forwards, say(r)), r.Next()
		info, err := s.Stream(string(r.Stream))
		if err != nil {
			tb.Fatal(err)
		}
		again, ok, err := s.Record(side, string(r.Stream), r.Revision)
		if r.Revision != storage.TombstoneRevision && r.Revision >= info.First && (err != nil || !ok || again.Position != r.Position) {
			tb.Errorf("by its stream, the event at %d stands at %d: %t, %v", r.Position, again.Position, ok, err)
		}
	}
	for pos := s.End(); ; {
		r, err := rd.Before(pos)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			tb.Fatalf("read before %d: %v", pos, err)
		}
		backwards, pos = append(backwards, say(r)), r.Position
	}
	slices.Reverse(backwards)
	if diff := cmp.Diff(forwards, backwards); diff != "" {
		tb.Errorf("backwards the log is another (- forwards):\n%s", diff)
	}
	return forwards
}

// fill writes streams of which something can go.
func fill(tb testing.TB, s *storage.Store) {
	tb.Helper()
	put(tb, s, "$$short", "$metadata", `{"$maxCount":2}`)
	for i := range 40 {
		put(tb, s, "short", "noted", string(make([]byte, 100*i)), "x")
		put(tb, s, "long", "noted", strconv.Itoa(i))
		put(tb, s, "$$long", "$metadata", fmt.Sprintf(`{"n":%d}`, i))
		put(tb, s, "ended", "noted", "x")
	}
	if _, err := s.Write(tb.Context(), &storage.Request{Kind: storage.Tombstone, Stream: "ended", Expected: storage.Any}); err != nil {
		tb.Fatal(err)
	}
	put(tb, s, "last", "noted", "x")
}

func copyDir(tb testing.TB, from string) string {
	tb.Helper()
	to := filepath.Join(tb.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		tb.Fatal(err)
	}
	return to
}

var errStop = errors.New("stopped here")

// TestAScavengeThatStopsLeavesAWholeLog looks at the directory as a crash after each step would leave it, and goes on
// with a store whose scavenge failed there.
func TestAScavengeThatStopsLeavesAWholeLog(t *testing.T) {
	t.Parallel()
	for step, replaced := range map[string]bool{
		"created": false, "copied": false, "prepared": false, "synced": false, "renamed": true, "adopted": true,
	} {
		for _, withIndex := range []bool{true, false} {
			t.Run(fmt.Sprint(step, ", index ", withIndex), func(t *testing.T) {
				t.Parallel()
				dir, image := t.TempDir(), ""
				s, stop := open(t, storage.StepwiseScavenge(storage.Options{Dir: dir, NoSync: true, FlushEvents: 7}, func(name string) error {
					if name != step {
						return nil
					}
					image = copyDir(t, dir)
					return errStop
				}))
				fill(t, s)
				before := everything(t, s)
				end := s.End()
				if _, err := s.Scavenge(t.Context()); !errors.Is(err, errStop) {
					t.Fatalf("got %v, want %v", err, errStop)
				}
				after := everything(t, s)
				if shorter := len(after) < len(before); shorter != replaced {
					t.Errorf("%d events after %d", len(after), len(before))
				}
				if s.End() != end {
					t.Errorf("the log ends at %d, want %d", s.End(), end)
				}
				put(t, s, "long", "noted", "y")
				stop()

				if !withIndex {
					if err := os.Remove(filepath.Join(image, "index.db")); err != nil {
						t.Fatal(err)
					}
				}
				crashed, stop := open(t, storage.Options{Dir: image, NoSync: true, FlushEvents: 7})
				if diff := cmp.Diff(after, everything(t, crashed)); diff != "" {
					t.Errorf("after a crash the log is another:\n%s", diff)
				}
				put(t, crashed, "long", "noted", "y")
				if _, err := crashed.Scavenge(t.Context()); err != nil {
					t.Errorf("scavenge after a crash: %v", err)
				}
				if got, want := len(everything(t, crashed)), 2+1+41+1+1+1; got != want {
					t.Errorf("%d events are left, want %d", got, want)
				}
				stop()
				if v, err := storage.Verify(t.Context(), image, nil); err != nil || v.Streams != 6 {
					t.Errorf("verify: %+v, %v", v, err)
				}
				left, err := os.ReadDir(image)
				if err != nil || len(left) > 4 {
					t.Errorf("files left behind: %v, %v", left, err)
				}
			})
		}
	}
}

func TestAScavengeEndsWithItsContextAndItsStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	reached, proceed := make(chan struct{}), make(chan struct{})
	s, stop := open(t, storage.StepwiseScavenge(storage.Options{Dir: dir, NoSync: true}, func(name string) error {
		if name == "created" {
			reached <- struct{}{}
			<-proceed
		}
		return nil
	}))
	fill(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	scavenged := make(chan error, 1)
	run := func() {
		_, err := s.Scavenge(ctx)
		scavenged <- err
	}
	go run()
	<-reached
	if _, err := s.Scavenge(t.Context()); !errors.Is(err, storage.ErrScavenging) {
		t.Errorf("a second one beside it: got %v, want %v", err, storage.ErrScavenging)
	}
	cancel()
	proceed <- struct{}{}
	if err := <-scavenged; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	ctx = t.Context()
	go run()
	<-reached
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	proceed <- struct{}{}
	if err := <-scavenged; err != nil && !errors.Is(err, storage.ErrStopped) { // it may be quicker
		t.Errorf("got %v, want %v", err, storage.ErrStopped)
	}
	<-stopped
}

func TestAScavengeNamesDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, stop := open(t, storage.Options{Dir: dir, NoSync: true})
	fill(t, s)
	at := put(t, s, "long", "noted", "damaged").Position
	put(t, s, "last", "noted", "x")
	if _, err := s.Scavenge(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(t, s, "long", "noted", "z")
	put(t, s, "short", "noted", "z")
	flip(t, dir, at+70)
	_, err := s.Scavenge(t.Context())
	if damage, ok := errors.AsType[*storage.CorruptError](err); !ok || damage.Position != at {
		t.Errorf("scavenge: got %v, want damage at %d", err, at)
	}
	_, err = s.Reader().From(at)
	if damage, ok := errors.AsType[*storage.CorruptError](err); !ok || damage.Position != at {
		t.Errorf("read: got %v, want damage at %d", err, at)
	}
	stop()
	v, err := storage.Verify(t.Context(), dir, nil)
	if damage, ok := errors.AsType[*storage.CorruptError](err); !ok || damage.Position != at {
		t.Errorf("verify: got %+v, %v, want damage at %d", v, err, at)
	}
}

// flip changes one byte of the log.
func flip(tb testing.TB, dir string, at uint64) {
	tb.Helper()
	f, err := os.OpenFile(filepath.Join(dir, storage.LogName), os.O_RDWR, 0)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			tb.Error(err)
		}
	}()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, int64(at)); err != nil { //nolint:gosec // small
		tb.Fatal(err)
	}
	b[0] ^= 0x40
	if _, err := f.WriteAt(b, int64(at)); err != nil { //nolint:gosec // small
		tb.Fatal(err)
	}
}

// TestAScavengedStreamBeginsWhereItsEventsDo has a stream with $maxCount 1 whose beginning went in several scavenges: reading it, and
// building the index anew, meets one event.
func TestAScavengedStreamBeginsWhereItsEventsDo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, stop := open(t, storage.Options{Dir: dir, NoSync: true, FlushEvents: 100})
	put(t, s, "$$counter", "$metadata", `{"$maxCount":1}`)
	for i := range 5 {
		for range 300 {
			put(t, s, "counter", "counted", string(make([]byte, 2000)))
		}
		want := uint64(300)
		if i == 0 {
			want-- // one stays each time
		}
		if done, err := s.Scavenge(t.Context()); err != nil || done.Events != want {
			t.Fatalf("%+v, %v, want %d events removed", done, err, want)
		}
	}
	check := func(s *storage.Store) {
		t.Helper()
		info, err := s.Stream("counter")
		if err != nil || info.First != 1499 || info.Last != 1499 {
			t.Errorf("the stream begins at %d and ends at %d, %v", info.First, info.Last, err)
		}
		positions, err := s.Positions("counter", 1490, 100, false)
		if err != nil || len(positions) != 10 || positions[0] != 0 || positions[9] == 0 {
			t.Errorf("positions: %v, %v", positions, err)
		}
	}
	check(s)
	stop()
	if err := os.Remove(filepath.Join(dir, "index.db")); err != nil {
		t.Fatal(err)
	}
	s, _ = open(t, storage.Options{Dir: dir, NoSync: true, FlushEvents: 100})
	check(s)
	if got, err := storage.DiskUse(dir); err != nil || got > 64<<10 {
		t.Errorf("the log takes %d bytes on disk, %v", got, err)
	}
	if res := put(t, s, "counter", "counted", "x"); res.Revision != 1500 {
		t.Errorf("the next revision is %d, want 1500", res.Revision)
	}
}

// TestMetadataOfAnotherCaseRemovesNothing has keys that readers of EventStoreDB do not know, and that a scavenge must not obey.
func TestMetadataOfAnotherCaseRemovesNothing(t *testing.T) {
	t.Parallel()
	s, _ := open(t, storage.Options{Dir: t.TempDir(), NoSync: true})
	put(t, s, "s", "noted", "1", "2", "3")
	put(t, s, "$$s", "$metadata", `{"$MAXCOUNT":1,"$Tb":2,"$maxage":1}`)
	put(t, s, "last", "noted", "x")
	if done, err := s.Scavenge(t.Context()); err != nil || done.Events != 0 {
		t.Errorf("%d events removed, %v", done.Events, err)
	}
}

// TestMetadataCannotBeEnded has deletions that would end the metadata of a stream, and with it what hides the stream's events.
func TestMetadataCannotBeEnded(t *testing.T) {
	t.Parallel()
	s, _ := open(t, storage.Options{Dir: t.TempDir(), NoSync: true})
	put(t, s, "s", "noted", "1")
	put(t, s, "$$s", "$metadata", `{"$tb":1}`)
	for _, kind := range []storage.Kind{storage.Delete, storage.Tombstone} {
		if res, err := s.Write(t.Context(), &storage.Request{Kind: kind, Stream: "$$s", Expected: storage.Any}); err == nil {
			t.Errorf("kind %d: got %v, want an error", kind, res.Verdict)
		}
	}
}

// TestRotInWhatWasRemovedHidesNothing damages what the index knows of removed events. Verify names that, and the next start
// builds the index anew, so that a stream begins where it did.
func TestRotInWhatWasRemovedHidesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, stop := open(t, storage.Options{Dir: dir, NoSync: true})
	put(t, s, "s", "noted", "1", "2", "3", "4", "5")
	put(t, s, "$$s", "$metadata", `{"$tb":2}`)
	put(t, s, "last", "noted", "x")
	if done, err := s.Scavenge(t.Context()); err != nil || done.Events != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	stop()
	if err := storage.SpoilFirsts(dir); err != nil {
		t.Fatal(err)
	}
	_, err := storage.Verify(t.Context(), dir, nil)
	if _, ok := errors.AsType[*storage.IndexError](err); !ok {
		t.Errorf("verify: got %v, want that the index is damaged", err)
	}
	s, _ = open(t, storage.Options{Dir: dir, NoSync: true})
	if info, err := s.Stream("s"); err != nil || info.First != 2 {
		t.Errorf("the stream begins at %d, %v, want 2", info.First, err)
	}
	if _, err := s.Reader().From(storage.FirstPosition + 1); err != nil {
		t.Errorf("read in what was removed: %v", err)
	}
}

func TestAFillerHasABoundedLength(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	fillers, end, err := storage.Fill(700*mib, 300*mib, 700*mib, 400*mib, 80)
	if err != nil || end != storage.FirstPosition+2100*mib+80 {
		t.Errorf("the end is %d, %v", end, err)
	}
	if diff := cmp.Diff([]uint64{1000 * mib, 700 * mib, 400*mib + 80}, fillers); diff != "" {
		t.Errorf("fillers (-want +got):\n%s", diff)
	}
}

func TestDamageToEachByteOfAFillerIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, stop := open(t, storage.Options{Dir: dir})
	put(t, s, "$$short", "$metadata", `{"$maxCount":1}`)
	from := put(t, s, "short", "noted", string(make([]byte, 9000))).Position
	to := put(t, s, "short", "noted", "x").Position
	if done, err := s.Scavenge(t.Context()); err != nil || done.Events != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	stop()
	for i := range to - from {
		if i >= 68 && i < to-from-4 { // inside is nothing
			continue
		}
		flip(t, dir, from+i)
		_, err := storage.Verify(t.Context(), dir, nil)
		if damage, ok := errors.AsType[*storage.CorruptError](err); !ok || damage.Position != from {
			t.Errorf("byte %d: got %v, want damage at %d", i, err, from)
		}
		flip(t, dir, from+i)
	}
}
