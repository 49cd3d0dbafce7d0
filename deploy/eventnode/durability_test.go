package eventnode_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"aftercare/deploy/eventnode"
	"aftercare/deploy/eventnode/crashtest"
	"aftercare/deploy/eventnode/storage"
)

// once opens a node on dir, lets use have a client of it and closes it again.
func once(tb testing.TB, dir string, use func(*esdb.Client)) {
	tb.Helper()
	n, err := eventnode.Open(eventnode.Options{Dir: dir})
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- n.Run(context.WithoutCancel(tb.Context())) }()
	use(connect(tb, n))
	if err := errors.Join(n.Close(), <-stopped); err != nil {
		tb.Fatalf("close: %v", err)
	}
}

// written is an event as $all shows it.
type written struct {
	Stream   string
	Revision uint64
	Position uint64
	Data     string
}

func everything(tb testing.TB, c *esdb.Client) []written {
	tb.Helper()
	var out []written
	for _, e := range readAll(tb, c, esdb.ReadAllOptions{From: esdb.Start{}, Direction: esdb.Forwards}) {
		r := e.OriginalEvent()
		out = append(out, written{r.StreamID, r.EventNumber, r.Position.Commit, string(r.Data)})
	}
	return out
}

func TestRestartKeepsEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var before []written
	once(t, dir, func(c *esdb.Client) {
		for i := range 50 {
			put(t, c, fmt.Sprintf("s-%d", i%7), esdb.Any{}, events(strconv.Itoa(i), fmt.Sprint(i, "b"))...)
		}
		setMeta(t, c, "s-1", `{"$maxCount":2}`)
		remove(t, c, "s-2")
		before = everything(t, c)
	})
	check := func(c *esdb.Client) {
		if diff := cmp.Diff(before, everything(t, c)); diff != "" {
			t.Errorf("$all after a restart (-want +got):\n%s", diff)
		}
		if got, err := readStream(t, c, "s-1", forwards()); err != nil || len(got) != 2 {
			t.Errorf("got %d events and %v, want 2", len(got), err)
		}
		if _, err := readStream(t, c, "s-2", forwards()); code(err) != esdb.ErrorCodeResourceNotFound {
			t.Errorf("got %v, want not found", err)
		}
	}
	once(t, dir, check)
	if err := os.Remove(filepath.Join(dir, "index.db")); err != nil {
		t.Fatal(err)
	}
	once(t, dir, func(c *esdb.Client) {
		check(c)
		put(t, c, "s-0", esdb.Revision(15), event("next"))
	})
}

func TestIndexOfAnotherLogIsRebuilt(t *testing.T) {
	t.Parallel()
	mine, other := t.TempDir(), t.TempDir()
	once(t, mine, func(c *esdb.Client) { put(t, c, "mine", esdb.Any{}, events("0", "1")...) })
	once(t, other, func(c *esdb.Client) { put(t, c, "other", esdb.Any{}, events("x", "y")...) })
	index, err := os.ReadFile(filepath.Join(other, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(mine, "index.db"), index, 0o600); err != nil {
		t.Fatal(err)
	}
	once(t, mine, func(c *esdb.Client) {
		got, err := readStream(t, c, "mine", forwards())
		if diff := cmp.Diff([]string{"0", "1"}, texts(got)); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

func TestOneWriter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, eventnode.Options{Dir: dir})
	if _, err := eventnode.Open(eventnode.Options{Dir: dir}); !errors.Is(err, eventnode.ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
}

// crash copies the log as it is while the node runs, as a crash would leave it, and lets change it.
func crash(tb testing.TB, change func(log []byte) []byte) string {
	tb.Helper()
	dir, after := tb.TempDir(), tb.TempDir()
	c := connect(tb, start(tb, eventnode.Options{Dir: dir}))
	for i := range 5 {
		put(tb, c, "s", esdb.Any{}, events(fmt.Sprintf("first of %d", i), fmt.Sprintf("second of %d", i))...)
	}
	log, err := os.ReadFile(filepath.Join(dir, "events.log"))
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(after, "events.log"), change(log), 0o600); err != nil {
		tb.Fatal(err)
	}
	return after
}

func TestTornTailIsCutOff(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func([]byte) []byte
		want   int
	}{
		"untouched":           {func(b []byte) []byte { return b }, 10},
		"last byte missing":   {func(b []byte) []byte { return b[:len(b)-1] }, 8},
		"second of two gone":  {func(b []byte) []byte { return b[:bytes.LastIndex(b, []byte("second of 4"))-100] }, 8},
		"first of two broken": {func(b []byte) []byte { return flip(b, "first of 4") }, 8},
		"zeros behind":        {func(b []byte) []byte { return append(b, make([]byte, 5000)...) }, 10},
		"noise behind":        {func(b []byte) []byte { return append(b, bytes.Repeat([]byte("noise"), 500)...) }, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			once(t, crash(t, tc.change), func(c *esdb.Client) {
				if got := everything(t, c); len(got) != tc.want {
					t.Errorf("got %d events, want %d", len(got), tc.want)
				}
				put(t, c, "s", esdb.Revision(uint64(tc.want-1)), event("goes on")) //nolint:gosec // small
				if got, err := readStream(t, c, "s", forwards()); err != nil || len(got) != tc.want+1 {
					t.Errorf("got %d events and %v, want %d", len(got), err, tc.want+1)
				}
			})
		})
	}
}

