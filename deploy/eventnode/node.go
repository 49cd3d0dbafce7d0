package eventnode

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"

	"aftercare/deploy/eventnode/storage"
)

// ErrLocked means that another process has the data directory open.
var ErrLocked = storage.ErrLocked

// CorruptError says that something acknowledged earlier can no longer be read.
type CorruptError = storage.CorruptError

// ErrClosed means that the node was closed before it ran, or runs already.
var ErrClosed = errors.New("the event node is closed or running already")

// GCPercent suits a process that is only a node (debug.SetGCPercent). What a node holds is a few MiB and what it forgets at
// every call is more, so with Go's default of 100 it collects all the time. More than this would cost more memory than it saves
// time: with 400, ten million single appends took 500 MiB at the most.
const GCPercent = 200

// drainTime is how long calls may take to end when the node stops.
const drainTime = 5 * time.Second

// defaultAppendSize is that of real servers up to 24.10, so code that works here works there.
const defaultAppendSize = 1 << 20

// Options say where a node keeps its events and how it is reached.
type Options struct {
	// Dir is the data directory; it is created if missing. Required unless InMemory.
	Dir string
	// Listen is the address to bind. Defaults to 127.0.0.1:0, a free port.
	Listen string
	// Advertise is the host:port that gossip names. Defaults to the bound address.
	Advertise string
	// InMemory keeps everything in memory: nothing is on disk, and nothing outlives the node.
	InMemory bool
	// MaxAppendSize bounds the bytes of one append. Defaults to 1 MiB.
	MaxAppendSize int
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Logger defaults to none.
	Logger *slog.Logger
	// TLS, when set, encrypts all connections. Its NextProtos are ignored.
	TLS *tls.Config
	// CertificateFile and KeyFile, when set, encrypt all connections with that certificate, in PEM. They are read
	// again when they change.
	CertificateFile, KeyFile string
	// Users maps the names of those who may call to bcrypt hashes of their passwords. It needs TLS, because clients send
	// credentials over nothing else. Defaults to everybody, whose credentials are then ignored.
	Users map[string]string
	// UsersFile names a file of users instead, as htpasswd -B writes it. It is read again when it changes.
	UsersFile string
	// NoSync leaves out fsync. Acknowledged events may then be lost: for tests and benchmarks only.
	NoSync bool
	// Files, when set, is given every file of events that the node opens, by its name in Dir, and returns what the node
	// uses in its place. Tests use it to make a disk fail.
	Files func(name string, f storage.File) storage.File

	flushEvents int              // tests make the index go to disk early
	ticks       <-chan time.Time // and let the time of persistent subscriptions pass; nil is every second
}

// Node is an open event store. Open returns it listening; calls are answered once it runs.
type Node struct {
	opts     Options
	listener net.Listener
	front    *front
	server   *grpc.Server
	web      *http.Server
	users    *users        // nil when everybody may call
	hearing  chan struct{} // calls without credentials that are heard
	metrics  *metrics
	store    *storage.Store
	groups   *groups
	stopping chan struct{}

	mu      sync.Mutex
	state   nodeState
	cancel  context.CancelFunc // of Run
	done    chan struct{}      // closed when everything is released
	failure error              // of the release
}

type nodeState uint8

const (
	nodeOpen nodeState = iota + 1
	nodeRunning
	nodeClosed
)

