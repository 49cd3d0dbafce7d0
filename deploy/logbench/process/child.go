// Package process runs servers as children of this program, and says what a process uses of the machine.
package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// stopTime is how long a child may take to end by itself.
const stopTime = 2 * time.Minute

// Child is a running server.
type Child struct {
	// URL is where it serves.
	URL   string
	cmd   *exec.Cmd
	stdin io.Closer
	done  chan struct{}
	err   error // valid once done is closed
}

// Start runs this program anew with other arguments, and waits for the line with its URL on its standard output. The child must
// end when its standard input does, so that it never outlives us; it is killed when ctx ends. What it writes to its
// standard error goes to log.
func Start(ctx context.Context, log io.Writer, args ...string) (*Child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, args...) //nolint:gosec // G204: it is this program
	cmd.Stderr = log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	c := &Child{URL: strings.TrimSpace(line), cmd: cmd, stdin: stdin, done: make(chan struct{})}
	go func() {
		c.err = cmd.Wait()
		close(c.done)
	}()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not start: %w", args[0], err), c.Stop())
	}
	return c, nil
}

// PID is the id of the process.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Stop lets the child end by itself and waits for that. It may be called again.
func (c *Child) Stop() error {
	_ = c.stdin.Close() // it may be closed already
	timer := time.NewTimer(stopTime)
	defer timer.Stop()
	select {
	case <-c.done:
		return c.err
	case <-timer.C:
		return errors.Join(fmt.Errorf("process %d did not end within %v", c.PID(), stopTime), c.Kill())
	}
}

// Kill ends the child at once, as a crash of it would, and waits for that.
func (c *Child) Kill() error {
	err := c.cmd.Process.Kill()
	<-c.done
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Serve is the child's side: it tells its URL and returns when the parent is gone, or wants an end.
func Serve(in io.Reader, out io.Writer, url string) error {
	if _, err := fmt.Fprintln(out, url); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, in)
	return err
}
