package feedtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"

	"aftercare/deploy/faultproxy"
	"aftercare/deploy/faultproxy/faultproxytest"
	"aftercare/projections/feed"
)

// Remote is a store under test that is reached over a network. Others may use it, too: the suite keeps to events of its own.
type Remote struct {
	// URL is the store's connection string, of one host.
	URL string
	// Restart stops the store and starts it again with its events at the same address. Nil when a test cannot.
	Restart func()
}

const (
	faultTimeout = time.Second
	// gRPC pings no more often than every 10 s, whatever a connection string says.
	faultSettings = "&gossipTimeout=1&keepAliveInterval=10000&keepAliveTimeout=500"
	faultSilence  = 10*time.Second + 500*time.Millisecond
	// slack is what a busy machine may take longer.
	slack = 2 * time.Second
)

// RunFaults holds a feed to its promises behind a network that fails. Reads end in time. A subscription goes on soon after
// a fault, and delivers every event once and in order, whatever happens to its connections; only a nack makes it deliver
// again, from that message on, with what was handed out before the nack was seen. No connection is left over. open is called
// once a test.
//
// A random schedule of faults runs for 6 s, or as long as AFTERCARE_TEST_FAULTS says ("5m"; give go test a -timeout to
// match). It is made from a seed that is logged, and can be set with AFTERCARE_TEST_FAULTS_SEED; the network's own timing
// is not repeated by it.
func RunFaults(t *testing.T, open func(t *testing.T) Remote) {
	t.Helper()
	for _, f := range faults {
		t.Run("recovery from "+f.name, func(t *testing.T) {
			t.Parallel()
			recovery(t, newTrial(t, open(t)), f)
		})
	}
	t.Run("any schedule of faults", func(t *testing.T) {
		t.Parallel()
		anySchedule(t, newTrial(t, open(t)))
	})
}

// fault is something a network or a store does.
type fault struct {
	name string
	// begin starts it. What it returns ends it.
	begin func(x *trial) (end func())
	// silent says that a live connection may be dead afterwards without a sign.
	silent bool
	// restarts says that the store is restarted.
	restarts bool
}

func set(f faultproxy.Faults) func(*trial) func() {
	return func(x *trial) func() {
		x.proxy.Set(f)
		return func() { x.proxy.Set(faultproxy.Faults{}) }
	}
}

var faults = []fault{
	{name: "latency", begin: set(faultproxy.Faults{Latency: 10 * time.Millisecond, Jitter: 20 * time.Millisecond})},
	{name: "bytes in slices", begin: set(faultproxy.Faults{Latency: 100 * time.Microsecond, Slice: 5})},
	{name: "silence of the store", begin: set(faultproxy.Faults{HoldDown: true})},
	{name: "silence towards the store", begin: set(faultproxy.Faults{HoldUp: true})},
	{name: "a reset", begin: func(x *trial) func() {
		x.proxy.Reset()
		return func() {}
	}},
	{name: "a refusal", begin: func(x *trial) func() {
		x.proxy.Set(faultproxy.Faults{Refuse: true})
		x.proxy.Reset()
		return func() { x.proxy.Set(faultproxy.Faults{}) }
	}},
	{name: "connections that died without a word", silent: true, begin: func(x *trial) func() {
		x.proxy.Strand()
		return func() {}
	}},
	{name: "a black hole", silent: true, begin: func(x *trial) func() {
		x.proxy.Set(faultproxy.Faults{Silent: true})
		x.proxy.Strand()
		return func() { x.proxy.Set(faultproxy.Faults{}) }
	}},
	{name: "a restart", restarts: true, begin: func(x *trial) func() {
		x.restart()
		return func() {}
	}},
}

// recovery subscribes before, and reads during and after one fault.
func recovery(t *testing.T, x *trial, f fault) {
	t.Helper()
	if f.restarts && x.remote.Restart == nil {
		t.Skip("this store cannot be restarted by a test")
	}
	sub := feed.NewSubscriber(x.log, feed.Options{Ahead: 10, Progress: true})
	messages, err := sub.Subscribe(t.Context(), x.topic)
	if err != nil {
		t.Fatal(err)
	}
	const some = 50
	x.publish(some)
	take(t, messages, 0, some, time.After(20*time.Second))
	end := f.begin(x)
	x.publish(some)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	timed(t, "the head, until a deadline", 300*time.Millisecond, func() { _, _ = x.log.Head(ctx) })
	timed(t, "the head", 2*faultTimeout, func() { _, _ = x.log.Head(t.Context()) })
	timed(t, "a read", 2*faultTimeout, func() { _, _ = x.log.At(t.Context(), x.start) })
	end()
	x.publish(some)
	limit := 6*faultTimeout + slack // it waits about as long again as the fault took
	if f.silent {
		limit = faultSilence + faultTimeout + slack
	}
	healed := wall()
	take(t, messages, some, 3*some, time.After(limit))
	t.Logf("%s: the subscription went on after %v", f.name, healed())
	if _, err := x.log.Head(t.Context()); err != nil {
		t.Errorf("the head afterwards: %v", err)
	}
	if err := sub.Close(); err != nil {
		t.Error(err)
	}
	faultproxytest.Vacated(t, x.proxy, 0)
}

// timed holds a read to its time. Whether it succeeds is up to the fault.
func timed(t *testing.T, what string, limit time.Duration, read func()) {
	t.Helper()
	took := wall()
	if read(); took() > limit+slack {
		t.Errorf("%s took %v, want %v at most", what, took(), limit)
	}
}

