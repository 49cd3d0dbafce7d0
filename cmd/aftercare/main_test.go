package main_test

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// root is the folder of everything that the tests of the program leave on disk. It goes with the test process.
var root string

func TestMain(m *testing.M) {
	end, err := makeRoot()
	if err != nil {
		fmt.Fprintln(os.Stderr, "prepare tests of the program:", err)
		os.Exit(1) //nolint:forbidigo // this is a main
	}
	code := m.Run()
	end()
	os.Exit(code) //nolint:forbidigo // see above
}

//go:embed testdata/watchdog.sh
var watchdog string

// makeRoot makes the folder, and a script that ends all processes and removes the folder when this process ends, by kill -9 or a
// timeout too.
func makeRoot() (end func(), err error) {
	if root, err = os.MkdirTemp("", "aftercare-program-"); err != nil {
		return nil, err
	}
	// Where the tests run as root, Postgres runs as another user, who must get through.
	if err := errors.Join(os.Chmod(root, 0o711), os.Mkdir(filepath.Join(root, "groups"), 0o700)); err != nil { //nolint:gosec // G302: so that it gets through
		return nil, err
	}
	read, lifeline, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(context.Background(), "sh", "-c", watchdog, "watchdog", root) //nolint:gosec // G204: the script is embedded
	cmd.Stdin = read
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := errors.Join(cmd.Start(), read.Close()); err != nil {
		return nil, err
	}
	return func() {
		_ = lifeline.Close()
		_ = cmd.Wait()
	}, nil
}

// binary builds the program once, without the race detector: the tests look at it from outside.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(root, "bin", "aftercare")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-buildvcs=false", "-o", path, ".") //nolint:gosec // G204: the path is ours
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, os.Chmod(filepath.Dir(path), 0o755) //nolint:gosec // G302: as for root
})
