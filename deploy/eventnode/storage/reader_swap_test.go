package storage_test

import (
	"errors"
	"io"
	"testing"

	"aftercare/deploy/eventnode/storage"
)

// TestAReaderOutlivesAScavenge has readers that stand here and there in the log when the log is replaced. What each has in memory is
// of the old log, and what it reads next is of the new one: to it, too, nothing is damaged.
func TestAReaderOutlivesAScavenge(t *testing.T) {
	t.Parallel()
	s, _ := open(t, storage.Options{Dir: t.TempDir(), NoSync: true})
	put(t, s, "$$short", "$metadata", `{"$maxCount":1}`)
	for range 200 {
		put(t, s, "long", "noted", string(make([]byte, 300)))
		put(t, s, "short", "noted", string(make([]byte, 1500)), string(make([]byte, 1500)))
	}
	put(t, s, "long", "noted", "x")
	type walker struct {
		step func(pos uint64) (storage.Record, error)
		next func(storage.Record) uint64
		pos  uint64
	}
	var walkers []*walker
	walk := func(w *walker, steps int) {
		t.Helper()
		for ; steps != 0; steps-- {
			r, err := w.step(w.pos)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatalf("read at %d: %v", w.pos, err)
			}
			w.pos = w.next(r)
		}
	}
	for n := 1; n < 600; n += 20 {
		forwards := &walker{s.Reader().From, func(r storage.Record) uint64 { return r.Next() }, storage.FirstPosition}
		walk(forwards, n)
		backwards := &walker{s.Reader().Before, func(r storage.Record) uint64 { return r.Position }, forwards.pos}
		walk(backwards, 1)
		walkers = append(walkers, forwards, backwards)
	}
	if done, err := s.Scavenge(t.Context()); err != nil || done.Events != 399 {
		t.Fatalf("%+v, %v", done, err)
	}
	for _, w := range walkers {
		walk(w, -1)
	}
}