// Open takes the data directory, recovers what is in it and binds the address. It fails with
// ErrLocked when another process holds the directory, and with a *CorruptError when acknowledged events
// are damaged.
func Open(o Options) (*Node, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.MaxAppendSize == 0 {
		o.MaxAppendSize = defaultAppendSize
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // a server process has a clock
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	n := &Node{
		opts: o, metrics: newMetrics(), state: nodeOpen, stopping: make(chan struct{}), done: make(chan struct{}),
		hearing: make(chan struct{}, heardAtOnce),
	}
	if err := n.open(); err != nil {
		return nil, errors.Join(err, n.release())
	}
	n.groups = &groups{node: n, watcher: newWatcher(n.store)}
	n.metrics.registry.MustRegister(newGroupMetrics(n.groups))
	n.server, n.web = newServer(n), newWeb(n)
	return n, nil
}

func (n *Node) open() (err error) {
	encryption, err := tlsConfig(n.opts)
	if err != nil {
		return fmt.Errorf("open event node: %w", err)
	}
	if n.users, err = newUsers(n.opts); err != nil {
		return fmt.Errorf("open event node: %w", err)
	}
	if n.users != nil && encryption == nil {
		return errors.New("open event node: users need TLS, clients send credentials over nothing else")
	}
	n.metrics.writer.now = n.opts.Now
	n.store, err = storage.Open(storage.Options{
		Dir: n.opts.Dir, InMemory: n.opts.InMemory, Now: n.opts.Now, Logger: n.opts.Logger,
		NoSync: n.opts.NoSync, Files: n.opts.Files, FlushEvents: n.opts.flushEvents,
		Observer: n.metrics.writer,
	})
	if err != nil {
		return err
	}
	if n.listener, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", n.opts.Listen); err != nil {
		return fmt.Errorf("open event node: %w", err)
	}
	n.metrics.watch(n.store)
	n.front = newFront(n.listener, encryption)
	if host, _, err := net.SplitHostPort(n.Addr()); n.users == nil && err == nil && !net.ParseIP(host).IsLoopback() {
		n.opts.Logger.Warn("everybody who can reach this address may read and write all events", "address", n.Addr())
	}
	return nil
}

// Addr is the host:port that the node is bound to.
func (n *Node) Addr() string { return n.listener.Addr().String() }

// URL is the connection string for clients. Credentials go in front of its host.
func (n *Node) URL() string {
	return "esdb://" + n.Addr() + "?tls=" + strconv.FormatBool(n.front.tls != nil)
}

func (n *Node) advertise() string {
	if n.opts.Advertise != "" {
		return n.opts.Advertise
	}
	return n.Addr()
}

// Run serves until ctx ends or Close is called, then ends subscriptions with UNAVAILABLE, lets other
// calls finish and closes the node. It returns nil after such an end.
func (n *Node) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n.mu.Lock()
	if n.state != nodeOpen {
		n.mu.Unlock()
		return ErrClosed
	}
	n.state, n.cancel = nodeRunning, cancel
	n.mu.Unlock()

	var running sync.WaitGroup
	stopWriter := make(chan struct{})
	running.Go(func() { n.store.Run(stopWriter) })
	served := make(chan error, 1)
	err := n.groups.start(ctx)
	if err == nil {
		running.Go(n.groups.tick)
		running.Go(func() { n.groups.watcher.run(n.stopping) })
		running.Go(func() { served <- n.serve() })
		select {
		case <-ctx.Done():
		case err = <-served:
		}
	}
	close(n.stopping)
	n.groups.stop()
	n.drain(context.WithoutCancel(ctx))
	n.groups.receivers.Wait()
	close(stopWriter)
	running.Wait()
	if released := n.finish(); err == nil {
		err = released
	}
	if err != nil {
		return fmt.Errorf("event node: %w", err)
	}
	return nil
}

// Close ends Run if it runs, waits for it, and releases the directory. It may be called again.
func (n *Node) Close() error {
	n.mu.Lock()
	state := n.state
	if state == nodeOpen {
		n.state = nodeClosed
	}
	cancel := n.cancel
	n.mu.Unlock()
	if state == nodeOpen {
		n.server.Stop()
		return n.finish()
	}
	if cancel != nil {
		cancel()
	}
	<-n.done
	return n.failure
}

// finish releases everything once and tells whoever waits in Close.
func (n *Node) finish() error {
	n.mu.Lock()
	n.state = nodeClosed
	n.mu.Unlock()
	n.failure = n.release()
	close(n.done)
	return n.failure
}

func (n *Node) release() error {
	var errs []error
	if n.listener != nil {
		if err := n.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	return errors.Join(errs...)
}
