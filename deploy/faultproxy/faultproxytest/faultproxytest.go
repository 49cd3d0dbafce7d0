// Package faultproxytest runs proxies with faults for as long as a test.
package faultproxytest

import (
	"context"
	"testing"
	"time"

	"aftercare/deploy/faultproxy"
)

// Listen starts a proxy before the server at target, and closes it when the test ends.
func Listen(tb testing.TB, target string) *faultproxy.Proxy {
	tb.Helper()
	p, err := faultproxy.Listen(target)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := p.Close(); err != nil {
			tb.Error(err)
		}
	})
	return p
}

// Vacated waits until at most n connections are open: those of a client that is done close soon, not at once. It fails the
// test after 10 s.
func Vacated(tb testing.TB, p *faultproxy.Proxy, n int) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Second)
	defer cancel()
	for tick := time.Tick(time.Millisecond); p.Open() > n; {
		select {
		case <-tick:
		case <-ctx.Done():
			tb.Fatalf("%d connections are open, want %d at most", p.Open(), n)
		}
	}
}
