package localpg_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercare/deploy/localpg"
)

const childEnv = "LOCALPG_TEST_CHILD"

// TestMain makes the test binary start a cluster and hang, for the tests that kill it.
func TestMain(m *testing.M) {
	dir := os.Getenv(childEnv)
	if dir == "" {
		m.Run()
		return
	}
	cluster, err := localpg.Start(context.Background(), localpg.Options{Dir: dir, Fast: true})
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stdout, cluster.URL())
	<-cluster.Done()
}

// folder returns a new folder that the server's user can reach, also when we are root, unlike that of t.TempDir.
func folder(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "localpg-test-") //nolint:usetesting // see above
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // G302: see above
		tb.Fatal(err)
	}
	return dir
}

// start starts a cluster that is stopped when the test ends.
func start(tb testing.TB, o localpg.Options) *localpg.Cluster {
	tb.Helper()
	o.Fast = true
	cluster, err := localpg.Start(tb.Context(), o)
	var missing *localpg.NotFoundError
	if errors.As(err, &missing) && testing.Short() {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { stop(tb, cluster) })
	return cluster
}

func stop(tb testing.TB, cluster *localpg.Cluster) {
	tb.Helper()
	if err := cluster.Stop(context.Background()); err != nil {
		tb.Error(err)
	}
}

// query runs a statement and returns the first column of its first row.
func query(tb testing.TB, url, statement string) string {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(context.Background()) //nolint:errcheck // nothing is lost with it
	results, err := conn.PgConn().Exec(tb.Context(), statement).ReadAll()
	if err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
	last := results[len(results)-1]
	if len(last.Rows) == 0 {
		return ""
	}
	return string(last.Rows[0][0])
}

// child runs a cluster in a process of its own, in a process group of its own.
func child(tb testing.TB, dir string) (cmd *exec.Cmd, url string) {
	tb.Helper()
	cmd, lines := launch(tb, dir)
	if !lines.Scan() {
		tb.Fatal("the child did not start:", lines.Err())
	}
	return cmd, lines.Text()
}

func launch(tb testing.TB, dir string) (*exec.Cmd, *bufio.Scanner) {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(tb.Context(), self) //nolint:gosec // G204: it is this program
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// killGroup kills the whole process group of a child.
func killGroup(tb testing.TB, cmd *exec.Cmd) {
	tb.Helper()
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		tb.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		tb.Fatal("the child was not killed:", err)
	}
}

func postmaster(tb testing.TB, dir string) int {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "cluster", "postmaster.pid"))
	if err != nil {
		tb.Fatal(err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		tb.Fatal(err)
	}
	return pid
}

// eventually waits until a condition that another process brings about holds.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatal("waited in vain until", what)
		}
	}
}
