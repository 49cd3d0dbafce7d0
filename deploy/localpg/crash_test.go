package localpg_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"aftercare/deploy/localpg"
)

func TestAKilledServerComesBack(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	// A test's cluster may lose its last commits, one in use may not.
	first := start(t, localpg.Options{Dir: dir, Settings: map[string]string{"synchronous_commit": "on"}})
	query(t, first.URL(), "CREATE TABLE kept AS SELECT 7 AS n")
	if err := syscall.Kill(postmaster(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.Done()
	stop(t, first)

	second := start(t, localpg.Options{Dir: dir})
	if got := query(t, second.URL(), "SELECT n FROM kept"); got != "7" {
		t.Errorf("got %q, want 7", got)
	}
}

func TestNoServerStartsBesideTheRestOfAKilledOne(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := start(t, localpg.Options{Dir: dir})
	conn, err := pgconn.Connect(t.Context(), first.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background()) //nolint:errcheck // nothing is lost with it
	backend := int(conn.PID())
	// A loop that looks neither at its postmaster nor at its client.
	result := conn.Exec(t.Context(), "DO $$ BEGIN FOR i IN 1..20000000 LOOP NULL; END LOOP; END $$")
	if err := syscall.Kill(postmaster(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.Done()
	stop(t, first)
	if !runs(backend) {
		t.Fatal("the loop ended too soon: nothing is tested")
	}

	start(t, localpg.Options{Dir: dir})
	if runs(backend) {
		t.Error("a server was started while a process of the killed one was at work")
	}
	t.Log("the loop ended with:", result.Close())
}

// runs reports whether a process runs; one that has ended and that nobody has waited for does not.
func runs(pid int) bool {
	if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil {
		return len(line) > 0
	}
	return syscall.Kill(pid, 0) == nil
}

func TestTheServerOfAKilledProgramIsTakenOver(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	program, address := child(t, dir)
	query(t, address, "CREATE TABLE kept AS SELECT 7 AS n")
	orphan := postmaster(t, dir)
	killGroup(t, program)
	query(t, address, "SELECT 1") // it lives on

	cluster := start(t, localpg.Options{Dir: dir})
	if cluster.URL() != address {
		t.Errorf("the address changed from %s to %s", address, cluster.URL())
	}
	if got := query(t, address, "SELECT n FROM kept"); got != "7" {
		t.Errorf("got %q, want 7", got)
	}
	if now := postmaster(t, dir); now == orphan {
		t.Errorf("the server is still the orphan %d", orphan)
	}
}

func TestAFolderHasOneNameHoweverItIsReached(t *testing.T) {
	t.Parallel()
	place := folder(t)
	link := filepath.Join(folder(t), "link")
	if err := os.Symlink(place, link); err != nil {
		t.Fatal(err)
	}
	program, address := child(t, link)
	query(t, address, "CREATE TABLE kept AS SELECT 7 AS n")
	killGroup(t, program)

	cluster := start(t, localpg.Options{Dir: place})
	if got := query(t, cluster.URL(), "SELECT n FROM kept"); got != "7" {
		t.Errorf("got %q, want 7", got)
	}
}

func TestAnotherServerIsNotStopped(t *testing.T) {
	t.Parallel()
	theirs, ours := folder(t), folder(t)
	running := start(t, localpg.Options{Dir: theirs})
	stop(t, start(t, localpg.Options{Dir: ours}))
	stale := strconv.Itoa(postmaster(t, theirs)) + "\n"
	if err := os.WriteFile(filepath.Join(ours, "cluster", "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	if second, err := localpg.Start(t.Context(), localpg.Options{Dir: ours, Fast: true}); err == nil {
		stop(t, second)
		t.Error("started although the pid file names a running Postgres")
	}
	query(t, running.URL(), "SELECT 1")
}

func TestAHalfMadeClusterIsMadeAgain(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	program, _ := launch(t, dir)
	eventually(t, "initdb writes", func() bool {
		made, err := filepath.Glob(filepath.Join(dir, "cluster-new-*", "cluster", "base"))
		return err == nil && len(made) > 0
	})
	killGroup(t, program)
	if _, err := os.Stat(filepath.Join(dir, "cluster")); err == nil {
		t.Fatal("the cluster was whole before the kill: nothing is tested")
	}

	cluster := start(t, localpg.Options{Dir: dir})
	query(t, cluster.URL(), "SELECT 1")
	if left, err := filepath.Glob(filepath.Join(dir, "cluster-new-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestAPidFileThatNamesAnotherProcessHarmsNobody(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := start(t, localpg.Options{Dir: dir})
	stop(t, first)
	// As after a crash of the machine, when the number has gone to somebody else: us.
	stale := strconv.Itoa(os.Getpid()) + "\n" + filepath.Join(dir, "cluster") + "\n1\n1\n\n\n"
	if err := os.WriteFile(filepath.Join(dir, "cluster", "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	second := start(t, localpg.Options{Dir: dir})
	query(t, second.URL(), "SELECT 1")
}

func TestTheClusterOfSomebodyElseIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]string{"in the folder": ".", "below it": "cluster"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, place, "PG_VERSION")
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte("15\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := localpg.Start(t.Context(), localpg.Options{Dir: dir, Fast: true})
			if _, ok := errors.AsType[*localpg.ForeignError](err); !ok {
				t.Errorf("got %v, want that it is somebody else's", err)
			}
			count := 0
			err = filepath.WalkDir(dir, func(string, os.DirEntry, error) error { count++; return nil })
			if want := 2 + min(1, len(place)-1); err != nil || count != want {
				t.Errorf("the folder now holds %d things, want %d: %v", count, want, err)
			}
		})
	}
}
