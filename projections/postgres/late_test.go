package postgres_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// late listens in front of a server, drops the first connection and passes the others on. It returns its address.
func late(tb testing.TB, server string) string {
	tb.Helper()
	listener := listen(tb)
	var running sync.WaitGroup
	running.Go(func() {
		for i := 0; ; i++ {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			if i == 0 {
				tb.Log("dropped:", client.Close())
				continue
			}
			running.Go(func() { relay(tb, client, server) })
		}
	})
	tb.Cleanup(func() {
		if err := listener.Close(); err != nil {
			tb.Error(err)
		}
		running.Wait()
	})
	return listener.Addr().String()
}

// relay passes bytes both ways until either side closes.
func relay(tb testing.TB, client net.Conn, server string) {
	tb.Helper()
	var dialer net.Dialer
	upstream, err := dialer.DialContext(tb.Context(), "tcp", server)
	if err != nil {
		tb.Log(err)
		client.Close() //nolint:errcheck,gosec // the test fails on its own
		return
	}
	var copying sync.WaitGroup
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // an end by error is an end
		to.Close()               //nolint:errcheck,gosec // it may be closed already
	}
	copying.Go(func() { pass(upstream, client) })
	copying.Go(func() { pass(client, upstream) })
	copying.Wait()
}
