package faultproxy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Faults are what a proxy does to its connections, those that are open and those to come. The zero Faults forward
// everything at once.
type Faults struct {
	// Latency is added to every piece, each way; it bounds the throughput as well. Jitter is the most that chance adds.
	Latency, Jitter time.Duration
	// Slice is the largest piece in bytes. 0 is no bound.
	Slice int
	// HoldUp and HoldDown hold what comes from clients, and what comes from the server, until they are cleared.
	HoldUp, HoldDown bool
	// Silent takes connections, and leads them nowhere before it is cleared. Those that are open go on.
	Silent bool
	// Refuse resets new connections at once.
	Refuse bool
}

// Proxy leads connections to a target. It is safe for concurrent use.
type Proxy struct {
	listener net.Listener
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	mu      sync.Mutex
	target  string
	faults  Faults
	changed chan struct{} // closed and replaced with every change
	links   map[*link]struct{}
	taken   int
}

// Listen starts a proxy on a free port of this machine that leads to a target, a host:port.
func Listen(target string) (*Proxy, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a fault proxy: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Proxy{listener: listener, cancel: cancel, target: target, changed: make(chan struct{}), links: map[*link]struct{}{}}
	p.wg.Go(func() { p.accept(ctx) })
	return p, nil
}

// Addr is the host:port for clients.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Set replaces the faults.
func (p *Proxy) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
	p.change()
}

// Lead sends connections that are made from now on to another target.
func (p *Proxy) Lead(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
	p.change()
}

// change tells everybody who waits. The caller holds the lock.
func (p *Proxy) change() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Reset ends all connections with a reset on both sides, and returns how many.
func (p *Proxy) Reset() int {
	return p.each(func(l *link) { l.reset() })
}

// Strand makes all connections of this moment silent for good, and returns how many: neither side hears of the other again,
// not even that it has gone. A connection ends when its client closes it, or the proxy is closed.
func (p *Proxy) Strand() int {
	return p.each(func(l *link) { l.strand() })
}

func (p *Proxy) each(f func(*link)) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		f(l)
	}
	return len(p.links)
}

// Open returns how many connections clients have, as far as it can be seen: one that is held, or was never led on, counts
// until it goes on, whether its client has left or not.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// Taken returns how many connections clients have ever made.
func (p *Proxy) Taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}

// Close ends all connections and waits for what the proxy runs. It may be called again.
func (p *Proxy) Close() error {
	p.cancel()
	err := p.listener.Close()
	p.Reset()
	p.wg.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close a fault proxy: %w", err)
	}
	return nil
}

func (p *Proxy) state() (Faults, string, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults, p.target, p.changed
}

func (p *Proxy) accept(ctx context.Context) {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		l := &link{proxy: p, client: conn.(*net.TCPConn), cancel: cancel, stranded: make(chan struct{}), gone: make(chan struct{})}
		p.mu.Lock()
		p.taken++
		if p.faults.Refuse || ctx.Err() != nil {
			p.mu.Unlock()
			l.reset()
			continue
		}
		p.links[l] = struct{}{}
		p.wg.Go(func() { l.run(ctx) })
		p.mu.Unlock()
	}
}

func (p *Proxy) forget(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// delay returns how long the next piece takes.
func (f Faults) delay() time.Duration {
	if f.Jitter <= 0 {
		return f.Latency
	}
	return f.Latency + rand.N(f.Jitter) //nolint:gosec // not a secret
}
