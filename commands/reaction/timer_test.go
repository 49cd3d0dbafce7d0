package reaction_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aftercare/commands"
	"aftercare/commands/logtest"
	"aftercare/commands/reaction"
	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/codec"
	"aftercare/domain/ticket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lapses is the least decider with the contract of ticket.Lapse: running instances and their due times.
type lapses map[int]time.Time

func decide(s lapses, c ticket.Command) ([]domain.Event, error) {
	var events []domain.Event
	if c, ok := c.(ticket.Lapse); ok {
		for i, due := range s {
			if due.Before(c.At) { // at the due time stopping is in time
				events = append(events, clock.Breached{At: due, Instance: i})
			}
		}
	}
	return events, nil
}

func evolve(s lapses, e domain.Event) lapses {
	if s == nil {
		s = lapses{}
	}
	switch e := e.(type) {
	case clock.Started:
		s[e.Instance] = e.Promise.Due
	case clock.Resumed:
		s[e.Instance] = e.Due
	case clock.Paused:
		delete(s, e.Instance)
	case clock.Met:
		delete(s, e.Instance)
	case clock.Breached:
		delete(s, e.Instance)
	}
	return s
}

// scene is a log with a timer's surroundings, in the time of a synctest bubble.
type scene struct {
	log     *logtest.Memory
	tickets commands.Handler[lapses, ticket.Command, domain.Event]
	start   time.Time
	appends int
}

func newScene() *scene {
	catalog := codec.New(codec.JSON[clock.Started](), codec.JSON[clock.Paused](), codec.JSON[clock.Resumed](),
		codec.JSON[clock.Met](), codec.JSON[clock.Breached](), codec.JSON[logtest.Noted]())
	log := logtest.NewMemory(catalog, logtest.Sealer{}, now)
	return &scene{log: log, start: now(), tickets: commands.Handler[lapses, ticket.Command, domain.Event]{
		Log: log, HashKey: make([]byte, 32),
		Decider: domain.Decider[lapses, ticket.Command, domain.Event]{Category: "ticket", Decide: decide, Evolve: evolve},
	}}
}

func now() time.Time { return time.Now() } //nolint:forbidigo // the time of the bubble

func (s *scene) timer() reaction.Timer {
	return reaction.Timer{Follower: s.log, Tickets: s.tickets, Now: now, Logger: slog.New(slog.DiscardHandler)}
}

// record appends events to the stream of a ticket.
func (s *scene) record(t *testing.T, stream string, events ...domain.Event) {
	t.Helper()
	at := commands.NoStream
	for r, err := range s.log.Read(t.Context(), stream, 0) {
		if err != nil {
			t.Fatal(err)
		}
		at = commands.Expected(r.Revision) //nolint:gosec // a small number
	}
	var proposed []commands.Proposed
	for _, e := range events {
		s.appends++
		proposed = append(proposed, commands.Proposed{ID: domain.DeriveUUID(domain.UUID{}, strconv.Itoa(s.appends)), Event: e})
	}
	if _, err := s.log.Append(t.Context(), stream, at, proposed); err != nil {
		t.Fatal(err)
	}
}

func (s *scene) started(instance int, due time.Duration) clock.Started {
	return clock.Started{At: s.start, Instance: instance, Clock: "resolution", Promise: clock.Promise{
		Start: s.start, Unit: clock.Minutes, Due: s.start.Add(due),
	}, Carry: clock.Restart}
}

// breaches returns when, after the start, each breach of a stream was recorded.
func (s *scene) breaches(t *testing.T, stream string) map[int]time.Duration {
	t.Helper()
	got := map[int]time.Duration{}
	for r, err := range s.log.Read(t.Context(), stream, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := r.Event.(clock.Breached); ok {
			if _, twice := got[e.Instance]; twice {
				t.Errorf("instance %d of %s was breached twice", e.Instance, stream)
			}
			got[e.Instance] = r.RecordedAt.Sub(s.start)
			if r.Metadata.Channel != "timer" || r.Metadata.CausationID.IsZero() {
				t.Errorf("metadata %+v", r.Metadata)
			}
		}
	}
	return got
}

func (s *scene) want(t *testing.T, stream string, want map[int]time.Duration) {
	t.Helper()
	if diff := cmp.Diff(want, s.breaches(t, stream)); diff != "" {
		t.Errorf("breaches of %s (-want +got):\n%s", stream, diff)
	}
}

// run runs a timer until the returned function is called.
func run(t *testing.T, timer reaction.Timer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- timer.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the timer ended with %v", err)
		}
	}
}

// grace is how long after the due time a breach is recorded.
const grace = time.Second

// pass lets time pass and what is due then happen.
func pass(d time.Duration) {
	time.Sleep(d) // of the bubble
	synctest.Wait()
}

func TestABreachIsRecordedWhenDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		s.record(t, "ticket-1", s.started(1, time.Hour), s.started(2, 90*time.Minute))
		s.record(t, "complaint-1", s.started(1, time.Hour)) // not this timer's
		defer run(t, s.timer())()
		pass(time.Hour)
		s.want(t, "ticket-1", map[int]time.Duration{})
		s.record(t, "ticket-2", s.started(1, 65*time.Minute)) // due before what it sleeps for
		pass(grace)
		s.want(t, "ticket-1", map[int]time.Duration{1: time.Hour + grace})
		pass(24 * time.Hour)
		s.want(t, "ticket-1", map[int]time.Duration{1: time.Hour + grace, 2: 90*time.Minute + grace})
		s.want(t, "ticket-2", map[int]time.Duration{1: 65*time.Minute + grace})
		s.want(t, "complaint-1", map[int]time.Duration{})
	})
}

