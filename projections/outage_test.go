package projections_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/deploy/faultproxy"
	"aftercare/deploy/faultproxy/faultproxytest"
	"aftercare/deploy/localpg"
	"aftercare/projections"
	"aftercare/projections/feed"
	"aftercare/projections/feed/feedtest"
	"aftercare/projections/postgres"
	"aftercare/projections/postgres/pgtest"
)

func TestViewsGoOnWhenTheStoreIsBack(t *testing.T) {
	t.Parallel()
	b := benchOn(t, feedtest.Durable(t), pgtest.Pool(t), sums(nil))
	b.start(b.runner())
	b.wait(b.add("sum-1", 1), "sums")
	for range 2 {
		b.store.Stop()
		if _, err := b.store.Log().Head(t.Context()); err == nil {
			t.Error("the head of a stopped store: got no error")
		}
		b.store.Start()
		b.wait(b.add("sum-1", 1), "sums")
	}
	if diff := cmp.Diff([]sum{{"sum-1", 3, 3, 2}}, query[sum](b, `select * from view_sums.sum`)); diff != "" {
		t.Errorf("sums, -want +got:\n%s", diff)
	}
}

func TestARunnerStopsWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	b.store.Stop()
	stop := b.start(b.runner())
	for b.tracker.Connected() == nil {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_, _ = b.tracker.Wait(ctx, b.head(), "sums")
		cancel()
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestViewsGoOnWhenPostgresIsBack(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "aftercare-outage-") //nolint:usetesting // the server runs as another user, who may not enter the test's folder
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	start := func() *localpg.Cluster {
		cluster, err := localpg.Start(context.Background(), localpg.Options{Dir: dir, Fast: true})
		if err != nil {
			t.Fatal(err)
		}
		return cluster
	}
	stop := func(c *localpg.Cluster) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := c.Stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Log("stop postgres:", err)
		}
	}
	cluster := start()
	defer func() { stop(cluster) }()
	pool, err := postgres.Open(t.Context(), cluster.URL(), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := postgres.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	b := benchOn(t, feedtest.New(t), pool, sums(nil), lines())
	end := b.start(b.runner())
	b.wait(b.add("sum-1", 1), "sums", "lines")

	stop(cluster)
	at := b.add("sum-1", 1, 1, 1)
	for b.failing("sums") == nil {
		b.add("sum-2", 1)
	}
	cluster = start()
	b.wait(at, "sums", "lines")
	if err := end(); err != nil {
		t.Error(err)
	}
	got := query[sum](b, `select * from view_sums.sum where stream = 'sum-1'`)
	if diff := cmp.Diff([]sum{{"sum-1", 4, 4, 3}}, got); diff != "" {
		t.Errorf("sums, -want +got:\n%s", diff)
	}
	if got := b.parked(); got != 0 {
		t.Errorf("got %d parked events, want none", got)
	}
}

func TestAViewThatCannotGoOnDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil), lines())
	r := b.runner()
	r.Most, r.Patience = 10, 50*time.Millisecond
	b.start(r)
	b.wait(b.fill(3, 3), "sums", "lines")

	b.exec(`alter table view_lines.line rename to away`)
	at := b.fill(30, 30)
	b.wait(at, "sums")
	if err := b.failing("lines"); err == nil {
		t.Error("a view without its table: got no error")
	}
	b.exec(`alter table view_lines.away rename to line`)
	b.wait(at, "lines")
	if got := len(query[line](b, `select * from view_lines.line`)); got != 3*3+30*30 {
		t.Errorf("got %d lines, want %d", got, 3*3+30*30)
	}
	if got := b.parked(); got != 0 {
		t.Errorf("got %d parked events, want none", got)
	}
}

func TestStatusTellsTheLagOfAView(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	stop := b.start(b.runner())
	b.wait(b.add("sum-1", 1, 2), "sums")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := b.tracker.Health(t.Context(), 0, "sums"); err != nil {
		t.Errorf("health of a view that is up to date: %v", err)
	}
	head := b.add("sum-1", 3, 4, 5)
	all, err := b.tracker.Status(t.Context())
	if err != nil || all.Store != nil || len(all.Views) != 1 {
		t.Fatalf("got %+v and %v, want one view", all, err)
	}
	s := all.Views[0]
	if s.View != "sums" || s.Events != 2 || s.Lag.Events != 3 || s.Lag.More || s.Lag.Distance == 0 || all.Head.Position != head {
		t.Errorf("got %+v at head %v, want 2 events folded and 3 behind %v", s, all.Head, head)
	}
	if err := b.tracker.Health(t.Context(), 0, "sums"); !errors.Is(err, projections.ErrStuck) {
		t.Errorf("health of a view that is behind: got %v, want %v", err, projections.ErrStuck)
	}
	if err := b.tracker.Health(t.Context(), time.Hour, "sums"); err != nil {
		t.Errorf("health of a view that is behind for a moment: %v", err)
	}
	if err := b.tracker.Health(t.Context(), time.Hour, "nothing"); !errors.Is(err, projections.ErrUnknown) {
		t.Errorf("health of no view: got %v, want %v", err, projections.ErrUnknown)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	if err := projections.Ensure(t.Context(), b.pool, b.views...); err != nil {
		t.Fatal(err)
	}
	at := b.add("sum-1", 1)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	p, err := b.tracker.Wait(ctx, at, "sums")
	if !errors.Is(err, context.DeadlineExceeded) || p.Reached {
		t.Errorf("got %+v and %v, want %v", p, err, context.DeadlineExceeded)
	}
}

func TestWaitSeesARunnerOfAnotherProcess(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	r := b.runner()
	r.Tracker = &projections.Tracker{Pool: b.pool, Log: b.store.Log()}
	b.start(r)
	b.wait(b.add("sum-1", 1), "sums")
}

// The views are ahead of the head of another store, and so would seem up to date.
func TestHealthTellsOfAStoreThatWasReplaced(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil)) // whose store forgets everything when it stops
	b.start(b.runner())
	b.wait(b.add("sum-1", 1, 2, 3), "sums")
	b.store.Stop()
	b.store.Start()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !errors.Is(b.tracker.Health(ctx, time.Hour, "sums"), feed.ErrReplaced) {
		if ctx.Err() != nil {
			t.Fatal("a store without the views' events is taken for healthy")
		}
	}
}

