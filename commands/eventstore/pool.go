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

	mu     sync.Mutex
	idle   []session
	epoch  int // grows whenever a client finds its server gone
	closed bool
	// closing is closed when closed is set.
	closing chan struct{}
	// running counts sessions in use and dials under way.
	running sync.WaitGroup
}

// session is a client that has connected once and never will again.
type session struct {
	client *esdb.Client
	epoch  int
}

var errClosed = errors.New("the log is closed")

func newPool(url string, timeout time.Duration, logger *slog.Logger) (*pool, error) {
	config, err := esdb.ParseConnectionString(url)
	if err != nil {
		return nil, fmt.Errorf("read the event store's address: %w", err)
	}
	config.MaxDiscoverAttempts = 1
	config.DiscoveryInterval = 1 // ms: the client sleeps this long even after its last attempt
	config.GossipTimeout = max(1, min(config.GossipTimeout, int(timeout/time.Second)))
	p := &pool{config: *config, logger: logger, closing: make(chan struct{})}
	p.config.Logger = p.log
	return p, nil
}

// log passes the client's own words on, for debugging only: what matters comes back as errors.
func (p *pool) log(level esdb.LogLevel, format string, args ...any) {
	if p.logger.Enabled(context.Background(), slog.LevelDebug) {
		p.logger.Debug("event store client", "client_level", level, "text", fmt.Sprintf(format, args...))
	}
}

// acquire returns a connected session, which must be released. It makes at most one attempt to connect.
func (p *pool) acquire(ctx context.Context) (session, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return session{}, errClosed
	}
	p.running.Add(1)
	if last := len(p.idle) - 1; last >= 0 {
		s := p.idle[last]
		p.idle = slices.Delete(p.idle, last, last+1)
		p.mu.Unlock()
		return s, nil
	}
	s := session{epoch: p.epoch}
	p.mu.Unlock()

	dialed := make(chan error) // unbuffered: a session is either taken or put back
	go func() {
		var err error
		s.client, err = p.dial()
		select {
		case dialed <- err:
		case <-ctx.Done():
			p.release(s, err)
		}
	}()
	select {
	case err := <-dialed:
		if err != nil {
			p.running.Done()
			return session{}, fmt.Errorf("connect to the event store: %w", translate(err))
		}
		return s, nil
	case <-ctx.Done():
		return session{}, ctx.Err()
	}
}

// dial makes a client and lets it discover its server. The gossip timeout bounds it.
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

// release takes a session back after its call ended with err.
func (p *pool) release(s session, err error) {
	defer p.running.Done()
	if s.client == nil {
		return
	}
	p.mu.Lock()
	if unusable(err) && s.epoch == p.epoch {
		// The others were connected to the same server.
		p.epoch++
		for _, other := range p.idle {
			_ = other.client.Close() // never fails
		}
		p.idle = nil
	}
	keep := s.epoch == p.epoch && !p.closed
	if keep {
		p.idle = append(p.idle, s)
	}
	p.mu.Unlock()
	if !keep {
		_ = s.client.Close() // never fails
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
	s, err := p.acquire(ctx)
	if err != nil {
		return none, err
	}
	done := make(chan result, 1)
	go func() {
		value, err := guard(s.client, f)
		p.release(s, err)
		done <- result{value, err}
	}()
	select {
	case <-ctx.Done():
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
