package storage_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"aftercare/deploy/eventnode/storage"
)

// filled returns a world whose store is closed and has some hundred events.
func filled(tb testing.TB, seed uint64) *world {
	tb.Helper()
	w := newWorld(tb, seed)
	w.start()
	for range 40 {
		w.send()
		w.collect()
	}
	w.check()
	w.end()
	return w
}

// readAll reads every event that was seen. What can be read must be what was there, and the others are named.
func (w *world) readAll(s *storage.Store) (damaged int) {
	w.tb.Helper()
	rd := s.Reader()
	for pos, id := range w.at {
		r, err := rd.At(pos)
		var corrupt *storage.CorruptError
		switch {
		case errors.As(err, &corrupt):
			if corrupt.Position != pos {
				w.fatalf("the damage at %d is reported at %d", pos, corrupt.Position)
			}
			damaged++
		case err != nil:
			w.fatalf("read at %d: %v", pos, err)
		case r.ID != id:
			w.fatalf("at %d stands another event", pos)
		}
	}
	return damaged
}

// TestRotInTheLog flips bits anywhere in a log that was closed properly, or whose node was killed. Opening it fails and names
// the damage, or reading the event does; nothing damaged is ever served, and nothing is cut off.
func TestRotInTheLog(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			w := filled(t, seed)
			size := len(w.disk.Bytes(storage.LogName))
			index, err := os.ReadFile(filepath.Join(w.dir, "index.db"))
			if err != nil {
				t.Fatal(err)
			}
			for range 30 {
				bad := w.disk.Clone(w.rng.Uint64())
				bit := w.rng.IntN(size * 8)
				if w.rng.IntN(3) == 0 { // near the end
					bit = size*8 - 1 - w.rng.IntN(4000*8)
				}
				bad.Rot(storage.LogName, bit)
				dir := t.TempDir()
				if w.rng.IntN(2) == 0 {
					if err := os.WriteFile(filepath.Join(dir, "index.db"), index, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				s, err := storage.Open(storage.UnsyncedIndex(storage.Options{Dir: dir, Files: bad.Files}))
				if corrupt, ok := errors.AsType[*storage.CorruptError](err); ok {
					if got := len(bad.Bytes(storage.LogName)); got != size {
						w.fatalf("bit %d: refused, but cut from %d to %d", bit, size, got)
					}
					if corrupt.Position > uint64(bit/8) && corrupt.Position != uint64(size) { //nolint:gosec // not negative
						w.fatalf("bit %d: the damage in byte %d is reported at %d", bit, bit/8, corrupt.Position)
					}
					continue
				}
				if err != nil {
					w.fatalf("bit %d: %v", bit, err)
				}
				if damaged := w.readAll(s); damaged != 1 {
					w.fatalf("bit %d of byte %d: %d events are damaged", bit, bit/8, damaged)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestRotInTheNote flips bits in the file that says what was acknowledged. That is never worse than not having it.
func TestRotInTheNote(t *testing.T) {
	t.Parallel()
	w := filled(t, 1)
	for range 100 {
		bit := (w.rng.IntN(2)*512 + w.rng.IntN(36)) * 8 // the two slots
		bit += w.rng.IntN(8)
		bad := w.disk.Clone(uint64(bit)) //nolint:gosec // not negative
		bad.Rot(storage.AckedName, bit)
		s, err := storage.Open(storage.UnsyncedIndex(storage.Options{Dir: w.dir, Files: bad.Files}))
		if err != nil {
			t.Fatalf("bit %d: %v", bit, err)
		}
		if n := w.readAll(s); n != 0 {
			t.Fatalf("bit %d: %d events are damaged", bit, n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVerifyOfADamagedIndexEnds has pages of the index zeroed, and the file cut short. Verify says what it finds; it does not panic.
func TestVerifyOfADamagedIndexEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, stop := open(t, storage.Options{Dir: dir, NoSync: true, FlushEvents: 50})
	for i := range 500 {
		put(t, s, strconv.Itoa(i), "noted", "x", "y")
	}
	stop()
	path := filepath.Join(dir, "index.db")
	index, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for page := 2 * 4096; page < len(index); page += 4096 { // behind bbolt's own headers
		zeroed := slices.Clone(index)
		clear(zeroed[page : page+4096])
		for _, bad := range [][]byte{zeroed, index[:page]} {
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := storage.Verify(t.Context(), dir, nil)
			if _, ok := errors.AsType[*storage.IndexError](err); ok {
				named++
			}
		}
	}
	if named == 0 {
		t.Error("no damage was named")
	}
}

// TestRotInTheIndex flips bits and zeroes pages of the index. The store opens, built anew or not, and what it answers
// is right, or an error that names the index or a position.
func TestRotInTheIndex(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			w := filled(t, seed)
			path := filepath.Join(w.dir, "index.db")
			index, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for range 30 {
				w.rotIndex(path, index)
			}
		})
	}
}

func (w *world) rotIndex(path string, index []byte) {
	w.tb.Helper()
	bad := slices.Clone(index)
	switch page := w.rng.IntN(len(bad)/4096) * 4096; w.rng.IntN(4) {
	case 0:
		clear(bad[page : page+4096])
	case 1:
		from := w.rng.IntN(len(bad)/4096) * 4096
		copy(bad[page:page+4096], bad[from:from+4096])
	case 2:
		bad = bad[:page]
	default:
		for range 1 + w.rng.IntN(8) {
			bad[w.rng.IntN(len(bad))] ^= 1 << w.rng.IntN(8)
		}
	}
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		w.tb.Fatal(err)
	}
	s, err := storage.Open(storage.UnsyncedIndex(storage.Options{Dir: w.dir, Files: w.disk.Files}))
	if err != nil {
		w.fatalf("open: %v", err)
	}
	defer s.Close() //nolint:errcheck // the index is damaged
	if n := w.readAll(s); n != 0 {
		w.fatalf("%d events are damaged", n)
	}
	ends := map[string]int64{}
	for _, e := range w.events {
		ends[e.stream] = -1
	}
	for pos := range w.at {
		r, err := s.Reader().At(pos)
		if err != nil {
			w.fatalf("read: %v", err)
		}
		name := string(r.Stream)
		ends[name] = max(ends[name], r.Revision)
		at, err := s.Positions(name, r.Revision, 1, false)
		if err != nil {
			if _, ok := errors.AsType[*storage.IndexError](err); !ok {
				w.fatalf("positions: %v", err)
			}
			return
		}
		if len(at) != 1 {
			w.fatalf("%s has no revision %d", name, r.Revision)
		}
		if got, err := s.At(s.Reader(), at[0], name, r.Revision); err == nil && got.ID != r.ID {
			w.fatalf("%s has another event at revision %d", name, r.Revision)
		}
	}
	for name, last := range ends {
		if info, err := s.Stream(name); err == nil && info.Last != last {
			w.fatalf("%s ends at %d, not at %d", name, info.Last, last)
		}
	}
}
