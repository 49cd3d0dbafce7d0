package logtest

import (
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"aftercare/commands"
	"aftercare/deploy/faultproxy"
	"aftercare/deploy/faultproxy/faultproxytest"
	"aftercare/domain"
)

// Remote is a store under test that is reached over a network. Others may use it, too: the suite keeps to streams of its own.
type Remote struct {
	// Addr is the store's host:port.
	Addr string
	// Open returns the store's log, seen through Codec, as reached at addr, and what closes it. The log must be a
	// commands.Follower.
	Open func(t *testing.T, addr string) (log commands.Log, closing func())
	// Restart stops the store and starts it again with its records. It returns its address, which may be another. Nil when
	// the store cannot be restarted.
	Restart func(t *testing.T) (addr string)

	// Call is how long an append, or a read of one page, may take whatever happens, as the logs of Open are configured.
	Call time.Duration
	// Connections is how many of them a log may have for its calls. Each Follow has one more.
	Connections int
	// Silence is after how long a Follow must have noticed that its connection died without a word.
	Silence time.Duration
}

// lastsVariable names how long a random schedule of faults goes on.
const lastsVariable = "AFTERCARE_TEST_FAULTS"

// slack is what a busy machine may take longer.
const slack = 2 * time.Second

// wall returns how much time has passed since the call.
func wall() func() time.Duration {
	began := time.Now()                                      //nolint:forbidigo // the suite measures
	return func() time.Duration { return time.Since(began) } //nolint:forbidigo // see above
}

// RunFaults holds a store's log to its contract behind a network that fails: no call outlasts its time, everything goes on
// soon after a fault, nothing acknowledged is lost, doubled or moved, and no connection is left over. open is called once a
// test.
//
// A random schedule of faults runs for 6 s, or as long as AFTERCARE_TEST_FAULTS says ("5m"; give go test a -timeout to
// match). It is made from a seed that is logged, and can be set with AFTERCARE_TEST_FAULTS_SEED; the network's own timing
// is not repeated by it.
func RunFaults(t *testing.T, open func(t *testing.T) Remote) {
	t.Helper()
	for _, f := range faults {
		t.Run("recovery from "+f.name, func(t *testing.T) {
			t.Parallel()
			recovery(t, open(t), f)
		})
	}
	t.Run("any schedule of faults", func(t *testing.T) {
		t.Parallel()
		anySchedule(t, open(t))
	})
}

// fault is something a network or a store does.
type fault struct {
	name string
	// begin starts it. What it returns ends it.
	begin func(t *testing.T, r Remote, p *faultproxy.Proxy) (end func())
	// silent says that a live connection may be dead afterwards without a sign.
	silent bool
	// harmless says that calls succeed meanwhile.
	harmless bool
	// like says that a Follow goes on as after another fault: it is only waited for in a long run.
	like bool
}

func set(f faultproxy.Faults) func(*testing.T, Remote, *faultproxy.Proxy) func() {
	return func(_ *testing.T, _ Remote, p *faultproxy.Proxy) func() {
		p.Set(f)
		return func() { p.Set(faultproxy.Faults{}) }
	}
}

var faults = []fault{
	{name: "latency", harmless: true, begin: set(faultproxy.Faults{Latency: 10 * time.Millisecond, Jitter: 20 * time.Millisecond})},
	// A piece takes about a millisecond, since timers are no finer, and a connection with TLS begins with some thousand bytes.
	{name: "bytes in slices", harmless: true, begin: set(faultproxy.Faults{Latency: 100 * time.Microsecond, Slice: 50})},
	{name: "silence of the store", begin: set(faultproxy.Faults{HoldDown: true})},
	{name: "silence towards the store", begin: set(faultproxy.Faults{HoldUp: true})},
	{name: "a reset", harmless: true, begin: func(_ *testing.T, _ Remote, p *faultproxy.Proxy) func() {
		p.Reset()
		return func() {}
	}},
	{name: "a refusal", begin: func(_ *testing.T, _ Remote, p *faultproxy.Proxy) func() {
		p.Set(faultproxy.Faults{Refuse: true})
		p.Reset()
		return func() { p.Set(faultproxy.Faults{}) }
	}},
	{name: "connections that died without a word", silent: true, begin: func(_ *testing.T, _ Remote, p *faultproxy.Proxy) func() {
		p.Strand()
		return func() {}
	}},
	{name: "a black hole", silent: true, like: true, begin: func(_ *testing.T, _ Remote, p *faultproxy.Proxy) func() {
		p.Set(faultproxy.Faults{Silent: true})
		p.Strand()
		return func() { p.Set(faultproxy.Faults{}) }
	}},
	{name: "a restart", begin: func(t *testing.T, r Remote, p *faultproxy.Proxy) func() {
		t.Helper()
		if r.Restart == nil {
			t.Skip("this store cannot be restarted by a test")
		}
		p.Lead(r.Restart(t))
		return func() {}
	}},
}

