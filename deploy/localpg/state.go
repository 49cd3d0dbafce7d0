package localpg

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// state is what a folder remembers of its cluster.
type state struct {
	Port     int    `json:"port"`
	Password string `json:"password"`
	// Home is where the server's files are when the server's user cannot reach the folder itself.
	Home string `json:"home,omitempty"`
}

func statePath(dir string) string   { return filepath.Join(dir, "localpg.json") }
func clusterPath(dir string) string { return filepath.Join(dir, "cluster") }

// loadState reads the state of a folder. It returns a new one for a folder that has none, unless another's cluster is there.
func loadState(dir string) (state, error) {
	raw, err := os.ReadFile(statePath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		for _, path := range []string{filepath.Join(dir, "PG_VERSION"), clusterPath(dir)} {
			if _, err := os.Lstat(path); err == nil {
				return state{}, &ForeignError{Dir: dir, Found: path}
			}
		}
		return state{Password: rand.Text()}, nil
	}
	if err != nil {
		return state{}, err
	}
	var s state
	if err := json.Unmarshal(raw, &s); err != nil {
		return state{}, fmt.Errorf("read %s: %w", statePath(dir), err)
	}
	return s, nil
}

// save replaces the state of a folder, or changes nothing.
func (s state) save(dir string) error {
	raw, err := json.MarshalIndent(s, "", "  ") //nolint:gosec // G117: the password is stored for the next start, in a file of mode 0600
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, "localpg-*.json")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) //nolint:errcheck // it is gone when all went well
	if _, err = file.Write(append(raw, '\n')); err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), statePath(dir))
}

// ForeignError refuses a folder that holds a cluster made by somebody else.
type ForeignError struct{ Dir, Found string }

func (e *ForeignError) Error() string {
	return fmt.Sprintf("the folder %s holds a Postgres cluster of somebody else (%s) and is left alone; choose another folder", e.Dir, e.Found)
}

// BusyError refuses a folder whose cluster another running process uses.
type BusyError struct{ Dir string }

func (e *BusyError) Error() string {
	return "another process is using the Postgres cluster in " + e.Dir
}

// lock takes a folder for all who hold the file: this process, and those that inherit it, until each has closed it or ended.
func lock(dir, name string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		closeErr := file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &BusyError{Dir: dir}
		}
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), closeErr)
	}
	return file, nil
}

// freePort returns the preferred port when nobody listens there, and else another one that is free.
func freePort(ctx context.Context, preferred int) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(preferred)))
	if err != nil && preferred != 0 {
		return freePort(ctx, 0)
	}
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	return port, listener.Close()
}
