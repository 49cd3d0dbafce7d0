package keyring_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/commands/keyring"
	"aftercare/deploy/localpg/localpgtest"
	"aftercare/domain"
	"aftercare/domain/seal"
)

// fixture is a database and what is needed to open rings on it.
type fixture struct {
	pool    *pgxpool.Pool
	wrapper keyring.Wrapper

	mu  sync.Mutex
	now time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), localpgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	wrapper, err := keyring.LocalKeyset(filepath.Join(t.TempDir(), "keys", "keyset.json"))
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{pool: pool, wrapper: wrapper, now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fixture) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

func (f *fixture) options() keyring.Options {
	return keyring.Options{Pool: f.pool, Wrapper: f.wrapper, Now: f.clock}
}

func (f *fixture) open(t *testing.T) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Open(t.Context(), f.options())
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func mustSeal(t *testing.T, r *keyring.Ring, subject seal.Subject, plain string) []byte {
	t.Helper()
	sealed, err := r.Seal(t.Context(), subject, []byte(plain), []byte("here"))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func wantOpen(t *testing.T, r *keyring.Ring, subject seal.Subject, sealed []byte, want string) {
	t.Helper()
	plain, err := r.Open(t.Context(), subject, sealed, []byte("here"))
	if err != nil || string(plain) != want {
		t.Errorf("opened %q, %v; want %q", plain, err, want)
	}
}

func wantError(t *testing.T, r *keyring.Ring, subject seal.Subject, sealed []byte, want error) {
	t.Helper()
	if plain, err := r.Open(t.Context(), subject, sealed, []byte("here")); !errors.Is(err, want) {
		t.Errorf("opened %q, %v; want %v", plain, err, want)
	}
}

func TestASealedTextOpensInEveryProcess(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	one, two := f.open(t), f.open(t)
	sealed := mustSeal(t, one, "p1", "Dana Fox 客户")
	wantOpen(t, one, "p1", sealed, "Dana Fox 客户")
	wantOpen(t, two, "p1", sealed, "Dana Fox 客户")
	wantOpen(t, one, "p1", mustSeal(t, two, "p1", "again"), "again")
	if bytes.Contains(sealed, []byte("Dana")) || bytes.Equal(sealed, mustSeal(t, one, "p1", "Dana Fox 客户")) {
		t.Error("the text is in clear, or the same twice")
	}
	if !bytes.Equal(one.HashKey(), two.HashKey()) || len(one.HashKey()) != 32 {
		t.Errorf("hash keys of %d and %d bytes differ", len(one.HashKey()), len(two.HashKey()))
	}
}

func TestASealedTextOpensOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	ring := newFixture(t).open(t)
	sealed := mustSeal(t, ring, "p1", "text")
	mustSeal(t, ring, "p2", "text")
	if _, err := ring.Open(t.Context(), "p1", sealed, []byte("elsewhere")); err == nil {
		t.Error("opened at another place")
	}
	if _, err := ring.Open(t.Context(), "p2", sealed, []byte("here")); err == nil {
		t.Error("opened with another person's key")
	}
	for name, damaged := range map[string][]byte{"empty": {}, "other format": append([]byte{2}, sealed[1:]...), "cut": sealed[:len(sealed)-1]} {
		if _, err := ring.Open(t.Context(), "p1", damaged, []byte("here")); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestForgetting(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ring, other := f.open(t), f.open(t)
	sealed, kept := mustSeal(t, ring, "p1", "text"), mustSeal(t, ring, "p2", "kept")
	wantOpen(t, other, "p1", sealed, "text")
	for range 2 {
		if err := ring.Forget(t.Context(), "p1"); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, ring, "p1", sealed, seal.ErrForgotten)
	if _, err := ring.Seal(t.Context(), "p1", []byte("new"), nil); !errors.Is(err, seal.ErrForgotten) {
		t.Errorf("seal after forgetting: %v", err)
	}
	if err := ring.Prepare(t.Context(), []seal.Subject{"p1", "p2"}); err != nil {
		t.Errorf("prepare: %v", err)
	}
	wantError(t, ring, "p1", sealed, seal.ErrForgotten)
	wantError(t, f.open(t), "p1", sealed, seal.ErrForgotten)
	wantOpen(t, ring, "p2", kept, "kept")

	f.pass(31 * time.Second) // longer than another process may go on
	wantError(t, other, "p1", sealed, seal.ErrForgotten)
	if _, err := other.Seal(t.Context(), "p1", []byte("new"), nil); !errors.Is(err, seal.ErrForgotten) {
		t.Errorf("seal after forgetting, elsewhere: %v", err)
	}
	var left int
	err := f.pool.QueryRow(t.Context(), "select count(*) from keyring.data_key where subject = 'p1' and wrapped is not null").Scan(&left)
	if err != nil || left != 0 {
		t.Errorf("%d keys left in the database, %v", left, err)
	}
}

func TestForgettingSomebodyUnknown(t *testing.T) {
	t.Parallel()
	ring := newFixture(t).open(t)
	sealed := mustSeal(t, ring, "p1", "text")
	wantError(t, ring, "p2", sealed, keyring.ErrNoKey)
	wantError(t, ring, "", sealed, keyring.ErrNoSubject)
	if err := ring.Forget(t.Context(), "p2"); err != nil {
		t.Fatal(err)
	}
	wantError(t, ring, "p2", sealed, seal.ErrForgotten)
	if _, err := ring.Seal(t.Context(), "", []byte("x"), nil); !errors.Is(err, keyring.ErrNoSubject) {
		t.Errorf("a text of nobody: %v", err)
	}
}

func TestConcurrentProcessesMakeOneKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const processes, people = 6, 40
	rings := make([]*keyring.Ring, processes)
	sealed := make([][][]byte, processes)
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() { // opening races, too
			ring, err := keyring.Open(t.Context(), f.options())
			if err != nil {
				t.Errorf("open: %v", err)
				return
			}
			rings[i] = ring
			subjects := make([]seal.Subject, people)
			for p := range subjects {
				subjects[p] = person((p*7 + i) % people) // each in an order of its own
			}
			if i%2 == 0 {
				if err := ring.Prepare(t.Context(), append(subjects, subjects...)); err != nil {
					t.Errorf("prepare: %v", err)
				}
			}
			for p := range people {
				text, err := ring.Seal(t.Context(), person(p), []byte("text"), []byte("here"))
				if err != nil {
					t.Errorf("seal: %v", err)
				}
				sealed[i] = append(sealed[i], text)
			}
		})
	}
	wg.Wait()
	for i := range rings {
		for p := range people {
			wantOpen(t, rings[(i+1)%processes], person(p), sealed[i][p], "text")
		}
	}
}

