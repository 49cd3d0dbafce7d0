package localpgtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercare/deploy/localpg/localpgtest"
)

const childEnv = "LOCALPGTEST_CHILD"

func TestDatabasesAreSeparate(t *testing.T) {
	t.Parallel()
	first, second := localpgtest.URL(t), localpgtest.URL(t)
	query(t, first, "CREATE TABLE mine (n int)")
	if got := query(t, second, "SELECT coalesce(to_regclass('mine')::text, 'none')"); got != "none" {
		t.Errorf("another test's table is there: %s", got)
	}
}

func TestADatabaseGoesWithItsTest(t *testing.T) {
	t.Parallel()
	lasting := localpgtest.URL(t)
	var name string
	t.Run("a test", func(t *testing.T) {
		name = query(t, localpgtest.URL(t), "SELECT current_database()")
	})
	if got := query(t, lasting, "SELECT count(*)::text FROM pg_database WHERE datname = '"+name+"'"); got != "0" {
		t.Errorf("the database %s stays behind", name)
	}
}

// TestChild hangs with a cluster until it is killed. The test below runs it.
func TestChild(t *testing.T) {
	t.Parallel()
	if os.Getenv(childEnv) == "" {
		t.Skip("run by TestTheClusterGoesWithAKilledProcess")
	}
	fmt.Fprintln(os.Stderr, query(t, localpgtest.URL(t), "SELECT 'folder ' || current_setting('data_directory')"))
	<-t.Context().Done()
}

func TestTheClusterGoesWithAKilledProcess(t *testing.T) {
	t.Parallel()
	if os.Getenv(localpgtest.ServerEnv) != "" {
		t.Skip("the tests run on a server that somebody else started")
	}
	localpgtest.URL(t) // skips where there is no Postgres and it may
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self, "-test.run=^TestChild$") //nolint:gosec // G204: it is this program
	child.Env = append(os.Environ(), childEnv+"=1")
	out, err := child.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	folder, found := "", false
	for !found && lines.Scan() {
		folder, found = strings.CutPrefix(lines.Text(), "folder ")
	}
	if _, err := os.Stat(folder); err != nil {
		t.Fatal("the child made no cluster:", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*exec.ExitError](child.Wait()); !ok {
		t.Fatal("the child was not killed")
	}
	awaitGone(t, folder)
}

func awaitGone(tb testing.TB, path string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatal("still there:", path)
		}
	}
}

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
	if len(results[0].Rows) == 0 {
		return ""
	}
	return string(results[0].Rows[0][0])
}
