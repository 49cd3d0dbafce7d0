package storage_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/uuid"

	"aftercare/deploy/eventnode/crashtest"
	"aftercare/deploy/eventnode/storage"
)

// world is a store on a disk that fails, and everything that was ever promised about its events.
type world struct {
	tb   testing.TB
	rng  *rand.Rand
	disk *crashtest.Disk
	dir  string // of the index
	log  []string

	store *storage.Store
	stop  chan struct{}
	ended chan struct{}

	at        map[uint64][16]byte // what was ever seen or acknowledged at a position
	promised  map[uint64]bool     // positions that were
	refused   map[[16]byte]bool   // ids that were never stored, for sure
	events    map[[16]byte]event
	open      []*try // not answered, or not for sure
	index     [][]byte
	idsBefore int
}

// event is one that was sent.
type event struct {
	stream string
	of     *try
	nth    int
}

// try is an append that was sent.
type try struct {
	stream   string
	expected int64
	records  []storage.Record
	pending  *storage.Pending
}

func newWorld(tb testing.TB, seed uint64) *world {
	tb.Helper()
	return &world{
		tb: tb, rng: rand.New(rand.NewPCG(seed, 2)), disk: crashtest.NewDisk(seed), dir: tb.TempDir(), //nolint:gosec // tests repeat themselves
		at: map[uint64][16]byte{}, promised: map[uint64]bool{}, refused: map[[16]byte]bool{}, events: map[[16]byte]event{},
	}
}

func (w *world) fatalf(format string, args ...any) {
	w.tb.Helper()
	for _, line := range w.log {
		w.tb.Log(line)
	}
	w.tb.Fatalf(format, args...)
}

func (w *world) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

// options are those of the store; the index goes to disk every few events.
func (w *world) options() storage.Options {
	return storage.UnsyncedIndex(storage.Options{Dir: w.dir, Files: w.disk.Files, FlushEvents: 1 + w.rng.IntN(40)})
}

// start opens the store, which must work, and checks everything.
func (w *world) start() {
	w.tb.Helper()
	s, err := storage.Open(w.options())
	if err != nil {
		w.fatalf("open: %v", err)
	}
	w.store, w.stop, w.ended = s, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(w.ended)
		s.Run(w.stop)
	}()
	w.check()
}

// end closes the store, whose files may all be dead.
func (w *world) end() {
	close(w.stop)
	<-w.ended
	_ = w.store.Close() // fails when the power is off
	w.store = nil
	w.collect()
}

// send submits a few appends at once, some of them sent before.
func (w *world) send() {
	for range 1 + w.rng.IntN(6) {
		var t *try
		if len(w.open) > 0 && w.rng.IntN(3) == 0 {
			i := w.rng.IntN(len(w.open))
			t = w.open[i]
			if t.pending != nil {
				continue
			}
			w.open = slices.Delete(w.open, i, i+1)
		} else {
			t = w.newTry()
		}
		p, err := w.store.Submit(context.Background(), &storage.Request{
			Kind: storage.Append, Stream: t.stream, Expected: t.expected, Events: slices.Clone(t.records),
		})
		if err != nil {
			w.fatalf("submit: %v", err)
		}
		t.pending = p
		w.open = append(w.open, t)
	}
}

func (w *world) newTry() *try {
	t := &try{stream: fmt.Sprintf("s-%d", w.rng.IntN(8)), expected: storage.Any}
	for i := range 1 + w.rng.IntN(4) {
		r := storage.Record{ID: uuid.New(), Type: []byte("noted"), Data: make([]byte, w.rng.IntN(1+w.rng.IntN(6000)))}
		w.events[r.ID] = event{t.stream, t, i}
		t.records = append(t.records, r)
	}
	return t
}

// collect takes the answers to what was sent. All are there once the writer has ended.
func (w *world) collect() {
	for _, t := range slices.Clone(w.open) {
		if t.pending == nil {
			continue
		}
		res := <-t.pending.Done()
		t.pending = nil
		var not *storage.NotStoredError
		switch err := res.Err(); {
		case err == nil && (res.Verdict == storage.Written || res.Verdict == storage.Repeated):
			w.note("ack %v at %d (%d)", uuid.UUID(t.records[0].ID), res.Position, res.Verdict)
			w.promise(res.Position, t.records[len(t.records)-1].ID)
			w.drop(t)
		case errors.As(err, &not) && !not.Uncertain:
			w.note("not stored %v: %v", uuid.UUID(t.records[0].ID), err)
			for _, r := range t.records {
				w.refused[r.ID] = true
			}
			w.drop(t)
		case err == nil:
			w.fatalf("got verdict %d", res.Verdict)
		default:
			w.note("open %v: %v", uuid.UUID(t.records[0].ID), err)
		}
	}
}

