package logtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aftercare/commands"
	"aftercare/deploy/faultproxy/faultproxytest"
	"aftercare/domain"
)

const (
	faultStreams = 4
	faultWriters = 8 // so that two meet on a stream
	// faultFollowers is how many follow from beginning to end. One more is stopped and started again all the time.
	faultFollowers = 2
)

// trial is a run of writers and followers while faults come and go.
type trial struct {
	remote  Remote
	log     commands.Log
	run     string
	streams []string
	own     map[string]bool

	mu       sync.Mutex
	receipts map[domain.UUID]commands.Receipt
	sent     map[domain.UUID]bool
	unknown  int // appends whose outcome their writer never learned
}

// anySchedule lets writers and followers live through random faults, and then compares what they were told with what is there.
func anySchedule(t *testing.T, r Remote) {
	t.Helper()
	lasts, random := schedule(t)
	p := faultproxytest.Listen(t, r.Addr)
	log, closing := r.Open(t, p.Addr())
	x := &trial{
		remote: r, log: log, run: uuid.NewString(), own: map[string]bool{},
		receipts: map[domain.UUID]commands.Receipt{}, sent: map[domain.UUID]bool{},
	}
	for i := range faultStreams {
		x.streams = append(x.streams, fmt.Sprintf("logtest-%s-%d", x.run, i))
		x.own[x.streams[i]] = true
	}
	// The first append says where the followers start.
	start, err := log.Append(bounded(t), "logtest-"+x.run, commands.NoStream, []commands.Proposed{numbered(x.run, 0)})
	if err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	defer stop()
	var followers []*witness
	for i := range faultFollowers + 1 {
		w := &witness{trial: x, seen: make(chan struct{}, 1), restless: i == faultFollowers}
		w.running.Go(func() { w.follow(ctx, t, start.Position) })
		followers = append(followers, w)
	}
	writing, enough := context.WithCancel(ctx)
	defer enough()
	var writers sync.WaitGroup
	for w := range faultWriters {
		own := rand.New(rand.NewPCG(random.Uint64(), 0)) //nolint:gosec // not a secret
		writers.Go(func() { x.write(writing, t, w, own) })
	}

	count := map[string]int{}
	for took := wall(); took() < lasts; {
		f := faults[random.IntN(len(faults))]
		if f.name == "a restart" && r.Restart == nil {
			continue
		}
		count[f.name]++
		end := f.begin(t, r, p)
		pause(random.IntN(700))
		end()
		pause(random.IntN(300))
	}
	enough()
	writers.Wait()
	t.Logf("faults: %v; %d appends acknowledged, %d of unknown outcome", count, len(x.receipts), x.unknown)

	final := x.final(t)
	for i, w := range followers {
		w.wait(t, len(final), r.Silence+2*r.Call+slack)
		if diff := cmp.Diff(final, w.got()); diff != "" {
			t.Errorf("follower %d saw (-log +follower):\n%s", i, diff)
		}
	}
	stop()
	for _, w := range followers {
		w.running.Wait()
	}
	faultproxytest.Vacated(t, p, r.Connections+len(followers))
	closing()
	faultproxytest.Vacated(t, p, 0)
}

func pause(milliseconds int) {
	<-time.After(time.Duration(milliseconds) * time.Millisecond) // a fault takes time
}

// place is where an event is.
type place struct {
	ID       domain.UUID
	Stream   string
	Revision uint64
	Position domain.Position
}

// write appends one event after another until ctx ends. What fails with an unknown outcome is sent again, or left, by chance.
func (x *trial) write(ctx context.Context, t *testing.T, writer int, random *rand.Rand) {
	t.Helper()
	stream := x.streams[writer%faultStreams]
	expected := commands.NoStream
	for n := 0; ctx.Err() == nil; n++ {
		event := numbered(fmt.Sprintf("%s/%d", stream, writer), n)
		x.mu.Lock()
		x.sent[event.ID] = true
		x.mu.Unlock()
		for left := false; !left; {
			took := wall()
			receipt, err := x.log.Append(context.WithoutCancel(ctx), stream, expected, []commands.Proposed{event})
			if d := took(); d > x.remote.Call+slack {
				t.Errorf("an append took %v, want %v at most", d, x.remote.Call)
			}
			switch {
			case err == nil:
				x.mu.Lock()
				x.receipts[event.ID] = receipt
				x.mu.Unlock()
				expected = commands.Expected(receipt.Revision) //nolint:gosec // far below 2^63
				left = true
			case errors.Is(err, commands.ErrUnavailable) && random.IntN(4) > 0:
			case errors.Is(err, commands.ErrUnavailable), errors.Is(err, commands.ErrConflict):
				// Whether the event is there is what the stream says, or never will be known: an append that was left may
				// come late.
				last, known := x.look(ctx, t, stream, event.ID)
				if left = errors.Is(err, commands.ErrUnavailable) || known; left {
					x.mu.Lock()
					x.unknown++
					x.mu.Unlock()
				}
				expected = last
			default:
				t.Errorf("append %d of writer %d: %v", n, writer, err)
				return
			}
		}
	}
}