func person(n int) seal.Subject { return seal.Subject(fmt.Sprintf("p%d", n)) }

func TestAPreparedRingNeedsNoDatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ring := f.open(t)
	subjects := make([]seal.Subject, 5000)
	for i := range subjects {
		subjects[i] = person(i)
	}
	if err := ring.Prepare(t.Context(), subjects); err != nil {
		t.Fatal(err)
	}
	reader := f.open(t)
	if err := reader.Load(t.Context(), append(subjects, "unknown")); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range subjects {
		sealed, err := ring.Seal(gone, s, []byte("text"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Open(gone, s, sealed, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWithoutItsDatabaseARingMayBeAskedAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var down atomic.Bool
	config := f.pool.Config()
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if down.Load() {
			return nil, syscall.ECONNREFUSED
		}
		return dial(ctx, network, address)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	o := f.options()
	o.Pool = pool
	ring, err := keyring.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	sealed := mustSeal(t, ring, "known", "text")

	down.Store(true)
	pool.Reset()
	wantOpen(t, ring, "known", sealed, "text")
	again := domain.Refuse(domain.Unavailable, "keyring.unavailable")
	if _, err := ring.Seal(t.Context(), "new", []byte("text"), nil); !errors.Is(err, again) {
		t.Errorf("seal: %v, want %v", err, again)
	}
	if err := ring.Forget(t.Context(), "known"); !errors.Is(err, again) {
		t.Errorf("forget: %v, want %v", err, again)
	}
	down.Store(false)
	mustSeal(t, ring, "new", "text")
}

func TestTheCacheIsBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o := f.options()
	o.CacheSize = 3
	ring, err := keyring.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		mustSeal(t, ring, person(i), "text")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 5 {
		_, err := ring.Seal(gone, person(i), []byte("text"), nil)
		if atHand := i >= 2; (err == nil) != atHand {
			t.Errorf("person %d: %v, want at hand %v", i, err, atHand)
		}
	}
}

func TestAnotherKeysetOpensNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.open(t)
	other, err := keyring.LocalKeyset(filepath.Join(t.TempDir(), "keyset.json"))
	if err != nil {
		t.Fatal(err)
	}
	o := f.options()
	o.Wrapper = other
	if _, err := keyring.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "key-encryption key") {
		t.Errorf("got %v, want a refusal that names the key-encryption key", err)
	}
}

func TestLocalKeyset(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "keyset.json")
	var wg sync.WaitGroup
	wrappers := make([]keyring.Wrapper, 8)
	for i := range wrappers {
		wg.Go(func() {
			var err error
			if wrappers[i], err = keyring.LocalKeyset(path); err != nil {
				t.Errorf("made at once by several: %v", err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	wrapped, err := wrappers[0].EncryptWithContext(t.Context(), []byte("key"), []byte("for"))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrappers {
		if plain, err := w.DecryptWithContext(t.Context(), wrapped, []byte("for")); err != nil || string(plain) != "key" {
			t.Errorf("unwrapped %q, %v", plain, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".keyset-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Chmod(path, 0o640); err != nil { //nolint:gosec // what the test is about
		t.Fatal(err)
	}
	if _, err := keyring.LocalKeyset(path); err == nil {
		t.Error("a keyset that others may read was taken")
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte("{"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.LocalKeyset(path); err == nil {
		t.Error("a damaged keyset was taken")
	}
}
