package localpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func pidPath(cluster string) string { return filepath.Join(cluster, "postmaster.pid") }

// stopOrphan stops a server that a killed process left running on this cluster, and removes a pid file that nobody owns any
// more: Postgres would refuse to start when its number now belongs to something else.
func stopOrphan(ctx context.Context, o Options, cluster string) error {
	pid, err := postmaster(cluster)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !serves(ctx, pid, cluster) {
		return os.Remove(pidPath(cluster))
	}
	o.logger().InfoContext(ctx, "stopping the server that an earlier process left running", "pid", pid)
	// "fast", and "immediate" when that takes too long: the next start then recovers.
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop the server with process id %d: %w", pid, err)
		}
		if awaitEnd(ctx, pid, cluster) {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("the server with process id %d, left running by an earlier process, does not stop", pid)
}

func awaitEnd(ctx context.Context, pid int, cluster string) bool {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	for serves(ctx, pid, cluster) {
		if pause(ctx, 20*time.Millisecond) != nil {
			return false
		}
	}
	return true
}

// postmaster reads the process id in the pid file of a cluster.
func postmaster(cluster string) (int, error) {
	raw, err := os.ReadFile(pidPath(cluster))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	if pid, err := strconv.Atoi(strings.TrimSpace(first)); err == nil && pid > 1 {
		return pid, nil
	}
	return 0, nil // cut short by a crash: it names nobody
}

// serves reports whether the process is a server that was started on this cluster. A number alone does not tell: after a crash of
// the machine it may be anybody's. A zombie has no command line and serves nothing.
func serves(ctx context.Context, pid int, cluster string) bool {
	if pid == 0 {
		return false
	}
	if _, err := os.Stat("/proc/self/cmdline"); err == nil {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return err == nil && bytes.Contains(line, []byte("\x00-D\x00"+cluster+"\x00"))
	}
	line, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "args=", "-p", strconv.Itoa(pid)).Output() //nolint:gosec // G204: the argument is a number
	return err == nil && bytes.Contains(line, []byte(" -D "+cluster+" "))
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
