package eventnode_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"aftercare/deploy/eventnode/storage"
)

// rot copies what the killed node left, flips bits of the log in the copy and opens that. Either this fails and says where, or
// every event ever read is there or named as damaged.
func (k *killer) rot(tb testing.TB) {
	tb.Helper()
	log, err := os.ReadFile(filepath.Join(k.dir, storage.LogName))
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	for range 1 + k.rng.IntN(3) {
		from := 0
		if k.rng.IntN(2) == 0 {
			from = max(0, len(log)-5000)
		}
		log[from+k.rng.IntN(len(log)-from)] ^= 1 << k.rng.IntN(8)
	}
	copies := map[string][]byte{storage.LogName: log}
	names := []string{storage.AckedName, "index.db"}
	for _, name := range names[:1+k.rng.IntN(2)] { // with the index or without
		if copies[name], err = os.ReadFile(filepath.Join(k.dir, name)); err != nil {
			tb.Fatal(err)
		}
	}
	for name, b := range copies {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	k.rotted++
	s, err := storage.Open(storage.Options{Dir: dir, NoSync: true})
	var corrupt *storage.CorruptError
	if errors.As(err, &corrupt) {
		k.refused++
		return
	}
	if err != nil {
		tb.Errorf("open a damaged copy: %v", err)
		return
	}
	defer s.Close() //nolint:errcheck // thrown away
	rd := s.Reader()
	for position, f := range k.history.facts {
		r, err := rd.At(position)
		switch {
		case errors.As(err, &corrupt) && position < s.End():
		case err != nil:
			tb.Errorf("%v at %d of %d in a damaged copy: %v", f, position, s.End(), err)
			return
		case r.ID != f.id || string(r.Stream) != f.stream || r.Revision != f.revision:
			tb.Errorf("%v at %d became %v in a damaged copy", f, position, r)
			return
		}
	}
}
