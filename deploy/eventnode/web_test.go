package eventnode_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/deploy/eventnode"
	"aftercare/deploy/eventnode/crashtest"
)

// page is what HTTP answered.
type page struct {
	status int
	body   string
}

func browser(tb testing.TB, pool *x509.CertPool) *http.Client {
	tb.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func get(tb testing.TB, c *http.Client, method, address, user, password string) page {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, address, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	res, err := c.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return page{res.StatusCode, string(body)}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	c := browser(t, nil)
	for name, tc := range map[string]struct {
		method, path string
		want         int
	}{
		"live":            {http.MethodGet, "/health/live", http.StatusNoContent},
		"live, head":      {http.MethodHead, "/health/live", http.StatusNoContent},
		"live, as wished": {http.MethodGet, "/health/live?liveCode=200", http.StatusOK},
		"live, posted":    {http.MethodPost, "/health/live", http.StatusMethodNotAllowed},
		"ready":           {http.MethodGet, "/health/ready", http.StatusNoContent},
		"metrics":         {http.MethodGet, "/metrics", http.StatusOK},
		"nothing":         {http.MethodGet, "/", http.StatusNotFound},
	} {
		if got := get(t, c, tc.method, "http://"+n.Addr()+tc.path, "", ""); got.status != tc.want {
			t.Errorf("%s: got %v, want %d", name, got, tc.want)
		}
	}
	put(t, connect(t, n), "s", esdb.Any{}, event("gRPC is on the same port"))
}

func TestANodeThatCannotWriteIsNotReady(t *testing.T) {
	t.Parallel()
	var full atomic.Bool
	var now atomic.Int64
	n := start(t, eventnode.Options{
		Now:   func() time.Time { return time.Unix(now.Load(), 0) },
		Files: crashtest.Faulty(crashtest.Fails(full.Load, syscall.ENOSPC, crashtest.Write)),
	})
	c, es := browser(t, nil), connect(t, n)
	ready := func(when string, want int, reason string) {
		t.Helper()
		got := get(t, c, http.MethodGet, "http://"+n.Addr()+"/health/ready", "", "")
		if got.status != want || !strings.Contains(got.body, reason) {
			t.Errorf("%s: got %v, want %d and %q", when, got, want, reason)
		}
	}
	fails := func() {
		t.Helper()
		if err := appendAs(t.Context(), es, nil); err == nil {
			t.Fatal("an append succeeded on a full disk")
		}
	}
	full.Store(true)
	fails()
	ready("after a failed write", http.StatusServiceUnavailable, "no space left on device")
	if got := get(t, c, http.MethodGet, "http://"+n.Addr()+"/health/live", "", ""); got.status != http.StatusNoContent {
		t.Errorf("live: got %v", got)
	}
	now.Add(11)
	ready("given another chance", http.StatusNoContent, "")
	fails()
	ready("after it failed again", http.StatusServiceUnavailable, "no space left on device")
	full.Store(false)
	if err := appendAs(t.Context(), es, nil); err != nil {
		t.Fatal(err)
	}
	ready("after a write succeeded", http.StatusNoContent, "")
	metrics := get(t, c, http.MethodGet, "http://"+n.Addr()+"/metrics", "", "").body
	for _, want := range []string{"eventnode_write_failures_total 2", "eventnode_last_write_failure_timestamp_seconds 11"} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("metrics do not say %s", want)
		}
	}
}

