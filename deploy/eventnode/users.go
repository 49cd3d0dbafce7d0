package eventnode

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// usersPause is how often at most the file of users is looked at.
const usersPause = time.Second

// users knows who may call. Verifying a password takes bcrypt tens of milliseconds on purpose, so a password that was
// right is known again by a keyed hash of it, as long as the user stays as it is.
type users struct {
	path      string // "" when they cannot change
	now       func() time.Time
	logger    *slog.Logger
	key       [sha256.Size]byte
	comparing chan struct{} // bounds how many processors bcrypt gets
	list      atomic.Pointer[userList]

	turns struct {
		sync.Mutex
		of map[string]*turn // by address
	}

	mu      sync.Mutex // of a look at the file
	checked time.Time
	stamp   fileStamp
}

type userList struct {
	byName map[string]*user
	decoy  []byte // compared for names that are not there, so that they take as long
}

type user struct {
	hash     []byte
	verified atomic.Pointer[[sha256.Size]byte] // of the password that was right
}

// turn is had by one call of an address at a time.
type turn struct {
	had   chan struct{}
	calls int // that have it or wait for it
}

// newUsers returns the users that o names, or nil when everybody may call.
func newUsers(o Options) (*users, error) {
	if o.UsersFile == "" && o.Users == nil {
		return nil, nil //nolint:nilnil // everybody
	}
	if o.UsersFile != "" && o.Users != nil {
		return nil, errors.New("the users are given twice: in a file and in a map")
	}
	u := &users{path: o.UsersFile, now: o.Now, logger: o.Logger, comparing: make(chan struct{}, max(1, runtime.NumCPU()/2))}
	u.turns.of = map[string]*turn{}
	_, _ = rand.Read(u.key[:]) // never fails
	if u.path != "" {
		return u, u.load()
	}
	hashes := map[string][]byte{}
	for name, hash := range o.Users {
		hashes[name] = []byte(hash)
	}
	return u, u.set(hashes)
}

// set replaces all users.
func (u *users) set(hashes map[string][]byte) error {
	if len(hashes) == 0 {
		return errors.New("there are no users")
	}
	list := &userList{byName: map[string]*user{}}
	costliest := 0
	for name, hash := range hashes {
		cost, err := bcrypt.Cost(hash)
		if err != nil {
			return fmt.Errorf("user %q: not a bcrypt hash: %w", name, err)
		}
		if cost > costliest {
			costliest, list.decoy = cost, hash
		}
		list.byName[name] = &user{hash: hash}
	}
	u.list.Store(list)
	return nil
}

// load reads the file of users.
func (u *users) load() error {
	stamp, err := stampOf(u.path)
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	u.stamp = stamp
	content, err := os.ReadFile(u.path)
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	hashes := map[string][]byte{}
	for i, line := range bytes.Split(content, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		name, hash, ok := bytes.Cut(line, []byte(":"))
		if !ok || len(name) == 0 || !strings.HasPrefix(string(hash), "$2") {
			return fmt.Errorf("users: %s:%d: want NAME:HASH with a bcrypt hash, as of htpasswd -B", u.path, i+1)
		}
		hashes[string(name)] = bytes.Clone(hash)
	}
	if err := u.set(hashes); err != nil {
		return fmt.Errorf("users: %s: %w", u.path, err)
	}
	return nil
}

// refresh reads the file again if it changed. Users that cannot be read stay as they are.
func (u *users) refresh() {
	if u.path == "" || !u.mu.TryLock() {
		return
	}
	defer u.mu.Unlock()
	now := u.now()
	if age := now.Sub(u.checked); age >= 0 && age < usersPause {
		return
	}
	u.checked = now
	if stamp, err := stampOf(u.path); err == nil && stamp == u.stamp {
		return
	}
	if err := u.load(); err != nil {
		u.logger.Error("users not read again, the ones known stay", "error", err)
	}
}

// verify reports whether the password is that of the user, for a caller at an address. It fails only when ctx ends.
func (u *users) verify(ctx context.Context, from, name, password string) (bool, error) {
	u.refresh()
	list := u.list.Load()
	known := list.byName[name]
	mac := hmac.New(sha256.New, u.key[:])
	mac.Write([]byte(password))
	sum := [sha256.Size]byte(mac.Sum(nil))
	if known.knows(&sum) {
		return true, nil
	}
	done, err := u.wait(ctx, from)
	if err != nil {
		return false, err
	}
	defer done()
	if known.knows(&sum) { // while this call waited
		return true, nil
	}
	if known == nil {
		_ = bcrypt.CompareHashAndPassword(list.decoy, []byte(password))
		return false, nil
	}
	if bcrypt.CompareHashAndPassword(known.hash, []byte(password)) != nil {
		return false, nil
	}
	known.verified.Store(&sum)
	return true, nil
}

// wait waits until the caller may compare. Of each address one call at a time stands in line for that, so that whoever tries
// many passwords holds up nobody elsewhere.
func (u *users) wait(ctx context.Context, from string) (done func(), err error) {
	host, _, err := net.SplitHostPort(from)
	if err != nil {
		host = from
	}
	u.turns.Lock()
	t := u.turns.of[host]
	if t == nil {
		t = &turn{had: make(chan struct{}, 1)}
		u.turns.of[host] = t
	}
	t.calls++
	u.turns.Unlock()
	leave := func() {
		u.turns.Lock()
		defer u.turns.Unlock()
		if t.calls--; t.calls == 0 {
			delete(u.turns.of, host)
		}
	}
	select {
	case t.had <- struct{}{}:
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
	select {
	case u.comparing <- struct{}{}:
	case <-ctx.Done():
		<-t.had
		leave()
		return nil, ctx.Err()
	}
	return func() {
		<-u.comparing
		<-t.had
		leave()
	}, nil
}

// knows reports whether sum is that of the password found right before. It does not for no user.
func (u *user) knows(sum *[sha256.Size]byte) bool {
	if u == nil {
		return false
	}
	v := u.verified.Load()
	return v != nil && hmac.Equal(v[:], sum[:])
}