// look reads a stream until that succeeds, and returns its last revision, and whether an event is there.
func (x *trial) look(ctx context.Context, t *testing.T, stream string, id domain.UUID) (commands.Expected, bool) {
	t.Helper()
	for {
		last, known, failed := commands.NoStream, false, error(nil)
		took := wall()
		for e, err := range x.log.Read(context.WithoutCancel(ctx), stream, 0) {
			if failed = err; err != nil {
				break
			}
			last, known = commands.Expected(e.Revision), known || e.ID == id //nolint:gosec // far below 2^63
		}
		pages := time.Duration(last/4096 + 1)
		if d := took(); d > pages*x.remote.Call+slack {
			t.Errorf("a read took %v, want %v at most", d, pages*x.remote.Call)
		}
		switch {
		case failed == nil:
			return last, known
		case !errors.Is(failed, commands.ErrUnavailable):
			t.Errorf("read: %v", failed)
			return last, known
		}
	}
}

// final returns what the streams hold at the end, in the order of positions, after holding it against the receipts.
func (x *trial) final(t *testing.T) []place {
	t.Helper()
	var all []place
	for _, stream := range x.streams {
		next := uint64(0)
		var before domain.Position
		for _, e := range mustRead(t, x.log, stream, 0) {
			if e.Revision != next || e.Position.Compare(before) <= 0 {
				t.Errorf("%d@%s at %v comes after %d at %v", e.Revision, stream, e.Position, next, before)
			}
			next, before = e.Revision+1, e.Position
			all = append(all, place{e.ID, stream, e.Revision, e.Position})
		}
	}
	slices.SortFunc(all, func(a, b place) int { return a.Position.Compare(b.Position) })
	times := map[domain.UUID]int{}
	for _, e := range all {
		times[e.ID]++
		if !x.sent[e.ID] {
			t.Errorf("%d@%s was sent by nobody", e.Revision, e.Stream)
		}
		if want, ok := x.receipts[e.ID]; ok && (want.Revision != e.Revision || want.Position != e.Position) {
			t.Errorf("%d@%s at %v was acknowledged as %+v", e.Revision, e.Stream, e.Position, want)
		}
	}
	for id, receipt := range x.receipts {
		if times[id] == 0 {
			t.Errorf("acknowledged as %+v and lost: %s", receipt, id)
		}
	}
	for id, n := range times {
		if n > 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
	if len(x.receipts) == 0 {
		t.Error("nothing was ever acknowledged")
	}
	return all
}

// witness follows and keeps what it sees.
type witness struct {
	*trial
	restless bool // follows anew after every few events
	running  sync.WaitGroup
	seen     chan struct{} // holds a value after something came

	mu     sync.Mutex
	places []place
}

func (w *witness) got() []place {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.places)
}

func (w *witness) follow(ctx context.Context, t *testing.T, after domain.Position) {
	t.Helper()
	enough := errors.New("enough for now")
	for ctx.Err() == nil {
		n := 0
		err := w.log.(commands.Follower).Follow(ctx, after, []string{"logtest-count."}, func(batch []domain.Recorded, _ bool) error {
			w.mu.Lock()
			for _, e := range batch {
				if after = e.Position; w.own[e.Stream] {
					w.places = append(w.places, place{e.ID, e.Stream, e.Revision, e.Position})
				}
			}
			w.mu.Unlock()
			select {
			case w.seen <- struct{}{}:
			default:
			}
			if n += len(batch); w.restless && n > 20 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) && !errors.Is(err, context.Canceled) {
			t.Errorf("follow: %v", err)
			return
		}
	}
}

// wait blocks until n events came.
func (w *witness) wait(t *testing.T, n int, limit time.Duration) {
	t.Helper()
	late := time.After(limit)
	for len(w.got()) < n {
		select {
		case <-w.seen:
		case <-late:
			t.Errorf("a follower saw %d of %d events within %v", len(w.got()), n, limit)
			return
		}
	}
}
