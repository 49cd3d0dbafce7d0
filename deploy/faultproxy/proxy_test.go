package faultproxy_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aftercare/deploy/faultproxy"
	"aftercare/deploy/faultproxy/faultproxytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers every connection with its name and then with what it gets, and counts the connections that are open.
type echo struct {
	addr string
	open sync.WaitGroup
}

func newEcho(t *testing.T, name string) *echo {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{addr: listener.Addr().String()}
	e.open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			e.open.Go(func() {
				defer conn.Close() //nolint:errcheck // it has ended
				_, _ = io.Copy(conn, io.MultiReader(strings.NewReader(name), conn))
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		e.open.Wait() // every connection has ended
	})
	return e
}

func dial(t *testing.T, p *faultproxy.Proxy) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// want reads exactly text.
func want(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	buf := make([]byte, len(text))
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second)) //nolint:forbidigo // a deadline of the network
	if _, err := io.ReadFull(conn, buf); err != nil || string(buf) != text {
		t.Fatalf("read %q, %v, want %q", buf, err, text)
	}
}

// silent holds a connection to saying nothing.
func silent(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Millisecond)) //nolint:forbidigo // a deadline of the network
	if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read %d bytes, %v, want silence", n, err)
	}
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

// count waits until the proxy has n connections.
func count(t *testing.T, p *faultproxy.Proxy, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for tick := time.Tick(time.Millisecond); p.Open() != n; {
		select {
		case <-tick:
		case <-ctx.Done():
			t.Fatalf("%d connections are open, want %d", p.Open(), n)
		}
	}
}

func TestBytesAndTheirEndAreForwarded(t *testing.T) {
	t.Parallel()
	p := faultproxytest.Listen(t, newEcho(t, "a").addr)
	conn := dial(t, p)
	send(t, conn, "hello")
	want(t, conn, "ahello")
	count(t, p, 1)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(conn); err != nil || len(rest) > 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
	count(t, p, 0)
	if p.Taken() != 1 {
		t.Errorf("%d connections were made, want 1", p.Taken())
	}
}

func TestLatencyDelaysBothWaysAndSlicesKeepTheOrder(t *testing.T) {
	t.Parallel()
	p := faultproxytest.Listen(t, newEcho(t, "a").addr)
	p.Set(faultproxy.Faults{Latency: 20 * time.Millisecond, Jitter: time.Millisecond, Slice: 7})
	conn := dial(t, p)
	want(t, conn, "a")
	began := time.Now() //nolint:forbidigo // the test measures
	send(t, conn, "0123456789")
	want(t, conn, "0123456789")
	if took := time.Since(began); took < 60*time.Millisecond { //nolint:forbidigo // see above
		t.Errorf("10 bytes in pieces of 7 took %v there and back, want 3 delays at least", took)
	}
}

func TestWhatIsHeldComesLaterAndInOrder(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string]faultproxy.Faults{"up": {HoldUp: true}, "down": {HoldDown: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := faultproxytest.Listen(t, newEcho(t, "a").addr)
			conn := dial(t, p)
			want(t, conn, "a")
			p.Set(faults)
			send(t, conn, "12")
			send(t, conn, "3")
			silent(t, conn)
			p.Set(faultproxy.Faults{})
			want(t, conn, "123")
		})
	}
}

func TestASilentProxyTakesConnectionsAndLeadsThemOnLater(t *testing.T) {
	t.Parallel()
	p := faultproxytest.Listen(t, newEcho(t, "a").addr)
	old := dial(t, p)
	want(t, old, "a")
	p.Set(faultproxy.Faults{Silent: true})
	conn := dial(t, p)
	silent(t, conn)
	send(t, old, "x")
	want(t, old, "x")
	p.Set(faultproxy.Faults{})
	want(t, conn, "a")
}

func TestResetsAreSeenAsSuch(t *testing.T) {
	t.Parallel()
	p := faultproxytest.Listen(t, newEcho(t, "a").addr)
	conn := dial(t, p)
	want(t, conn, "a")
	if n := p.Reset(); n != 1 {
		t.Errorf("%d connections were reset, want 1", n)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v, want a reset", err)
	}
	count(t, p, 0)
	p.Set(faultproxy.Faults{Refuse: true})
	refused(t, p)
	p.Set(faultproxy.Faults{})
	want(t, dial(t, p), "a")
}

// refused makes a connection that is reset, either at once or soon.
func refused(t *testing.T, p *faultproxy.Proxy) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.Addr())
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
		_ = conn.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a refused connection: %v, want a reset", err)
	}
}

func TestStrandedConnectionsAreSilentForGood(t *testing.T) {
	t.Parallel()
	p := faultproxytest.Listen(t, newEcho(t, "a").addr)
	conn := dial(t, p)
	want(t, conn, "a")
	if n := p.Strand(); n != 1 {
		t.Errorf("%d connections were stranded, want 1", n)
	}
	send(t, conn, "lost")
	silent(t, conn)
	p.Set(faultproxy.Faults{})
	silent(t, conn)
	want(t, dial(t, p), "a") // new ones are not concerned
	count(t, p, 2)
	_ = conn.Close()
	count(t, p, 1)
}

func TestAStrandedConnectionEndsWhoeverLeavesFirst(t *testing.T) {
	t.Parallel()
	target := newEcho(t, "a")
	p := faultproxytest.Listen(t, target.addr)
	conn := dial(t, p)
	want(t, conn, "a")
	p.Set(faultproxy.Faults{HoldDown: true})
	_ = conn.Close() // which reaches the server, whose end is held
	p.Strand()
	p.Set(faultproxy.Faults{})
	count(t, p, 0)
}

func TestNewConnectionsAreLedToTheNewTarget(t *testing.T) {
	t.Parallel()
	p := faultproxytest.Listen(t, newEcho(t, "a").addr)
	old := dial(t, p)
	want(t, old, "a")
	p.Lead(newEcho(t, "b").addr)
	want(t, dial(t, p), "b")
	send(t, old, "still a")
	want(t, old, "still a")
}

func TestATargetThatIsAwayEndsTheConnection(t *testing.T) {
	t.Parallel()
	p := faultproxytest.Listen(t, "127.0.0.1:1")
	refused(t, p)
	count(t, p, 0)
}

func TestClosingEndsEverything(t *testing.T) {
	t.Parallel()
	p := faultproxytest.Listen(t, newEcho(t, "a").addr)
	live := dial(t, p)
	want(t, live, "a")
	stranded := dial(t, p)
	want(t, stranded, "a")
	p.Set(faultproxy.Faults{HoldUp: true, HoldDown: true, Silent: true})
	waiting := dial(t, p)
	count(t, p, 3)
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, conn := range []net.Conn{live, stranded, waiting} {
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read after closing: %v", err)
		}
	}
}
