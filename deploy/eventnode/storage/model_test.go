package storage_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"aftercare/deploy/eventnode/crashtest"
	"aftercare/deploy/eventnode/storage"
)

// TestDecisionsFollowTheModel makes changes, one at a time and many at once, with restarts and crashes in between, and
// compares every answer and all streams with those of the model.
func TestDecisionsFollowTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "model") //nolint:usetesting // removed after each check
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
		m := &machine{model: crashtest.NewModel(), disk: crashtest.NewDisk(rapid.Uint64().Draw(t, "seed")), dir: dir, at: map[uint64][16]byte{}}
		m.open(t)
		defer func() { m.close() }()
		t.Repeat(map[string]func(*rapid.T){
			"one": func(t *rapid.T) {
				m.write(t, 1, storage.Append, storage.Append, storage.Append, storage.Delete, storage.Tombstone)
			},
			"more": func(t *rapid.T) { m.write(t, 8, storage.Append, storage.Append, storage.Delete) },
			"restart": func(t *rapid.T) {
				m.close()
				m.open(t)
			},
			"crash": func(t *rapid.T) {
				m.disk.CutPowerAfter(0)
				m.close()
				m.disk.PowerLoss()
				if rapid.Bool().Draw(t, "without index") {
					if err := os.Remove(filepath.Join(m.dir, "index.db")); err != nil {
						t.Fatal(err)
					}
				}
				m.open(t)
			},
			"": m.compare,
		})
	})
}

type machine struct {
	model *crashtest.Model
	disk  *crashtest.Disk
	dir   string
	store *storage.Store
	stop  chan struct{}
	ended chan struct{}
	at    map[uint64][16]byte
}

func (m *machine) open(t *rapid.T) {
	var err error
	m.store, err = storage.Open(storage.UnsyncedIndex(storage.Options{
		Dir: m.dir, Files: m.disk.Files, FlushEvents: rapid.IntRange(1, 30).Draw(t, "flush"),
	}))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	m.stop, m.ended = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(m.ended)
		m.store.Run(m.stop)
	}()
}

func (m *machine) close() {
	close(m.stop)
	<-m.ended
	_ = m.store.Close() // fails when the power is off
}

// write submits up to n changes at once.
func (m *machine) write(t *rapid.T, n int, kinds ...storage.Kind) {
	type asked struct {
		what    string
		answer  answer
		pending *storage.Pending
	}
	var all []asked
	for range rapid.IntRange(1, n).Draw(t, "changes") {
		q := m.model.Draw(t, kinds...)
		p, err := m.store.Submit(context.Background(), &storage.Request{
			Kind: q.Kind, Stream: q.Stream, Expected: q.Expected, Events: slices.Clone(q.Events),
		})
		if err != nil {
			t.Fatalf("submit: %v", err)
		}
		verdict, revision := m.model.Apply(q)
		what := fmt.Sprintf("kind %d to %s at %d, %d events", q.Kind, q.Stream, q.Expected, len(q.Events))
		all = append(all, asked{what, answer{verdict, revision}, p})
	}
	for _, a := range all {
		res := <-a.pending.Done()
		if got := (answer{res.Verdict, res.Revision}); res.Err() != nil || got != a.answer {
			t.Fatalf("%s: got %v (%v), want %v", a.what, got, res.Err(), a.answer)
		}
	}
}

type answer struct {
	verdict  storage.Verdict
	revision int64
}

// compare holds all streams against the model.
func (m *machine) compare(t *rapid.T) {
	rd := m.store.Reader()
	total := 0
	for _, name := range m.model.Streams() {
		want := m.model.Events(name)
		total += len(want)
		info, err := m.store.Stream(name)
		if err != nil || info.Last != int64(len(want)-1) {
			t.Fatalf("%s ends at %d (%v), want %d", name, info.Last, err, len(want)-1)
		}
		for revision, w := range want {
			r, ok, err := m.store.Record(rd, name, int64(revision))
			if err != nil || !ok || w.ID != [16]byte{} && r.ID != w.ID || string(r.Data) != string(w.Data) {
				t.Fatalf("revision %d of %s is %v %q (%v), want %v %q", revision, name, r.ID, r.Data, err, w.ID, w.Data)
			}
			if was, known := m.at[r.Position]; known && was != r.ID {
				t.Fatalf("position %d was %v, now it is %v", r.Position, was, r.ID)
			}
			m.at[r.Position] = r.ID
		}
	}
	found := 0
	for pos := uint64(storage.FirstPosition); pos < m.store.End(); {
		r, err := rd.At(pos)
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		if r.Revision != storage.TombstoneRevision {
			found++
		}
		pos = r.Next()
	}
	if found != total {
		t.Fatalf("the log has %d events, the streams %d", found, total)
	}
}
