package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Cluster is a running private Postgres.
type Cluster struct {
	run    *server
	state  state
	locks  []*os.File
	socket string // a temporary folder, to be removed, or empty
}

// Start makes the cluster when the folder has none, starts its server and waits until that takes connections. It returns a
// [*ForeignError] for a folder with somebody else's cluster, a [*BusyError] for one that another process uses, and a
// [*NotFoundError] when the machine has no Postgres. A server left running by a killed process is stopped first.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{}
	if err := c.start(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("private postgres: %w", err), c.release())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o Options) error {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	who, err := serverAccount()
	if err != nil {
		return err
	}
	// Before anything is made or changed: is it ours to touch?
	if _, err := loadState(dir); err != nil {
		return err
	}
	bin, err := programs(dir) //nolint:contextcheck // asking a program for its version takes milliseconds
	if err != nil {
		return err
	}
	if err := makeFolder(dir, who); err != nil {
		return err
	}
	// One folder has one name: by it a server left running is known.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	if err := c.lock(dir); err != nil {
		return err
	}
	if c.state, err = loadState(dir); err != nil {
		return err
	}
	home, err := place(ctx, o, who, bin, dir, c.state.Home)
	if err != nil {
		return err
	}
	if home != dir {
		c.state.Home = home
		if err := c.lock(home); err != nil {
			return err
		}
	}
	if err := c.state.save(dir); err != nil {
		return err
	}
	if err := initialise(ctx, o, who, bin, home, c.state.Password); err != nil {
		return err
	}
	if err := link(dir, home); err != nil {
		return err
	}
	held, err := claim(ctx, o, home)
	if err != nil {
		return err
	}
	defer held.Close() //nolint:errcheck // the server has inherited it
	socket, temporary, err := socketFolder(home, who)
	if err != nil {
		return err
	}
	if temporary {
		c.socket = socket
	}
	return c.launch(ctx, o, installation{who: who, bin: bin, home: home, socket: socket, held: held}, dir)
}

// launch starts the server, with another port when somebody took the one chosen just then.
func (c *Cluster) launch(ctx context.Context, o Options, in installation, dir string) error {
	for attempt := 0; ; attempt++ {
		if err := c.choosePort(ctx, o, dir); err != nil {
			return err
		}
		var err error
		if c.run, err = launch(ctx, o, in, c.state); err == nil {
			o.logger().InfoContext(ctx, "postgres is running", "port", c.state.Port, "version", in.bin.Major, "cluster", clusterPath(in.home))
			return nil
		}
		ended, ok := errors.AsType[*exitError](err)
		if !ok || !ended.portTaken() || o.Port != 0 || attempt == 10 {
			return err
		}
	}
}

// choosePort settles on a port and remembers it.
func (c *Cluster) choosePort(ctx context.Context, o Options, dir string) error {
	port := o.Port
	if port == 0 {
		var err error
		if port, err = freePort(ctx, c.state.Port); err != nil {
			return err
		}
	}
	if port == c.state.Port {
		return nil
	}
	c.state.Port = port
	return c.state.save(dir)
}

func (c *Cluster) lock(dir string) error {
	file, err := lock(dir, "lock")
	if err == nil {
		c.locks = append(c.locks, file)
	}
	return err
}

// URL returns the address of the cluster's database, with its password.
func (c *Cluster) URL() string { return c.state.url(database) }

// Done is closed when the server has ended, by [Cluster.Stop] or by itself.
func (c *Cluster) Done() <-chan struct{} { return c.run.done }

// Stop shuts the server down, closing the connections there are, and waits for its end. When ctx ends first the server stops at
// once, and recovers at the next start. Stopping again does nothing.
func (c *Cluster) Stop(ctx context.Context) error {
	return errors.Join(c.run.stop(ctx), c.release())
}

// release gives up what a cluster that does not run no longer needs.
func (c *Cluster) release() error {
	var errs []error
	if c.socket != "" {
		errs = append(errs, os.RemoveAll(c.socket))
	}
	for _, file := range c.locks {
		errs = append(errs, file.Close())
	}
	c.locks, c.socket = nil, ""
	return errors.Join(errs...)
}
