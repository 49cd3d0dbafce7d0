package eventstore_test

import (
	"errors"
	"testing"
	"time"

	"aftercare/commands"
	"aftercare/commands/eventstore"
	"aftercare/commands/logtest"
	"aftercare/deploy/eventnode/eventnodetest"
	"aftercare/deploy/faultproxy"
	"aftercare/deploy/faultproxy/faultproxytest"
	"aftercare/domain"
)

// cluster is one store behind two addresses, one of which leads. Two other addresses know by gossip which.
type cluster struct {
	gossips [2]*eventnodetest.Stub
	seeds   [2]*faultproxy.Proxy // before the gossips
	members [2]*faultproxy.Proxy
	silent  bool // the first leader fell silent
}

// hush makes the first leader fall silent.
func (c *cluster) hush() {
	c.silent = true
	c.members[0].Set(faultproxy.Faults{Silent: true})
	c.members[0].Strand()
}

func newCluster(t *testing.T, n *node) *cluster {
	t.Helper()
	c := &cluster{}
	for i := range c.gossips {
		c.gossips[i] = (&eventnodetest.Stub{}).Start(t)
		c.seeds[i] = faultproxytest.Listen(t, c.gossips[i].Addr())
		c.members[i] = faultproxytest.Listen(t, n.options.Listen)
	}
	c.lead(0)
	return c
}

func (c *cluster) url() string {
	return "esdb://" + c.seeds[0].Addr() + "," + c.seeds[1].Addr() + "?tls=false" + faultSettings
}

func (c *cluster) lead(member int) {
	for _, g := range c.gossips {
		g.Lead(c.members[member].Addr())
	}
}

// The leader moves while writers write: by gossip the new one is found, however the old one went.
func TestTheLeaderMoves(t *testing.T) {
	t.Parallel()
	// Longest of all is a black hole that gossip still calls the leader when it is looked for: each seed in turn leads
	// there, for the second that gossip may take, and then again.
	const bound = 4*faultTimeout + faultRetry + 2*time.Second
	// A Follow notices a silent node by pings, which takes long, and is looked at once.
	const silent = "from a node that fell silent"
	ways := map[string]func(c *cluster){
		"to a node that leads while the old one goes on": func(c *cluster) { c.lead(1) },
		"from a node that refuses": func(c *cluster) {
			c.members[0].Set(faultproxy.Faults{Refuse: true})
			c.members[0].Reset()
			c.lead(1)
		},
		silent: func(c *cluster) {
			c.hush()
			c.lead(1)
		},
		"from a node that fell silent, with a seed": func(c *cluster) {
			c.seeds[0].Set(faultproxy.Faults{Silent: true})
			c.hush()
			c.lead(1)
		},
		"after a time without a leader": func(c *cluster) {
			c.members[0].Set(faultproxy.Faults{Refuse: true})
			c.members[0].Reset()
			for _, g := range c.gossips {
				g.Lead("")
			}
			<-time.After(faultRetry) // an election
			c.lead(1)
		},
		"which gossip tells late": func(c *cluster) {
			c.hush()
			<-time.After(faultTimeout)
			c.lead(1)
		},
	}
	for name, move := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			c := newCluster(t, n)
			log := openLog(t, c.url(), logtest.Codec(), eventstore.Options{OperationTimeout: faultTimeout, RetryFor: faultRetry, MaxConnections: 4})
			followed := follow(t, log)
			next := 0
			write := func(want bool) bool {
				began := time.Now() //nolint:forbidigo // the test measures
				_, err := log.Append(t.Context(), "logtest-1", commands.Expected(next-1), counted(next))
				if took := time.Since(began); took > faultTimeout+faultRetry+time.Second { //nolint:forbidigo // see above
					t.Errorf("an append took %v", took)
				}
				if err != nil && (want || !errors.Is(err, commands.ErrUnavailable)) {
					t.Fatalf("append %d: %v", next, err)
				}
				if err == nil {
					next++
				}
				return err == nil
			}
			for range 3 {
				write(true)
			}
			followed.wait(t, next, faultTimeout)
			began := time.Now() //nolint:forbidigo // the test measures
			move(c)
			for !write(false) {
				if took := time.Since(began); took > bound { //nolint:forbidigo // see above
					t.Fatalf("no append succeeded within %v", took)
				}
			}
			t.Logf("%s: an append succeeded %v after the move began", name, time.Since(began)) //nolint:forbidigo // see above
			for range 3 {
				write(true)
			}
			if name == silent || !c.silent {
				followed.wait(t, next, faultSilence+2*faultTimeout)
			}
		})
	}
}

// numbers are those of the events a Follow brought.
type numbers chan int

// follow follows from the start until the test ends.
func follow(t *testing.T, log *eventstore.Log) numbers {
	t.Helper()
	came, ended := make(numbers, 1000), make(chan error, 1)
	go func() {
		ended <- log.Follow(t.Context(), domain.Position{}, nil, func(batch []domain.Recorded, _ bool) error {
			for _, r := range batch {
				came <- r.Event.(logtest.Counted).N
			}
			return nil
		})
	}()
	t.Cleanup(func() {
		if err := <-ended; !errors.Is(err, t.Context().Err()) {
			t.Errorf("follow: %v", err)
		}
		for len(came) > 0 {
			t.Errorf("followed %d once more", <-came)
		}
	})
	return came
}

// wait holds the next events to be those up to n, in order.
func (came numbers) wait(t *testing.T, n int, limit time.Duration) {
	t.Helper()
	late := time.After(limit + 2*time.Second)
	for first := -1; first < n-1; {
		select {
		case got := <-came:
			if first >= 0 && got != first+1 {
				t.Errorf("followed %d after %d", got, first)
			}
			first = got
		case <-late:
			t.Fatalf("followed up to %d, want %d", first, n-1)
		}
	}
}