func (w *world) drop(t *try) {
	w.open = slices.DeleteFunc(w.open, func(o *try) bool { return o == t })
}

// promise notes that id stands at a position for ever.
func (w *world) promise(position uint64, id [16]byte) {
	w.tb.Helper()
	if was, ok := w.at[position]; ok && was != id {
		w.fatalf("position %d was %v, now it is %v", position, uuid.UUID(was), uuid.UUID(id))
	}
	w.at[position], w.promised[position] = id, true
}

// check reads everything and holds it against what was promised. What it saw is promised from now on.
func (w *world) check() {
	w.tb.Helper()
	var last uint64
	rd := w.store.Reader()
	revisions := map[string]int64{}
	once := map[[16]byte]bool{}
	var previous event
	found := 0
	for pos := uint64(storage.FirstPosition); pos < w.store.End(); {
		r, err := rd.At(pos)
		if err != nil {
			w.fatalf("read at %d: %v", pos, err)
		}
		e, sent := w.events[r.ID]
		name := string(r.Stream)
		next, known := revisions[name]
		switch {
		case !sent || e.stream != name:
			w.fatalf("%v at %d in %s was never sent", uuid.UUID(r.ID), pos, name)
		case w.refused[r.ID]:
			w.fatalf("%v at %d was answered as not stored", uuid.UUID(r.ID), pos)
		case once[r.ID]:
			w.fatalf("%v is there twice, now at %d", uuid.UUID(r.ID), pos)
		case known && r.Revision != next || !known && r.Revision != 0:
			w.fatalf("%s: revision %d at %d, want %d", name, r.Revision, pos, next)
		case e.nth > 0 && (previous.of != e.of || previous.nth != e.nth-1):
			w.fatalf("%v at %d is not behind the rest of its append", uuid.UUID(r.ID), pos)
		case e.nth == 0 && previous.of != nil && previous.nth != len(previous.of.records)-1:
			w.fatalf("half an append ends at %d", pos)
		}
		if w.promised[pos] {
			found++
		}
		w.promise(pos, r.ID)
		indexed, err := w.store.Positions(name, r.Revision, 1, false)
		if err != nil || len(indexed) != 1 || indexed[0] != pos {
			w.fatalf("the index has revision %d of %s at %v (%v), not at %d", r.Revision, name, indexed, err, pos)
		}
		once[r.ID], revisions[name], previous, last, pos = true, r.Revision+1, e, r.Position, r.Next()
	}
	if previous.of != nil && previous.nth != len(previous.of.records)-1 {
		w.fatalf("half an append is at the end")
	}
	for name, next := range revisions {
		if info, err := w.store.Stream(name); err != nil || info.Last != next-1 {
			w.fatalf("the index ends %s at %d (%v), not at %d", name, info.Last, err, next-1)
		}
	}
	if w.store.Last() != last {
		w.fatalf("the last position is %d, not %d", w.store.Last(), last)
	}
	if found < w.idsBefore {
		w.fatalf("only %d of %d promised events are there", found, w.idsBefore)
	}
	for pos, id := range w.at {
		if !once[id] {
			w.fatalf("%v at %d is lost", uuid.UUID(id), pos)
		}
	}
	w.idsBefore = len(w.promised)
}

// changeIndex leaves the index as it is, puts an earlier copy in its place, or removes it.
func (w *world) changeIndex() {
	w.tb.Helper()
	path := filepath.Join(w.dir, "index.db")
	now, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		w.tb.Fatal(err)
	}
	w.index = append(w.index, now)
	switch w.rng.IntN(4) {
	case 0:
		w.note("index removed")
		if err := os.Remove(path); err != nil {
			w.tb.Fatal(err)
		}
	case 1:
		w.note("an earlier index")
		if err := os.WriteFile(path, w.index[w.rng.IntN(len(w.index))], 0o600); err != nil {
			w.tb.Fatal(err)
		}
	}
}

// startsOrNot opens the store while the power goes. If it opens, what is seen is promised.
func (w *world) startsOrNot() {
	w.tb.Helper()
	s, err := storage.Open(w.options())
	if err != nil {
		if _, ok := errors.AsType[*storage.CorruptError](err); ok {
			w.fatalf("open without power: %v", err)
		}
		return
	}
	_ = s.Close() // fails when the power is off
}
