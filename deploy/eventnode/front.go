package eventnode

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// helloTime is how long a connection may take to show what it speaks, its TLS handshake included.
	helloTime = 10 * time.Second
	// acceptPause is how long to wait when the process has no file descriptors left.
	acceptPause = 50 * time.Millisecond
)

const (
	// http2Hello is how every HTTP/2 connection begins and no HTTP/1 connection does.
	http2Hello = "PRI"
	// http2Start is the least that a client says before its first call: the preface, and the head of its settings.
	http2Start = 24 + 9
)

// front accepts connections and hands each to the server of what it speaks: HTTP/2 is gRPC, anything else is
// taken for HTTP/1.
type front struct {
	listener   net.Listener
	tls        *tls.Config // nil without encryption
	grpc, http *inbox
	closing    chan struct{}

	mu     sync.Mutex
	guests map[net.Conn]struct{}  // connections that have not shown yet what they speak; nil once closed
	calls  map[*callConn]struct{} // connections of gRPC
	looks  sync.WaitGroup
}

func newFront(l net.Listener, config *tls.Config) *front {
	return &front{
		listener: l, tls: config, grpc: newInbox(l.Addr()), http: newInbox(l.Addr()),
		closing: make(chan struct{}), guests: map[net.Conn]struct{}{}, calls: map[*callConn]struct{}{},
	}
}

// run accepts until the front is closed, and fails if the listener does before.
func (f *front) run() error {
	defer f.looks.Wait()
	for {
		conn, err := f.listener.Accept()
		if err == nil {
			f.welcome(conn)
			continue
		}
		select {
		case <-f.closing:
			return nil
		default:
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		pause := time.NewTimer(acceptPause) // no file descriptors, or the peer was gone already
		select {
		case <-pause.C:
		case <-f.closing:
			pause.Stop()
			return nil
		}
	}
}

func (f *front) welcome(conn net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.guests == nil {
		_ = conn.Close()
		return
	}
	f.guests[conn] = struct{}{}
	f.looks.Go(func() { f.look(conn) })
}

// look finds out what a connection speaks and hands it over, or closes it when that takes too long.
func (f *front) look(raw net.Conn) {
	impatience := time.AfterFunc(helloTime, func() { _ = raw.Close() })
	to, conn := f.greet(raw)
	known := impatience.Stop()
	f.mu.Lock()
	delete(f.guests, raw)
	f.mu.Unlock()
	if to == nil {
		_ = raw.Close()
		return
	}
	if !known {
		_ = conn.Close()
		return
	}
	select {
	case to.conns <- conn:
	case <-to.closed:
		_ = conn.Close()
	case <-f.closing:
		_ = conn.Close()
	}
}

// greet returns the inbox for a connection and the connection as its server should see it, or nothing.
func (f *front) greet(conn net.Conn) (*inbox, net.Conn) {
	if f.tls != nil {
		encrypted := tls.Server(conn, f.tls)
		if err := encrypted.Handshake(); err != nil { //nolint:noctx // bounded by helloTime, which closes the connection
			return nil, nil
		}
		conn = encrypted
	}
	hello := make([]byte, len(http2Hello))
	if _, err := io.ReadFull(conn, hello); err != nil {
		return nil, nil
	}
	replayed := replayedConn{Conn: conn, head: hello}
	if string(hello) != http2Hello {
		return f.http, &replayed
	}
	call := &callConn{replayedConn: replayed, front: f}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[call] = struct{}{}
	return f.grpc, call
}

// hangUp closes the connections of gRPC that never said enough for a call, or all of them. The server of gRPC waits for
// the silent ones when it stops.
func (f *front) hangUp(all bool) {
	var silent []*callConn
	f.mu.Lock()
	for c := range f.calls {
		if all || c.heard.Load() < http2Start {
			silent = append(silent, c)
		}
	}
	f.mu.Unlock()
	for _, c := range silent {
		_ = c.Close()
	}
}

// close ends run. It does not close connections that were handed over.
func (f *front) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.guests == nil {
		return nil
	}
	close(f.closing)
	for conn := range f.guests {
		_ = conn.Close()
	}
	f.guests = nil
	return f.listener.Close()
}

// inbox is the listener of a server behind the front.
type inbox struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newInbox(addr net.Addr) *inbox {
	return &inbox{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (i *inbox) Accept() (net.Conn, error) {
	select {
	case c := <-i.conns:
		return c, nil
	case <-i.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (i *inbox) Close() error {
	i.once.Do(func() { close(i.closed) })
	return nil
}

// Addr implements net.Listener.
func (i *inbox) Addr() net.Addr { return i.addr }

// replayedConn is a connection the first bytes of which were read already.
type replayedConn struct {
	net.Conn
	head []byte
}

// Read implements net.Conn.
func (c *replayedConn) Read(p []byte) (int, error) {
	if len(c.head) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.head)
	c.head = c.head[n:]
	return n, nil
}

// callConn is a connection of gRPC.
type callConn struct {
	replayedConn
	front *front
	heard atomic.Int64 // bytes read
}

// Read implements net.Conn.
func (c *callConn) Read(p []byte) (int, error) {
	n, err := c.replayedConn.Read(p)
	if c.heard.Load() < http2Start {
		c.heard.Add(int64(n))
	}
	return n, err
}

// Close implements net.Conn.
func (c *callConn) Close() error {
	c.front.mu.Lock()
	delete(c.front.calls, c)
	c.front.mu.Unlock()
	return c.Conn.Close()
}