func TestAStoppingNodeIsNotReady(t *testing.T) {
	t.Parallel()
	writing, disk := make(chan struct{}, 1), make(chan struct{})
	n := startFaulty(t, func() error {
		writing <- struct{}{}
		<-disk
		return nil
	})
	es := connect(t, n)
	sub := subscribe(t, es, esdb.SubscribeToAllOptions{From: esdb.Start{}})
	untilCaughtUp(t, sub)
	appended := make(chan error, 1)
	go func() { appended <- appendAs(context.WithoutCancel(t.Context()), es, nil) }()
	<-writing
	closed := make(chan error, 1)
	go func() { closed <- n.Close() }()
	if e := sub.Recv(); e.SubscriptionDropped == nil {
		t.Errorf("got %+v, want that the subscription ends", e)
	}
	got := get(t, browser(t, nil), http.MethodGet, "http://"+n.Addr()+"/health/ready", "", "")
	if got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "stopping") {
		t.Errorf("got %v, want that it stops", got)
	}
	close(disk)
	if err := <-appended; err != nil {
		t.Errorf("append: %v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{Dir: t.TempDir()})
	es := connect(t, n)
	put(t, es, "s", esdb.NoStream{}, events("0", "1")...)
	if _, err := es.AppendToStream(t.Context(), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, event("x")); err == nil {
		t.Fatal("a wrong revision was accepted")
	}
	if _, err := readStream(t, es, "s", forwards()); err != nil {
		t.Fatal(err)
	}
	untilCaughtUp(t, subscribe(t, es, esdb.SubscribeToAllOptions{From: esdb.End{}}))
	got := get(t, browser(t, nil), http.MethodGet, "http://"+n.Addr()+"/metrics", "", "").body
	for _, want := range []string{
		`eventnode_appends_total{outcome="written"} 1`,
		`eventnode_appends_total{outcome="wrong_revision"} 1`,
		`eventnode_appends_total{outcome="error"} 0`,
		`eventnode_append_duration_seconds_count 2`,
		`eventnode_written_events_total 2`,
		`eventnode_group_requests_count 1`,
		`eventnode_sync_duration_seconds_count 1`,
		`eventnode_reads_total{of="stream"} 1`,
		`eventnode_delivered_events_total 2`,
		`eventnode_subscriptions{of="all"} 1`,
		`eventnode_subscriptions{of="stream"} 0`,
		`eventnode_index_waiting_entries 2`,
		`eventnode_write_failures_total 0`,
		`eventnode_last_write_failure_timestamp_seconds 0`,
	} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("there is no %s", want)
		}
	}
	for _, name := range []string{"eventnode_log_end_bytes ", "eventnode_written_bytes_total ", "go_goroutines "} {
		if !strings.Contains(got, "\n"+name) {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestMetricsOfGroups(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	es := connect(t, n)
	put(t, es, "s", esdb.NoStream{}, events("0", "1", "2")...)
	group(t, es, "s", "g", esdb.Start{}, nil)
	unread := get(t, browser(t, nil), http.MethodGet, "http://"+n.Addr()+"/metrics", "", "").body
	for _, want := range []string{"consumers", "waiting_events", "in_flight_events", "parked_events"} {
		if !strings.Contains(unread, "\neventnode_group_"+want+`{group="g",stream="s"} 0`+"\n") {
			t.Errorf("there is no %s", want)
		}
	}
	if !strings.Contains(unread, "\n"+`eventnode_group_unread_events{group="g",stream="s"} 3`+"\n") {
		t.Error("the group has not read three events, and does not say so")
	}
}

// TestANodeWithADamagedIndexIsNotReady damages the index under a running node. Only a restart helps, so whoever watches must see it.
func TestANodeWithADamagedIndexIsNotReady(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	once(t, dir, func(c *esdb.Client) { put(t, c, "s", esdb.Any{}, event("x")) })
	n := start(t, eventnode.Options{Dir: dir, NoSync: true})
	ready := func(want int) {
		t.Helper()
		got := get(t, browser(t, nil), http.MethodGet, "http://"+n.Addr()+"/health/ready", "", "")
		if got.status != want {
			t.Errorf("got %v, want %d", got, want)
		}
	}
	ready(http.StatusNoContent)
	if err := zero(filepath.Join(dir, "index.db"), 2*4096); err != nil { // behind bbolt's own headers
		t.Fatal(err)
	}
	if _, err := readStream(t, connect(t, n), "s", forwards()); err == nil {
		t.Fatal("a read succeeded")
	}
	ready(http.StatusServiceUnavailable)
}

// zero overwrites a file from an offset on.
func zero(path string, from int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(make([]byte, info.Size()-from), from)
	}
	return errors.Join(err, f.Close())
}

func TestMetricsNeedAUser(t *testing.T) {
	t.Parallel()
	o, pool := encrypted(t, eventnode.Options{Users: map[string]string{"admin": hashed(t, "secret")}})
	n := start(t, o)
	c := browser(t, pool) // offers HTTP/2 and HTTP/1, as Prometheus does
	for path, tc := range map[string]struct {
		user, password string
		want           int
	}{
		"/health/live":  {"", "", http.StatusNoContent},
		"/health/ready": {"", "", http.StatusNoContent},
		"/metrics":      {"admin", "secret", http.StatusOK},
		"/metrics?a":    {"", "", http.StatusUnauthorized},
		"/metrics?b":    {"admin", "wrong", http.StatusUnauthorized},
	} {
		if got := get(t, c, http.MethodGet, "https://"+n.Addr()+path, tc.user, tc.password); got.status != tc.want {
			t.Errorf("%s: got %v, want %d", path, got, tc.want)
		}
	}
}

func TestScavengeOverHTTP(t *testing.T) {
	t.Parallel()
	o, pool := encrypted(t, eventnode.Options{Dir: t.TempDir(), Users: map[string]string{"admin": hashed(t, "secret"), "reader": hashed(t, "other")}})
	n := start(t, o)
	es := login(t, n, pool, "admin", "secret")
	put(t, es, "s", esdb.Any{}, events("0", "1", "2")...)
	setMeta(t, es, "s", `{"$maxCount":1}`)
	c, address := browser(t, pool), "https://"+n.Addr()+"/admin/scavenge"
	for name, tc := range map[string]struct {
		method, user, password string
		want                   int
	}{
		"nobody":      {http.MethodPost, "", "", http.StatusUnauthorized},
		"not admin":   {http.MethodPost, "reader", "other", http.StatusForbidden},
		"only looked": {http.MethodGet, "admin", "secret", http.StatusMethodNotAllowed},
	} {
		if got := get(t, c, tc.method, address, tc.user, tc.password); got.status != tc.want {
			t.Errorf("%s: got %v, want %d", name, got, tc.want)
		}
	}
	got := get(t, c, http.MethodPost, address, "admin", "secret")
	if got.status != http.StatusOK || !strings.Contains(got.body, `"events":2`) {
		t.Errorf("got %v, want that two events are gone", got)
	}
	memory := start(t, eventnode.Options{})
	if got := get(t, browser(t, nil), http.MethodPost, "http://"+memory.Addr()+"/admin/scavenge", "", ""); got.status != http.StatusConflict {
		t.Errorf("in memory: got %v, want a conflict", got)
	}
}

// TestSilentConnectionsDoNotHoldUpTheEnd connects and says nothing, or nearly nothing.
func TestSilentConnectionsDoNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	var conns []net.Conn
	for _, said := range []string{"", "P", "PRI * HTTP/2.0\r\n", "GET /health/live HTTP/1.1\r\n"} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", n.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, said); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	put(t, connect(t, n), "s", esdb.Any{}, event("others are served meanwhile"))
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	for i, conn := range conns {
		if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("connection %d: got %v, want that it is closed", i, err)
		}
	}
}
