package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience bounds every wait for a process.
const patience = time.Minute

// place is a data directory and the environment of the programs that run on it.
type place struct {
	tb   testing.TB
	data string
	// work is the folder the programs run in.
	work    string
	env     []string
	started []*process
}

// newPlace returns an empty data directory. What still runs on it when the test ends is ended.
func newPlace(tb testing.TB) *place {
	tb.Helper()
	dir, err := os.MkdirTemp(root, "place-") //nolint:usetesting // where Postgres gets through
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // G302: Postgres may run as another user
		tb.Fatal(err)
	}
	p := &place{tb: tb, data: filepath.Join(dir, "data"), work: dir}
	tb.Cleanup(func() {
		p.killPostgres()
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AFTERCARE_") && !strings.HasPrefix(v, "LC_") && !strings.HasPrefix(v, "LANG") {
			p.env = append(p.env, v)
		}
	}
	p.env = append(p.env, "AFTERCARE_DATA="+p.data, "AFTERCARE_LISTEN=127.0.0.1:0", "AFTERCARE_NODE_LISTEN=127.0.0.1:0")
	return p
}

// process is a program that runs in a process group of its own.
type process struct {
	tb       testing.TB
	cmd      *exec.Cmd
	out, err output
	done     chan struct{} // closed when it has ended
}

// start starts the program. It is killed, with its group, when the test ends before it does.
func (p *place) start(args ...string) *process {
	p.tb.Helper()
	path, err := binary()
	if err != nil {
		p.tb.Fatal(err)
	}
	r := &process{tb: p.tb, cmd: exec.CommandContext(context.Background(), path, args...), done: make(chan struct{})} //nolint:gosec // G204: our own binary
	r.cmd.Dir, r.cmd.Env = p.work, p.env
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.err
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.cmd.Start(); err != nil {
		p.tb.Fatal(err)
	}
	known := filepath.Join(root, "groups", strconv.Itoa(r.cmd.Process.Pid))
	if err := os.WriteFile(known, nil, 0o600); err != nil {
		p.tb.Error(err)
	}
	go func() {
		defer close(r.done)
		_ = r.cmd.Wait() // the exit code is in cmd.ProcessState
		_ = os.Remove(known)
	}()
	p.started = append(p.started, r)
	p.tb.Cleanup(func() {
		r.kill()
		if p.tb.Failed() {
			p.tb.Logf("aftercare %s\nprinted %s\nand on standard error %s", strings.Join(args, " "), r.out.text(), r.err.text())
		}
	})
	return r
}

// run runs the program to its end and fails the test when it does not end well.
func (p *place) run(args ...string) *process {
	p.tb.Helper()
	r := p.start(args...)
	if code := r.wait(10 * time.Minute); code != 0 {
		for _, other := range p.started {
			other.dump()
		}
		p.tb.Fatalf("aftercare %s: exit code %d\n%s%s", strings.Join(args, " "), code, r.out.text(), r.err.text())
	}
	return r
}

// up starts everything and returns when the API answers.
func (p *place) up() api {
	p.tb.Helper()
	return p.serving("up")
}

// serving starts a subcommand that serves the API.
func (p *place) serving(args ...string) api {
	p.tb.Helper()
	r := p.start(args...)
	return api{process: r, url: r.says(`GraphQL API +(http://\S+)`)}
}

// says waits until the program has printed something, and returns the group in the pattern.
func (r *process) says(pattern string) string {
	r.tb.Helper()
	return r.printed(&r.out, pattern)
}

// errSays waits until the program has printed something on standard error.
func (r *process) errSays(pattern string) {
	r.tb.Helper()
	r.printed(&r.err, pattern)
}

func (r *process) printed(to *output, pattern string) string {
	r.tb.Helper()
	wanted := regexp.MustCompile(pattern)
	ctx, cancel := context.WithTimeout(r.tb.Context(), patience)
	defer cancel()
	for {
		text, more := to.next()
		if found := wanted.FindStringSubmatch(text); found != nil {
			return found[len(found)-1]
		}
		select {
		case <-more:
		case <-r.done:
			if text, _ := to.next(); !wanted.MatchString(text) {
				r.tb.Fatalf("ended with %d before it said %q: %s%s", r.cmd.ProcessState.ExitCode(), pattern, r.out.text(), r.err.text())
			}
		case <-ctx.Done():
			r.dump()
			r.tb.Fatalf("does not say %q: %s%s", pattern, r.out.text(), r.err.text())
		}
	}
}