// wall returns how much time has passed since the call.
func wall() func() time.Duration {
	began := time.Now()                                      //nolint:forbidigo // the suite measures
	return func() time.Duration { return time.Since(began) } //nolint:forbidigo // see above
}

// take receives and acks the events numbered from one number up to another, and no others.
func take(t *testing.T, messages <-chan *message.Message, from, to int, late <-chan time.Time) {
	t.Helper()
	for n := from; n < to; {
		select {
		case m := <-messages:
			m.Ack()
			if feed.ProgressOf(m) != 0 {
				continue
			}
			if got := string(m.Payload); got != strconv.Itoa(n) {
				t.Fatalf("got event %s, want %d", got, n)
			}
			n++
		case <-late:
			t.Fatalf("event %d did not come in time", n)
		}
	}
}

// anySchedule lets subscribers live through random faults while events are written.
func anySchedule(t *testing.T, x *trial) {
	t.Helper()
	lasts, random := schedule(t)
	var consuming sync.WaitGroup
	consumers := []*consumer{{}, {ahead: 16}, {ahead: 8, nacks: rand.New(rand.NewPCG(random.Uint64(), 0))}} //nolint:gosec // not a secret
	var subs []*feed.Subscriber
	for _, c := range consumers {
		sub := feed.NewSubscriber(x.log, feed.Options{Ahead: c.ahead, Progress: true, NackDelay: time.Millisecond})
		messages, err := sub.Subscribe(t.Context(), x.topic)
		if err != nil {
			t.Fatal(err)
		}
		subs, c.grown = append(subs, sub), make(chan struct{}, 1)
		consuming.Go(func() { c.consume(messages) })
	}
	enough := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for {
			select {
			case <-enough:
				return
			case <-time.After(time.Millisecond):
				x.publish(3)
			}
		}
	})
	count := map[string]int{}
	for took := wall(); took() < lasts; {
		f := faults[random.IntN(len(faults))]
		if f.restarts && x.remote.Restart == nil {
			continue
		}
		count[f.name]++
		end := f.begin(x)
		<-time.After(time.Duration(random.IntN(700)) * time.Millisecond) // a fault takes time
		end()
		<-time.After(time.Duration(random.IntN(300)) * time.Millisecond) // and so does good weather
	}
	close(enough)
	writing.Wait()
	t.Logf("faults: %v; %d events", count, x.next)

	want := make([]string, x.next)
	for n := range want {
		want[n] = strconv.Itoa(n)
	}
	late := time.After(faultSilence + 8*faultTimeout + slack)
	for i, c := range consumers {
		if got := c.wait(len(want), late); !slices.Equal(got, want) {
			t.Errorf("subscriber %d acked (-log +subscriber):\n%s", i, cmp.Diff(want, got))
		}
	}
	for _, sub := range subs {
		if err := sub.Close(); err != nil {
			t.Error(err)
		}
	}
	consuming.Wait() // it may still have been nacking progress
	if r := consumers[2].repeated; r == 0 {
		t.Error("nothing was ever delivered again")
	}
	faultproxytest.Vacated(t, x.proxy, 0)
}

// consumer acks, and keeps what it acked. It takes several messages at once where it may, and nacks now and then.
type consumer struct {
	ahead    int
	nacks    *rand.Rand
	grown    chan struct{}
	repeated int

	mu    sync.Mutex
	acked []string
}

func (c *consumer) consume(messages <-chan *message.Message) {
	var again string // the message that was nacked: what is handed out before it comes again was on its way, and comes again, too
	for m := range messages {
		if again != "" && m.UUID != again {
			continue
		}
		again = ""
		batch := []*message.Message{m}
		for more := true; more && len(batch) < c.ahead; {
			select {
			case m, ok := <-messages:
				if more = ok; ok {
					batch = append(batch, m)
				}
			case <-time.After(time.Millisecond):
				more = false
			}
		}
		for _, m := range batch {
			if c.nacks != nil && c.nacks.IntN(20) == 0 {
				m.Nack() // takes back all that is in flight
				c.repeated++
				again = m.UUID
				break
			}
			if feed.ProgressOf(m) == 0 {
				c.mu.Lock()
				c.acked = append(c.acked, string(m.Payload))
				c.mu.Unlock()
			}
			m.Ack()
		}
		select {
		case c.grown <- struct{}{}:
		default:
		}
	}
}

// wait returns what was acked once that is n, or it is late.
func (c *consumer) wait(n int, late <-chan time.Time) []string {
	for {
		c.mu.Lock()
		acked := slices.Clone(c.acked)
		c.mu.Unlock()
		if len(acked) >= n {
			return acked
		}
		select {
		case <-c.grown:
		case <-late:
			return acked
		}
	}
}

// schedule returns how long faults go on, and what chooses them.
func schedule(t *testing.T) (time.Duration, *rand.Rand) {
	t.Helper()
	lasts, err := time.ParseDuration("6s")
	if text := os.Getenv("AFTERCARE_TEST_FAULTS"); text != "" {
		lasts, err = time.ParseDuration(text)
	}
	seed := rand.Uint64() //nolint:gosec // not a secret
	if text := os.Getenv("AFTERCARE_TEST_FAULTS_SEED"); text != "" {
		var malformed error
		seed, malformed = strconv.ParseUint(text, 10, 64)
		err = errors.Join(err, malformed)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("AFTERCARE_TEST_FAULTS=%v AFTERCARE_TEST_FAULTS_SEED=%d", lasts, seed)
	return lasts, rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // not a secret
}