func TestOnlyRunningClocksAreBreached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		at := s.start
		defer run(t, s.timer())()
		s.record(t, "ticket-1", s.started(1, time.Hour), s.started(2, time.Hour), s.started(3, time.Hour))
		pass(time.Minute)
		s.record(t, "ticket-1", clock.Paused{At: at, Instance: 1}, clock.Paused{At: at, Instance: 2}, clock.Met{At: at, Instance: 3})
		pass(2 * time.Hour)
		s.want(t, "ticket-1", map[int]time.Duration{})
		s.record(t, "ticket-1", clock.Resumed{At: at, Instance: 1, Due: at.Add(3 * time.Hour)})
		pass(24 * time.Hour)
		s.want(t, "ticket-1", map[int]time.Duration{1: 3*time.Hour + grace})
	})
}

func TestARestartRecordsWhatWasMissedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		s.record(t, "ticket-1", s.started(1, time.Hour), s.started(2, 3*time.Hour))
		stop := run(t, s.timer())
		pass(2 * time.Hour)
		stop()
		pass(2 * time.Hour)
		for range 2 {
			stop = run(t, s.timer())
			pass(time.Minute)
			stop()
		}
		s.want(t, "ticket-1", map[int]time.Duration{1: time.Hour + grace, 2: 4 * time.Hour})
	})
}

func TestManyTimersRecordABacklogOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const tickets = 500
		s := newScene()
		for i := range tickets {
			s.record(t, fmt.Sprintf("ticket-%d", i), s.started(1, time.Hour), s.started(2, 2*time.Hour))
		}
		pass(5 * time.Hour)
		for i := range 3 {
			// Their clocks differ, so their commands do, too.
			timer := s.timer()
			timer.Now = func() time.Time { return now().Add(time.Duration(i) * time.Second) }
			defer run(t, timer)()
		}
		pass(time.Minute)
		for i := range tickets {
			s.want(t, fmt.Sprintf("ticket-%d", i), map[int]time.Duration{1: 5 * time.Hour, 2: 5 * time.Hour})
		}
	})
}

func TestNothingIsSentBeforeTheTimerIsLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		slow := &slowFollower{batches: make(chan update)}
		sent := &recorder{}
		timer := s.timer()
		timer.Follower, timer.Tickets = slow, sent
		defer run(t, timer)()
		old := s.started(1, -time.Hour)
		slow.batches <- update{[]domain.Recorded{{Stream: "ticket-1", Event: old}, {Stream: "ticket-2", Event: old}}, false}
		pass(time.Hour)
		slow.batches <- update{[]domain.Recorded{{Stream: "ticket-1", Event: clock.Met{At: s.start, Instance: 1}}}, true}
		pass(time.Hour)
		if diff := cmp.Diff([]string{"2"}, sent.ids); diff != "" {
			t.Errorf("commands went to (-want +got):\n%s", diff)
		}
	})
}

func TestAFailureHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		s.record(t, "ticket-1", s.started(1, time.Hour))
		s.record(t, "ticket-2", s.started(1, time.Hour))
		s.record(t, "ticket-3", s.started(1, time.Hour), logtest.Noted{At: s.start})
		sent := &recorder{next: s.tickets, fail: map[string]error{
			"1": domain.Refuse(domain.Unavailable, "store.unavailable"),
			"3": domain.Refuse(domain.WrongState, "ticket.refused"),
		}}
		timer := s.timer()
		timer.Tickets = sent
		defer run(t, timer)()
		pass(time.Hour + time.Minute)
		s.want(t, "ticket-1", map[int]time.Duration{})
		s.want(t, "ticket-2", map[int]time.Duration{1: time.Hour + grace})
		sent.set("1", nil)
		pass(10 * time.Minute)
		if got := s.breaches(t, "ticket-1"); len(got) != 1 {
			t.Errorf("after the failure: %v", got)
		}
		if n := sent.count("3"); n != 1 {
			t.Errorf("a refusal for good was sent %d times", n)
		}
	})
}

type update struct {
	batch []domain.Recorded
	live  bool
}

// slowFollower passes on what a test gives it.
type slowFollower struct{ batches chan update }

func (s *slowFollower) Follow(ctx context.Context, _ domain.Position, _ []string, f func([]domain.Recorded, bool) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case u := <-s.batches:
			if err := f(u.batch, u.live); err != nil {
				return err
			}
		}
	}
}

// recorder notes to whom commands go, fails some, and passes the rest on.
type recorder struct {
	next reaction.Tickets

	mu   sync.Mutex
	ids  []string
	fail map[string]error
}

func (r *recorder) Handle(ctx context.Context, id string, c ticket.Command, meta domain.Metadata) (commands.Receipt, error) {
	r.mu.Lock()
	r.ids = append(r.ids, id)
	err := r.fail[id]
	r.mu.Unlock()
	if err != nil || r.next == nil {
		return commands.Receipt{}, err
	}
	return r.next.Handle(ctx, id, c, meta)
}

func (r *recorder) set(id string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail[id] = err
}

func (r *recorder) count(id string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, got := range r.ids {
		if got == id {
			n++
		}
	}
	return n
}
