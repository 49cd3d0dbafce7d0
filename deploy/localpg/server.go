package localpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	role     = "aftercare"
	database = "aftercare"

	stopTime = 30 * time.Second
	// Recovery after a crash takes as long as there is WAL to replay, at most max_wal_size.
	startTime = 3 * time.Minute
	logLimit  = 16 << 20

	pgStartingUp = "57P03" // cannot_connect_now
)

// server is a running postmaster, our child.
type server struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // valid once done is closed
}

// exitError says that the server ended before it was ready, and what it wrote.
type exitError struct {
	err    error
	output string
}

func (e *exitError) Error() string {
	return fmt.Sprintf("postgres did not start: %v: %s", e.err, strings.TrimSpace(e.output))
}

func (e *exitError) Unwrap() error { return e.err }

func (e *exitError) portTaken() bool { return strings.Contains(e.output, "could not bind") }

// installation is what a server is started from.
type installation struct {
	who          *account
	bin          Binaries
	home, socket string
	held         *os.File // the lock to inherit
}

// launch starts a server and waits until it takes connections.
func launch(ctx context.Context, o Options, in installation, s state) (*server, error) {
	logFile, err := openLog(in.home)
	if err != nil {
		return nil, err
	}
	defer logFile.Close() //nolint:errcheck // the server has its own handle
	from, err := logFile.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	// Ending ctx ends the waiting; the server ends when it is stopped.
	cmd := in.who.command(context.WithoutCancel(ctx), in.home, in.bin.path("postgres"),
		o.arguments(clusterPath(in.home), in.socket, strconv.Itoa(s.Port))...)
	cmd.SysProcAttr.Setsid = true
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.ExtraFiles = []*os.File{in.held}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	run := &server{cmd: cmd, done: make(chan struct{})}
	go run.wait()

	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if err := run.ready(ctx, in.home, s); err != nil {
		if ended, ok := errors.AsType[*exitError](err); ok {
			ended.output = tail(filepath.Join(in.home, logName), from)
			return nil, err
		}
		return nil, errors.Join(err, run.stop(context.WithoutCancel(ctx)))
	}
	return run, nil
}

const logName = "server.log"

// openLog opens the server's log, a new one when it has grown long.
func openLog(home string) (*os.File, error) {
	path := filepath.Join(home, logName)
	flags := os.O_CREATE | os.O_APPEND | os.O_WRONLY
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		flags |= os.O_TRUNC
	}
	return os.OpenFile(path, flags, 0o600)
}

func tail(path string, from int64) string {
	raw, err := os.ReadFile(path)
	if err != nil || from > int64(len(raw)) {
		return "see " + path
	}
	return string(raw[from:])
}

func (r *server) wait() {
	r.err = r.cmd.Wait()
	close(r.done)
}

// ready waits until the server takes connections to our database, which it makes the first time.
func (r *server) ready(ctx context.Context, home string, s state) error {
	for delay := 10 * time.Millisecond; ; delay = min(delay*3/2, 250*time.Millisecond) {
		err := prepare(ctx, home, s)
		if err == nil {
			return nil
		}
		select {
		case <-r.done:
			return &exitError{err: r.err}
		default:
		}
		// An answer other than "starting up" will not change by waiting, unless it is that of another server which took the port
		// between our choice and our start: then ours is about to end.
		var answer *pgconn.PgError
		if errors.As(err, &answer) && answer.Code != pgStartingUp {
			if r.ends(ctx, time.Second) {
				return &exitError{err: r.err}
			}
			return err
		}
		if pause(ctx, delay) != nil {
			return fmt.Errorf("wait for postgres: %w: %w", ctx.Err(), err)
		}
	}
}

// ends reports whether the server ends within a time.
func (r *server) ends(ctx context.Context, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	select {
	case <-r.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// prepare connects, makes sure that the server there is ours, and makes the database when there is none.
func prepare(ctx context.Context, home string, s state) error {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost with it
	var at string
	var made bool
	if err := conn.QueryRow(ctx, "SELECT current_setting('data_directory'), EXISTS (SELECT FROM pg_database WHERE datname = $1)",
		database).Scan(&at, &made); err != nil {
		return err
	}
	if at != clusterPath(home) {
		return fmt.Errorf("another server, of %s, answers at port %d", at, s.Port)
	}
	if made {
		return nil
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+database)
	return err
}

func (s state) url(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(role, s.Password), Host: "127.0.0.1:" + strconv.Itoa(s.Port),
		Path: database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// stop shuts the server down: "fast", then "immediate" when ctx ends or that takes too long.
func (r *server) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	if err := r.signal(syscall.SIGINT); err != nil {
		return err
	}
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
	}
	if err := r.signal(syscall.SIGQUIT); err != nil {
		return err
	}
	<-r.done
	return fmt.Errorf("postgres was stopped at once: %w", ctx.Err())
}

func (r *server) signal(s syscall.Signal) error {
	if err := r.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop postgres: %w", err)
	}
	return nil
}
