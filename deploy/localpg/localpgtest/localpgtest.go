// Package localpgtest gives tests databases on a throw-away Postgres.
//
// The first test of a process that asks starts a cluster in the temporary folder; all tests of the process share it, each with
// databases of its own. A server named by AFTERCARE_TEST_POSTGRES_URL is used instead when that is set. A machine without
// Postgres fails the test, and skips it only with -short.
//
// # Design
//
// No test has to stop the cluster. A small shell script waits at the end of a pipe whose other end only the test process
// holds: however that process ends, by a panic, a timeout or kill -9, the script sees the pipe close, stops the server and
// removes its folder.
//
// A test that looks for leaked goroutines asks for a database first and then ignores those there are (goleak.IgnoreCurrent).
package localpgtest

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"aftercare/deploy/localpg"
)

// ServerEnv names the environment variable with the address of a server to use instead of a throw-away one. Its user must be
// allowed to create databases.
const ServerEnv = "AFTERCARE_TEST_POSTGRES_URL"

// URL returns the address of a new, empty database that is dropped when the test ends.
func URL(tb testing.TB) string {
	tb.Helper()
	server, err := shared()
	var missing *localpg.NotFoundError
	if errors.As(err, &missing) && testing.Short() {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	execute(tb, server.url, "CREATE DATABASE "+name)
	tb.Cleanup(func() { execute(tb, server.url, "DROP DATABASE "+name+" WITH (FORCE)") })

	address, err := url.Parse(server.url)
	if err != nil {
		tb.Fatal("address of the server:", err)
	}
	address.Path = name
	return address.String()
}

func execute(tb testing.TB, server, statement string) {
	tb.Helper()
	ctx := context.Background() // a cleanup runs after the test's own context has ended
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		tb.Fatal("connect to the test server:", err)
	}
	defer conn.Close(ctx) //nolint:errcheck // nothing is lost with it
	if _, err := conn.Exec(ctx, statement); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}

// server is a server that this process uses.
type server struct {
	url string
	// lifeline is the watchdog's pipe. It is kept so that it stays open, uncollected, until the process ends.
	lifeline *os.File
}

var shared = sync.OnceValues(func() (server, error) {
	if address := os.Getenv(ServerEnv); address != "" {
		return server{url: address}, nil
	}
	dir, err := os.MkdirTemp("", "aftercare-test-pg-")
	if err != nil {
		return server{}, err
	}
	lifeline, err := watch(dir)
	if err != nil {
		return server{}, err
	}
	cluster, err := localpg.Start(context.Background(), localpg.Options{Dir: dir, Fast: true})
	if err != nil {
		return server{}, errors.Join(err, lifeline.Close())
	}
	return server{url: cluster.URL(), lifeline: lifeline}, nil
})

//go:embed watchdog.sh
var watchdog string

// watch sees to it that the cluster in dir goes when the file it returns is closed.
func watch(dir string) (*os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()                                                                      //nolint:errcheck // the script has its own handle
	cmd := exec.CommandContext(context.Background(), "sh", "-c", watchdog, "watchdog", dir) //nolint:gosec // G204: the script is embedded
	cmd.Stdin = read
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the watchdog: %w", err), write.Close())
	}
	return write, cmd.Process.Release()
}