// wait returns the exit code; -1 is a signal's.
func (r *process) wait(limit time.Duration) int {
	r.tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.tb.Context()), limit)
	defer cancel()
	select {
	case <-r.done:
		return r.cmd.ProcessState.ExitCode()
	case <-ctx.Done():
		r.dump()
		r.tb.Fatalf("%s still runs after %s: %s%s", r.cmd, limit, r.out.text(), r.err.text())
		return 0
	}
}

// interrupt does what Ctrl-C does, and returns the exit code.
func (r *process) interrupt() int {
	r.tb.Helper()
	if err := syscall.Kill(-r.cmd.Process.Pid, syscall.SIGINT); err != nil {
		r.tb.Fatal(err)
	}
	return r.wait(patience)
}

// kill ends the whole group at once, without a chance to tidy up. A group that has ended stays ended.
func (r *process) kill() {
	select {
	case <-r.done:
		return
	default:
	}
	_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
	<-r.done
}

// dump ends a program that still runs and makes it print what it was doing.
func (r *process) dump() {
	_ = r.cmd.Process.Signal(syscall.SIGQUIT)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.tb.Context()), patience)
	defer cancel()
	select {
	case <-r.done:
	case <-ctx.Done():
	}
}

// postgres returns the postmaster's process id, or 0.
func (p *place) postgres() int {
	raw, err := os.ReadFile(filepath.Join(p.data, "postgres", "cluster", "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		p.tb.Fatal(err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return pid
}

// rows asks the read models of a running instance; a row is a line.
func (p *place) rows(query string) []string {
	p.tb.Helper()
	conn, err := pgx.Connect(p.tb.Context(), p.instance().PostgresURL)
	if err != nil {
		p.tb.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(p.tb.Context())) //nolint:errcheck // nothing is lost with it
	rows, err := conn.Query(p.tb.Context(), query)
	if err != nil {
		p.tb.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		values, err := row.Values()
		return strings.TrimSuffix(fmt.Sprintln(values...), "\n"), err
	})
	if err != nil {
		p.tb.Fatal(err)
	}
	return lines
}

// instance is where a running instance says its stores are.
func (p *place) instance() (i struct{ EventStoreURL, PostgresURL string }) {
	p.tb.Helper()
	raw, err := os.ReadFile(filepath.Join(p.data, "instance.json"))
	if err != nil {
		p.tb.Fatal(err)
	}
	if err := json.Unmarshal(raw, &i); err != nil {
		p.tb.Fatal(err)
	}
	return i
}

// killPostgres kills the database with all its processes.
func (p *place) killPostgres() {
	pid := p.postgres()
	if pid == 0 {
		return
	}
	for _, one := range append([]int{pid}, children(pid)...) {
		_ = syscall.Kill(one, syscall.SIGKILL)
	}
}

// children lists the processes that a process started.
func children(pid int) []int {
	var all []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		raw, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := bytes.Cut(raw, []byte(") "))
		fields := bytes.Fields(rest)
		if len(fields) > 1 && string(fields[1]) == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			all = append(all, child)
		}
	}
	return all
}

// alive lists the processes whose command line names the place.
func (p *place) alive() []string {
	var all []string
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range lines {
		raw, _ := os.ReadFile(name)
		if bytes.Contains(raw, []byte(p.data)) {
			all = append(all, string(bytes.ReplaceAll(raw, []byte{0}, []byte{' '})))
		}
	}
	slices.Sort(all)
	return all
}

// output collects what a program prints.
type output struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	grown chan struct{}
}

// Write takes what was printed.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.grown != nil {
		close(o.grown)
		o.grown = nil
	}
	return o.buf.Write(b)
}

// next returns what there is and a channel that is closed when there is more.
func (o *output) next() (text string, more <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.grown == nil {
		o.grown = make(chan struct{})
	}
	return o.buf.String(), o.grown
}

func (o *output) text() string {
	text, _ := o.next()
	return text
}
