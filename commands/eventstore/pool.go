package eventstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/commands"
)

// pool hands out connected clients, each to one call at a time.
type pool struct {
	config esdb.Configuration
	logger *slog.Logger
	// slots bounds the calls, those that their callers have left included, and with them the connections.
	slots chan struct{}

	mu     sync.Mutex
	idle   []session
	epoch  int // grows whenever a client finds its server gone
	closed bool
	// closing is closed when closed is set.
	closing chan struct{}
	// running counts sessions in use and dials under way.
	running sync.WaitGroup
}

// session is a client that has connected once.
type session struct {
	client *esdb.Client
	epoch  int
	slot   bool // holds one of the pool's slots
}

var errClosed = errors.New("the log is closed")

func newPool(url string, o Options) (*pool, error) {
	config, err := esdb.ParseConnectionString(url)
	if err != nil {
		return nil, fmt.Errorf("read the event store's address: %w", err)
	}
	config.MaxDiscoverAttempts = 1
	config.DiscoveryInterval = 1 // ms: the client sleeps this long even after its last attempt
	config.GossipTimeout = gossipTimeout(config, o.OperationTimeout)
	p := &pool{config: *config, logger: o.Logger, slots: make(chan struct{}, o.MaxConnections), closing: make(chan struct{})}
	p.config.Logger = p.log
	return p, nil
}

// gossipTimeout returns for how many seconds one node may be asked who it is: as the address says, but so that a call
// outlives the silence of all nodes but one.
func gossipTimeout(config *esdb.Configuration, call time.Duration) int {
	nodes := max(1, len(config.GossipSeeds))
	if nodes > 1 {
		nodes++
	}
	return max(1, min(config.GossipTimeout, int(call/time.Second)/nodes))
}

// log passes the client's own words on, for debugging only: what matters comes back as errors.
func (p *pool) log(level esdb.LogLevel, format string, args ...any) {
	if p.logger.Enabled(context.Background(), slog.LevelDebug) {
		p.logger.Debug("event store client", "client_level", level, "text", fmt.Sprintf(format, args...))
	}
}

// acquire returns a connected session, which must be released. It makes at most one attempt to connect. A counted session
// waits for a slot and holds it until it is released; while it is being connected, so does an attempt that was left.
func (p *pool) acquire(ctx context.Context, counted bool) (session, error) {
	if counted {
		select {
		case p.slots <- struct{}{}:
		case <-p.closing:
			return session{}, errClosed
		case <-ctx.Done():
			return session{}, fmt.Errorf("wait for one of %d connections to the event store: %w", cap(p.slots), ctx.Err())
		}
	}
	s := session{slot: counted}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		p.free(s)
		return session{}, errClosed
	}
	p.running.Add(1)
	if last := len(p.idle) - 1; last >= 0 {
		s.client, s.epoch = p.idle[last].client, p.idle[last].epoch
		p.idle = slices.Delete(p.idle, last, last+1)
		p.mu.Unlock()
		return s, nil
	}
	s.epoch = p.epoch
	p.mu.Unlock()
	return p.connect(ctx, s)
}

// connect gives s a client. When ctx or the pool ends first, the attempt goes on alone and the pool gets what comes of it.
func (p *pool) connect(ctx context.Context, s session) (session, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dialed := make(chan error) // unbuffered: a session is either taken or put back
	go func() {
		var err error
		s.client, err = p.dial()
		select {
		case dialed <- err:
		case <-ctx.Done():
			p.release(s, sound)
		}
	}()
	select {
	case err := <-dialed:
		if err != nil {
			p.release(s, sound)
			return session{}, fmt.Errorf("connect to the event store: %w", unreachable(err))
		}
		return s, nil
	case <-p.closing:
		return session{}, errClosed
	case <-ctx.Done():
		return session{}, fmt.Errorf("connect to the event store: %w", ctx.Err())
	}
}

// dial makes a client and lets it discover its server. The gossip timeouts of all nodes bound it.
func (p *pool) dial() (*esdb.Client, error) {
	config := p.config
	client, err := esdb.NewClient(&config)
	if err != nil {
		return nil, err
	}
	// The server's version is known when a connection is: asking for it discovers and does nothing else. When that fails
	// the client has closed its connection and ended its goroutine.
	if _, err = client.GetServerVersion(); err != nil {
		return nil, err
	}
	return client, nil
}

// release takes a session back after its call, judged by how that ended.
func (p *pool) release(s session, v verdict) {
	defer p.running.Done()
	defer p.free(s)
	if s.client == nil {
		return
	}
	p.mu.Lock()
	if v == lost || v == moved {
		p.outdate(s.epoch)
	}
	if v == moved {
		s.epoch = p.epoch
	}
	keep := (v == sound || v == moved) && s.epoch == p.epoch && !p.closed
	if keep = keep && len(p.idle)+p.others(s) < cap(p.slots); keep { // those of Follow come on top
		p.idle = append(p.idle, session{client: s.client, epoch: s.epoch})
	}
	p.mu.Unlock()
	if !keep {
		_ = s.client.Close() // never fails
	}
}

// outdate ends an epoch, unless it has ended: the sessions of one epoch were connected to the same server. The caller holds
// the lock.
func (p *pool) outdate(epoch int) {
	if epoch != p.epoch {
		return
	}
	p.epoch++
	for _, s := range p.idle {
		_ = s.client.Close() // never fails
	}
	p.idle = nil
}

// others returns how many sessions serve calls, or soon will, besides s.
func (p *pool) others(s session) int {
	if s.slot {
		return len(p.slots) - 1
	}
	return len(p.slots)
}

func (p *pool) free(s session) {
	if s.slot {
		<-p.slots
	}
}

// close refuses new calls, waits for those in flight and closes all clients. It may be called again.
func (p *pool) close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.closing)
	}
	for _, s := range p.idle {
		_ = s.client.Close() // never fails
	}
	p.idle = nil
	p.mu.Unlock()
	p.running.Wait()
}

// call runs f with a client and returns no later than ctx ends, even when f does.
func call[T any](ctx context.Context, p *pool, f func(*esdb.Client) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	s, err := p.acquire(ctx, true)
	if err != nil {
		return none, err
	}
	done := make(chan result, 1)
	go func() {
		value, err := guard(s.client, f)
		p.release(s, judge(ctx, err))
		done <- result{value, err}
	}()
	select {
	case <-ctx.Done():
		if errors.Is(context.Cause(ctx), errNoAnswer) { // the next call must not meet the likes of this session
			p.mu.Lock()
			p.outdate(s.epoch)
			p.mu.Unlock()
		}
		return none, ctx.Err()
	case r := <-done:
		return r.value, translate(r.err)
	}
}

// guard turns a panic of the client, which it has for answers it does not expect, into an error.
func guard[T any](client *esdb.Client, f func(*esdb.Client) (T, error)) (_ T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: the event store's client failed: %v", commands.ErrUnavailable, p)
		}
	}()
	return f(client)
}