func flip(b []byte, text string) []byte {
	b[bytes.Index(b, []byte(text))] ^= 1
	return b
}

func TestDamageToAcknowledgedEventsIsNamed(t *testing.T) {
	t.Parallel()
	dir := crash(t, func(b []byte) []byte { return flip(b, "first of 2") })
	_, err := eventnode.Open(eventnode.Options{Dir: dir})
	var corrupt *eventnode.CorruptError
	if !errors.As(err, &corrupt) || corrupt.Position <= storage.FirstPosition {
		t.Errorf("got %v, want the damaged position", err)
	}
	if _, err := eventnode.Open(eventnode.Options{Dir: dir}); !errors.As(err, &corrupt) {
		t.Errorf("the second time: got %v, want the same", err)
	}
}

func TestShortLogIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	once(t, dir, func(c *esdb.Client) { put(t, c, "s", esdb.Any{}, events("0", "1")...) })
	if err := os.Truncate(filepath.Join(dir, "events.log"), 100); err != nil {
		t.Fatal(err)
	}
	var corrupt *eventnode.CorruptError
	if _, err := eventnode.Open(eventnode.Options{Dir: dir}); !errors.As(err, &corrupt) {
		t.Errorf("got %v, want a refusal to forget acknowledged events", err)
	}
}

func TestDamagedRecordIsNeverServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var want []written
	once(t, dir, func(c *esdb.Client) {
		put(t, c, "s", esdb.Any{}, events("event zero", "event one", "event two")...)
		want = everything(t, c)
	})
	path := filepath.Join(dir, "events.log")
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, flip(log, "event one"), 0o600); err != nil {
		t.Fatal(err)
	}
	once(t, dir, func(c *esdb.Client) {
		got, err := readStream(t, c, "s", forwards())
		if diff := cmp.Diff([]string{"event zero"}, texts(got)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		damaged(t, err, want[1].Position)
		_, err = drain(t, func() (*esdb.ReadStream, error) {
			return c.ReadAll(t.Context(), esdb.ReadAllOptions{From: esdb.Position{Commit: want[1].Position, Prepare: want[1].Position}}, 10)
		})
		damaged(t, err, want[1].Position)
		if got, err := readStream(t, c, "s", esdb.ReadStreamOptions{From: esdb.Revision(2), Direction: esdb.Forwards}); err != nil || len(got) != 1 {
			t.Errorf("the event behind it: got %d and %v", len(got), err)
		}
	})
}

func damaged(tb testing.TB, err error, position uint64) {
	tb.Helper()
	var e *esdb.Error
	if !errors.As(err, &e) || status.Code(e.Err()) != codes.DataLoss || !strings.Contains(err.Error(), strconv.FormatUint(position, 10)) {
		tb.Errorf("got %v, want a loss of data at %d", err, position)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	var full atomic.Bool
	n := start(t, eventnode.Options{Dir: t.TempDir(), Files: crashtest.Faulty(crashtest.Fails(full.Load, syscall.ENOSPC, crashtest.Write))})
	c := connect(t, n)
	put(t, c, "s", esdb.NoStream{}, event("before"))
	sub := subscribe(t, c, esdb.SubscribeToAllOptions{From: esdb.Start{}})
	full.Store(true)
	late := event("after")
	for range 3 {
		_, err := c.AppendToStream(t.Context(), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Revision(0)}, late)
		if code(err) != esdb.ErrorAborted || !strings.Contains(err.Error(), "no space left on device") {
			t.Fatalf("got %v, want an aborted append that says why", err)
		}
	}
	if got, err := readStream(t, c, "s", forwards()); err != nil || len(got) != 1 {
		t.Errorf("reads go on: got %d events and %v, want 1", len(got), err)
	}
	full.Store(false)
	put(t, c, "s", esdb.Revision(0), late)
	if diff := cmp.Diff([]string{"before", "after"}, take(t, sub, 2)); diff != "" {
		t.Errorf("the subscription (-want +got):\n%s", diff)
	}
}
