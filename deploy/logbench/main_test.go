package main_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// program builds the program and prepares to run it.
func program(tb testing.TB, args ...string) *exec.Cmd {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "logbench")
	build := exec.CommandContext(tb.Context(), "go", "build", "-o", path, ".") //nolint:gosec // G204: our own folder
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("build: %v\n%s", err, out)
	}
	return exec.CommandContext(tb.Context(), path, args...) //nolint:gosec // G204: what was just built
}

// folder returns a folder on a disk that the account of Postgres can reach, also when we are root.
func folder(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "logbench-test-") //nolint:usetesting // see above
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

func empty(tb testing.TB, dir string) {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, entry := range entries {
		tb.Errorf("left %s behind", entry.Name())
	}
}

func TestEveryContenderIsMeasured(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs Postgres")
	}
	dir, figures := folder(t), filepath.Join(t.TempDir(), "figures.json")
	cmd := program(t, "--dir", dir, "--json", figures,
		"--rounds", "2", "--duration", "30ms", "--warmup", "0s", "--writers", "1,4", "--batches", "1,3", "--read-events", "1200")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var report struct {
		Appends []struct {
			Writers    int
			Contenders map[string]struct {
				PerSecond []float64 `json:"appends_per_second"`
			}
		}
		Reads []struct {
			Node, Ceiling struct {
				PerSecond []float64 `json:"events_per_second"`
			}
		}
	}
	raw, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Appends) != 4 || len(report.Reads) != 2 {
		t.Fatalf("%d loads and %d reads, want 4 and 2", len(report.Appends), len(report.Reads))
	}
	for _, load := range report.Appends {
		for _, name := range []string{"node", "bare loop", "postgres", "no log"} {
			if got := len(load.Contenders[name].PerSecond); got != 2 {
				t.Errorf("%s with %d writers: %d rounds, want 2", name, load.Writers, got)
			}
			if !strings.Contains(string(out), name) {
				t.Errorf("the tables do not name %s:\n%s", name, out)
			}
		}
	}
	for _, read := range report.Reads {
		for _, rounds := range [][]float64{read.Node.PerSecond, read.Ceiling.PerSecond} {
			if len(rounds) != 2 || rounds[0] <= 0 {
				t.Errorf("reads of %v events/s, want two rounds", rounds)
			}
		}
	}
	empty(t, dir)
}

func TestALargeStoreIsMeasured(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	cmd := program(t, "--dir", dir, "--events", "2000", "--events-per-stream", "50")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"A store of 2000 events in 40 streams", "start to first append, after SIGKILL", "last 10 events of a stream", "events.log"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the table does not tell %q:\n%s", want, out)
		}
	}
	empty(t, dir)
}

func TestAnInterruptLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	cmd := program(t, "--dir", dir, "--duration", "1h", "--only", "node")
	cmd.WaitDelay = time.Minute
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for one := make([]byte, 1); !strings.Contains(told.String(), "round 1"); { // the load is about to begin
		if _, err := io.ReadFull(stderr, one); err != nil {
			t.Fatalf("%v after %q", err, told.String())
		}
		told.Write(one)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(stderr)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !strings.HasSuffix(string(rest), "logbench: interrupted\n") {
		t.Errorf("ended with %v, saying %q", err, rest)
	}
	empty(t, dir)
}
