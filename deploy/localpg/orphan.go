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

// claim makes sure that no server runs on the cluster in home, and returns the lock that the next one is to inherit.
//
// Every process of a server holds that lock. A killed postmaster's children go on for a moment, and Postgres alone keeps a
// second server from starting beside them only by the pid file, which has to go when its number belongs to something else by now.
func claim(ctx context.Context, o Options, home string) (*os.File, error) {
	cluster := clusterPath(home)
	if err := stopOrphan(ctx, o, cluster); err != nil {
		return nil, err
	}
	held, err := awaitLock(ctx, home)
	if err != nil {
		return nil, err
	}
	// A killed server nobody waited for still counts as running for Postgres, and so may anybody with its number: whoever holds the
	// lock knows better. That goes for the lock of its socket too.
	left, err := filepath.Glob(filepath.Join(home, "run", ".s.PGSQL.*"))
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	for _, path := range append(left, pidPath(cluster)) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(err, held.Close())
		}
	}
	return held, nil
}

// awaitLock waits for the last process of an earlier server.
func awaitLock(ctx context.Context, home string) (*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	for {
		held, err := lock(home, "server.lock")
		if _, busy := errors.AsType[*BusyError](err); !busy {
			return held, err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return nil, fmt.Errorf("wait for the end of the processes of a killed server: %w", err)
		}
	}
}

// stopOrphan stops the server that a killed process left running on this cluster.
func stopOrphan(ctx context.Context, o Options, cluster string) error {
	pid, err := postmaster(cluster)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	line := commandLine(ctx, pid)
	if !onCluster(line, cluster) {
		// To start a second server on the same files would ruin them: in doubt, don't.
		if strings.Contains(line, "postgres") {
			return fmt.Errorf("%s names process %d, which is another Postgres; when that is not using %s, remove the file",
				pidPath(cluster), pid, cluster)
		}
		return nil
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
	for onCluster(commandLine(ctx, pid), cluster) {
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

// onCluster reports whether a command line is that of a server on this cluster. A process id alone does not tell: after a crash
// of the machine the number may be anybody's.
func onCluster(line, cluster string) bool { return strings.Contains(line, " -D "+cluster+" ") }

// commandLine returns how a process was started, or nothing when it has ended, also when nobody has waited for it yet.
func commandLine(ctx context.Context, pid int) string {
	if pid == 0 {
		return ""
	}
	if _, err := os.Stat("/proc/self/cmdline"); err == nil {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			return ""
		}
		return string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
	}
	line, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "args=", "-p", strconv.Itoa(pid)).Output() //nolint:gosec // G204: the argument is a number
	if err != nil {
		return ""
	}
	return string(line)
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