// recovery writes and follows before, during and after one fault, which lasts as long as a call may.
func recovery(t *testing.T, r Remote, f fault) {
	t.Helper()
	p := faultproxytest.Listen(t, r.Addr)
	log, closing := r.Open(t, p.Addr())
	start := headOf(t, log)
	stream := newStream()
	write := func(n int) error {
		took := wall()
		_, err := log.Append(bounded(t), stream, commands.Expected(n-1), []commands.Proposed{numbered(stream, n)})
		if d := took(); d > r.Call+slack {
			t.Errorf("append %d took %v, want %v at most", n, d, r.Call)
		}
		if err != nil && !errors.Is(err, commands.ErrUnavailable) {
			t.Fatalf("append %d: %v", n, err)
		}
		return err
	}
	if err := write(0); err != nil {
		t.Fatal(err)
	}
	tail := newTail(t, log, start, []string{"logtest-count."}, stream)
	tail.wait(1)

	end := f.begin(t, r, p)
	next := 1
	for lasts := wall(); lasts() < r.Call; {
		switch err := write(next); {
		case err == nil:
			next++
		case f.harmless:
			t.Errorf("append %d meanwhile: %v", next, err)
		}
	}
	end()

	healed := wall()
	for write(next) != nil {
		if healed() > r.Call+slack {
			t.Fatalf("no append succeeded within %v of the end", r.Call)
		}
	}
	t.Logf("%s: an append succeeded after %v", f.name, healed())
	want := make([]int, next+1)
	for i := range want {
		want[i] = i
	}
	wantNumbers(t, log, stream, want...)
	if !f.like || os.Getenv(lastsVariable) != "" {
		limit := 2*r.Call + slack // it waits about as long again as the fault took
		if f.silent {
			limit = r.Silence + slack
		}
		tail.want(want...)
		if took := healed(); took > limit {
			t.Errorf("the follower took %v to go on, want %v at most", took, limit)
		}
		t.Logf("%s: the follower went on after %v", f.name, healed())
	}
	tail.stop()
	faultproxytest.Vacated(t, p, r.Connections+1)
	closing()
	faultproxytest.Vacated(t, p, 0)
}

func numbered(stream string, n int) commands.Proposed {
	id := domain.DeriveUUID(domain.UUID{}, stream+"/"+strconv.Itoa(n))
	return commands.Proposed{ID: id, Event: Counted{At: at, N: n}, Metadata: domain.Metadata{CommandID: id, OccurredAt: at}}
}

// duration and seed of a random schedule.
func schedule(t *testing.T) (time.Duration, *rand.Rand) {
	t.Helper()
	lasts := 6 * time.Second
	if text := os.Getenv(lastsVariable); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatal("AFTERCARE_TEST_FAULTS: ", err)
		}
	}
	seed := rand.Uint64() //nolint:gosec // not a secret
	if text := os.Getenv("AFTERCARE_TEST_FAULTS_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal("AFTERCARE_TEST_FAULTS_SEED: ", err)
		}
	}
	t.Logf("AFTERCARE_TEST_FAULTS=%v AFTERCARE_TEST_FAULTS_SEED=%d", lasts, seed)
	return lasts, rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // not a secret
}
