package feed_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/deploy/faultproxy"
	"aftercare/deploy/faultproxy/faultproxytest"
	"aftercare/domain"
	"aftercare/projections/feed"
	"aftercare/projections/feed/feedtest"
)

func TestFaultsBeforeTheEmbeddedNode(t *testing.T) {
	t.Parallel()
	feedtest.RunFaults(t, func(t *testing.T) feedtest.Remote {
		t.Helper()
		store := feedtest.Durable(t)
		return feedtest.Remote{URL: store.Log().URL, Restart: func() {
			store.Stop()
			store.Start()
		}}
	})
}

func TestFaultsBeforeARealServer(t *testing.T) {
	t.Parallel()
	url := os.Getenv("AFTERCARE_TEST_EVENTSTORE_URL")
	if url == "" {
		t.Skip("AFTERCARE_TEST_EVENTSTORE_URL names no server")
	}
	if !strings.HasPrefix(url, "esdb://") || strings.Contains(url, ",") {
		t.Skip("a client of a cluster goes where gossip says, past the proxy")
	}
	feedtest.RunFaults(t, func(*testing.T) feedtest.Remote { return feedtest.Remote{URL: url} })
}

func address(s *feedtest.Store) string {
	return strings.TrimSuffix(strings.TrimPrefix(s.Log().URL, "esdb://"), "?tls=false")
}

// through is a store's log behind a proxy.
func through(t *testing.T, s *feedtest.Store) (*feed.Log, *faultproxy.Proxy) {
	t.Helper()
	p := faultproxytest.Listen(t, address(s))
	log := &feed.Log{URL: "esdb://" + p.Addr() + "?tls=false&gossipTimeout=1"}
	t.Cleanup(log.Wait)
	return log, p
}

// A store answers at the address of another: nothing of it may be taken for what comes next, and it must be said.
func TestAReplacedStoreIsReportedAndNothingOfItDelivered(t *testing.T) {
	t.Parallel()
	for name, events := range map[string]int{"by an empty one": 0, "by one with less": 2, "by one with as much": 10, "by one with more": 40} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, other := feedtest.New(t), feedtest.New(t)
			last := publish(store, "case.opened.v1", 0, 10)
			if events > 0 {
				publish(other, "case.opened.v1", 100, 100+events)
			}
			t.Run("for one that saw the events", func(t *testing.T) {
				t.Parallel()
				replaced(t, store, other, domain.Position{}, 10)
			})
			if events < 10 { // else a position alone does not tell
				t.Run("for one that knows how far it was", func(t *testing.T) {
					t.Parallel()
					replaced(t, store, other, last, 0)
				})
			}
		})
	}
}

// replaced subscribes to a store until another takes its place, and until it is back.
func replaced(t *testing.T, store, other *feedtest.Store, after domain.Position, seen int) {
	t.Helper()
	log, p := through(t, store)
	observed := make(chan error, 1000)
	sub := feed.NewSubscriber(log, feed.Options{After: after, Observe: func(err error) { observed <- err }})
	t.Cleanup(func() { _ = sub.Close() })
	messages, err := sub.Subscribe(t.Context(), feed.All)
	if err != nil {
		t.Fatal(err)
	}
	take(t, messages, seen)
	for <-observed != nil { //nolint:revive // until it is connected
	}
	p.Lead(address(other))
	p.Reset()
	for reported := 0; reported < 2; {
		select {
		case err := <-observed:
			if errors.Is(err, feed.ErrReplaced) {
				reported++
			} else if err == nil {
				t.Error("the other store was taken for the first")
			}
		case m := <-messages:
			t.Fatalf("got event %s of the other store", m.Payload)
		case <-time.After(20 * time.Second):
			t.Fatal("nothing was reported")
		}
	}
	p.Lead(address(store))
	p.Reset()
	for {
		select {
		case err := <-observed:
			if err == nil {
				return
			}
		case <-time.After(20 * time.Second):
			t.Fatal("the store is back and was not found")
		}
	}
}

// The client's defects, v4.2.0: it ignores the context while it looks for a node, and leaks a connection when it connects again.
func TestAReadThatIsLeftWhileItConnectsLeavesNothing(t *testing.T) {
	t.Parallel()
	log, p := through(t, feedtest.New(t))
	p.Set(faultproxy.Faults{Silent: true})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := log.Head(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	log.Wait()
	p.Set(faultproxy.Faults{}) // a silent proxy does not see who has left
	faultproxytest.Vacated(t, p, 0)
}

func TestOutagesLeaveNoConnectionBehind(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	log, p := through(t, store)
	sub := feed.NewSubscriber(log, feed.Options{})
	t.Cleanup(func() { _ = sub.Close() })
	messages, err := sub.Subscribe(t.Context(), feed.All)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		publish(store, "case.opened.v1", n, n+1)
		if diff := cmp.Diff(numbers(n, n+1), take(t, messages, 1)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		faultproxytest.Vacated(t, p, 1)
		p.Reset()
	}
	if p.Taken() > 20 {
		t.Errorf("%d connections were made for 5 outages: they were not waited out", p.Taken())
	}
}

// A read that the store stops answering in the middle.
func TestAReadThatStallsEnds(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	for n := range 4 {
		e := event("case.opened.v1", n)
		e.Data = make([]byte, 900<<10) // more than is on its way at once
		store.Append("case-1", e)
	}
	log, p := through(t, store)
	log.Timeout = time.Second
	var err error
	n := 0
	for _, err = range log.Read(t.Context(), domain.Position{}) {
		if n++; n == 1 {
			p.Set(faultproxy.Faults{HoldDown: true})
		}
	}
	if err == nil || n > 4 {
		t.Errorf("got %v after %d steps, want an end in the middle", err, n)
	}
	p.Set(faultproxy.Faults{})
	faultproxytest.Vacated(t, p, 0)
}
