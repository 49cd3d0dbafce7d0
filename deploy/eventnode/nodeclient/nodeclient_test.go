// Package nodeclient_test uses the node through the Node.js client, which shares no code with ours.
package nodeclient_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"aftercare/deploy/eventnode"
)

// steps is what client.js does, in its order.
var steps = []string{
	"append alone", "append in batches", "append in parts", "append again",
	"wrong expected version, in batches", "wrong expected version, alone", "wrong expected version, as a result", "append too much",
	"read a stream", "read all", "subscribe to a stream", "subscribe to all, filtered", "metadata", "delete", "tombstone",
	"persistent subscription",
}

// TestNodeClient runs client.js. It is skipped where Node.js is missing, and where its packages cannot be had, but
// for the latter only outside of CI.
func TestNodeClient(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("Node.js and its packages are not for short tests")
	}
	node := program(t, "node")
	modules := install(t, program(t, "npm"))
	n, err := eventnode.Open(eventnode.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- n.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	}()
	limit, end := context.WithTimeout(t.Context(), 2*time.Minute)
	defer end()
	cmd := exec.CommandContext(limit, node, "client.js", n.URL()) //nolint:gosec // the program that PATH names
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%v: %s", err, complaints.String())
	}
	lines := json.NewDecoder(bytes.NewReader(out))
	for _, want := range steps { //nolint:paralleltest // they are done already
		var line struct{ Step, Error string }
		if err := lines.Decode(&line); err != nil || line.Step != want {
			t.Fatalf("got step %q and %v, want %q\n%s\n%s", line.Step, err, want, out, complaints.String())
		}
		t.Run(want, func(t *testing.T) {
			if line.Error != "" {
				t.Error(line.Error)
			}
		})
	}
	if lines.More() {
		t.Errorf("there are more steps than %d:\n%s", len(steps), out)
	}
}

func program(tb testing.TB, name string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		tb.Skipf("%s is not installed", name)
	}
	return path
}

// install returns the folder of the packages that package-lock.json names. They are installed once, beside the other
// caches of the user.
func install(tb testing.TB, npm string) string {
	tb.Helper()
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		tb.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = tb.TempDir()
	}
	sum := sha256.Sum256(lock)
	parent := filepath.Join(cache, "aftercare")
	done := filepath.Join(parent, "nodeclient-"+hex.EncodeToString(sum[:8]))
	modules := filepath.Join(done, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		tb.Fatal(err)
	}
	work, err := os.MkdirTemp(parent, "nodeclient-") //nolint:usetesting // it is renamed within its file system
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := npmCI(tb, npm, work); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal(err)
		}
		tb.Skip(err)
	}
	// Another run may have been faster, and its packages are the same.
	if err := os.Rename(work, done); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, missing := os.Stat(modules); missing != nil {
			tb.Fatal(err)
		}
	}
	return modules
}

// npmCI installs into dir and fails if the packages cannot be had.
func npmCI(tb testing.TB, npm, dir string) error {
	tb.Helper()
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the packages of the Node.js client cannot be installed: %w\n%s", err, out)
	}
	return nil
}
