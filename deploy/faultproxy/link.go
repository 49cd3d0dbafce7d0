package faultproxy

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// link is one connection of a client and, once there is one, its connection to the target.
type link struct {
	proxy    *Proxy
	client   *net.TCPConn
	cancel   context.CancelFunc
	stranded chan struct{}
	strandIt sync.Once
	gone     chan struct{} // closed when the client has nothing more to say

	mu     sync.Mutex
	server *net.TCPConn
}

type direction uint8

const (
	up direction = iota + 1
	down
)

// held reports whether nothing moves this way.
func (f Faults) held(d direction) bool { return d == up && f.HoldUp || d == down && f.HoldDown }

// run leads the link until it ends.
func (l *link) run(ctx context.Context) {
	defer l.proxy.forget(l)
	defer l.reset() // of what is still open
	server, ok := l.dial(ctx)
	if !ok {
		return
	}
	var pumps sync.WaitGroup
	pumps.Go(func() { l.pump(ctx, server, l.client, up) })
	pumps.Go(func() { l.pump(ctx, l.client, server, down) })
	pumps.Wait()
	_, _ = l.client.Close(), server.Close() // both have ended
}

// dial connects to the target once the proxy is not silent.
func (l *link) dial(ctx context.Context) (*net.TCPConn, bool) {
	for {
		faults, target, changed := l.proxy.state()
		if !faults.Silent {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", target)
			if err != nil {
				return nil, false
			}
			l.mu.Lock()
			l.server = conn.(*net.TCPConn)
			l.mu.Unlock()
			return l.server, true
		}
		select {
		case <-changed:
		case <-l.stranded:
			_, _ = io.Copy(io.Discard, l.client) // until it closes
			return nil, false
		case <-ctx.Done():
			return nil, false
		}
	}
}

// pump carries bytes one way, and then their end.
func (l *link) pump(ctx context.Context, to, from *net.TCPConn, d direction) {
	if d == up {
		defer close(l.gone)
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		for rest := buf[:n]; len(rest) > 0; {
			faults, ok := l.pass(ctx, d)
			if !ok {
				l.drain(ctx, from, d)
				return
			}
			piece := rest
			if faults.Slice > 0 {
				piece = rest[:min(faults.Slice, len(rest))]
			}
			if !sleep(ctx, faults.delay()) {
				return
			}
			if _, err := to.Write(piece); err != nil {
				l.reset()
				return
			}
			rest = rest[len(piece):]
		}
		if err == nil {
			continue
		}
		if _, ok := l.pass(ctx, d); !ok {
			l.drain(ctx, from, d)
			return
		}
		if !errors.Is(err, io.EOF) {
			l.reset()
			return
		}
		_ = to.CloseWrite() // it may have gone
		return
	}
}

// pass waits while this way is held. It reports false when the link has ended or is stranded.
func (l *link) pass(ctx context.Context, d direction) (Faults, bool) {
	for {
		faults, _, changed := l.proxy.state()
		select {
		case <-l.stranded:
			return faults, false
		case <-ctx.Done():
			return faults, false
		default:
		}
		if !faults.held(d) {
			return faults, true
		}
		select {
		case <-changed:
		case <-l.stranded:
		case <-ctx.Done():
		}
	}
}

// drain swallows what a stranded link still sends. That its client has gone ends the link; that its server has gone is
// what nobody hears of.
func (l *link) drain(ctx context.Context, from *net.TCPConn, d direction) {
	_, _ = io.Copy(io.Discard, from)
	if d == down {
		select {
		case <-l.gone:
		case <-ctx.Done():
		}
	}
	l.reset()
}

func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (l *link) strand() { l.strandIt.Do(func() { close(l.stranded) }) }

// reset ends the link. What is not closed in order by then is reset.
func (l *link) reset() {
	l.cancel()
	l.mu.Lock()
	server := l.server
	l.mu.Unlock()
	for _, conn := range []*net.TCPConn{l.client, server} {
		if conn != nil {
			_, _ = conn.SetLinger(0), conn.Close() // closed ones fail
		}
	}
}