// As when a firewall forgot the connections, or the database's machine went up in smoke and another took its address.
func TestViewsGoOnWhenConnectionsAreNeverAnswered(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil), lines())
	proxy, pool := b.through()
	r := b.runner()
	r.Pool, r.Answer = pool, 2*time.Second
	stop := b.start(r)
	b.wait(b.add("sum-1", 1), "sums", "lines")
	if proxy.Strand() == 0 {
		t.Fatal("there are no connections")
	}
	b.wait(b.add("sum-1", 1), "sums", "lines")
	proxy.Reset() // or closing the pool takes its time
	if err := stop(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]sum{{"sum-1", 2, 2, 1}}, query[sum](b, `select * from view_sums.sum`)); diff != "" {
		t.Errorf("sums, -want +got:\n%s", diff)
	}
}

func TestARunnerStopsWhilePostgresDoesNotAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil), lines())
	proxy, pool := b.through()
	r := b.runner()
	r.Pool, r.Drain = pool, 100*time.Millisecond
	stop := b.start(r)
	b.wait(b.add("sum-1", 1), "sums", "lines")
	proxy.Set(faultproxy.Faults{HoldDown: true})
	b.add("sum-1", 1)
	began := now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := now().Sub(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	proxy.Reset() // or closing the pool takes its time
	proxy.Set(faultproxy.Faults{})
}

func TestARunnerThatCannotReachTheStoreLeavesTheViewsToOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	proxy := faultproxytest.Listen(t, strings.TrimSuffix(strings.TrimPrefix(b.store.Log().URL, "esdb://"), "?tls=false"))
	log := &feed.Log{URL: "esdb://" + proxy.Addr() + "?tls=false&gossipTimeout=1"}
	t.Cleanup(log.Wait)
	first := b.runner()
	first.Log, first.Name, first.TTL = log, "first", 500*time.Millisecond
	first.Tracker = &projections.Tracker{Pool: b.pool, Log: log}
	b.start(first)
	kept := func(by string) {
		t.Helper()
		for deadline := now().Add(20 * time.Second); ; {
			status, err := b.tracker.Status(t.Context(), "sums")
			if err != nil || now().After(deadline) {
				t.Fatalf("got %+v and %v, want %s to keep the view", status.Views, err, by)
			}
			if len(status.Views) == 1 && status.Views[0].Holder == by {
				return
			}
		}
	}
	b.wait(b.add("sum-1", 1), "sums")
	kept("first")
	proxy.Set(faultproxy.Faults{Refuse: true})
	proxy.Reset()
	second := b.runner()
	second.Name, second.TTL = "second", first.TTL
	stop := b.start(second)
	b.wait(b.add("sum-1", 2), "sums")
	kept("second")
	if err := stop(); err != nil {
		t.Error(err)
	}
	kept("first") // as there is nobody else
	proxy.Set(faultproxy.Faults{})
	b.wait(b.add("sum-1", 3), "sums")
	if diff := cmp.Diff([]sum{{"sum-1", 3, 6, 2}}, query[sum](b, `select * from view_sums.sum`)); diff != "" {
		t.Errorf("sums, -want +got:\n%s", diff)
	}
}

// through is a pool of connections to the database through a proxy.
func (b *bench) through() (*faultproxy.Proxy, *pgxpool.Pool) {
	b.Helper()
	config := b.pool.Config()
	proxy := faultproxytest.Listen(b.TB, net.JoinHostPort(config.ConnConfig.Host, strconv.Itoa(int(config.ConnConfig.Port))))
	host, port, err := net.SplitHostPort(proxy.Addr())
	if err != nil {
		b.Fatal(err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		b.Fatal(err)
	}
	config.ConnConfig.Host, config.ConnConfig.Port = host, uint16(number)
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	return proxy, pool
}
