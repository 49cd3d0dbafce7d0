package persistent_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aftercare/deploy/eventnode/persistent"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDisk = errors.New("the disk is broken")

// source is a log in memory that fails when it is told to.
type source struct {
	mu          sync.Mutex
	events      int64
	signal      chan struct{}
	readErr     error
	writeErr    error
	block       chan struct{} // writes wait for it, unless it is nil
	parked      []persistent.Parking
	checkpoints []int64
	wrote       chan struct{} // a value for every write
}

func newSource() *source {
	return &source{signal: make(chan struct{}), wrote: make(chan struct{}, 1000)}
}

func (s *source) append(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events += n
	close(s.signal)
	s.signal = make(chan struct{})
}

func (s *source) fail(read, write error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readErr, s.writeErr = read, write
}

// Read implements persistent.Log.
func (s *source) Read(after int64, n int) (persistent.Batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := persistent.Batch{Through: after}
	for ; b.Through+1 < s.events && len(b.Events) < n; b.Considered++ {
		b.Through++
		b.Events = append(b.Events, persistent.Event{ID: id(b.Through), Position: b.Through})
	}
	b.More = b.Through+1 < s.events
	return b, s.readErr
}

// ParkedRange implements persistent.Log.
func (s *source) ParkedRange() (first, end int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return 0, int64(len(s.parked)), s.readErr
}

// ReadParked implements persistent.Log.
func (s *source) ReadParked(first, stop int64, n int) (persistent.Batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := persistent.Batch{Through: first - 1}
	for ; b.Through+1 < stop && len(b.Events) < n; b.Considered++ {
		b.Through++
		b.Events = append(b.Events, persistent.Event{ID: persistent.ID{0, byte(b.Through&0x7f + 1)}, Position: b.Through})
	}
	b.More = b.Through+1 < stop
	return b, s.readErr
}

// Changed implements persistent.Log.
func (s *source) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signal
}

func (s *source) write(ctx context.Context, f func()) error {
	s.mu.Lock()
	block := s.block
	s.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.wrote <- struct{}{} }()
	if s.writeErr == nil {
		f()
	}
	return s.writeErr
}

// Park implements persistent.Log.
func (s *source) Park(ctx context.Context, events []persistent.Parking) error {
	return s.write(ctx, func() { s.parked = append(s.parked, events...) })
}

// Checkpoint implements persistent.Log.
func (s *source) Checkpoint(ctx context.Context, position int64) error {
	return s.write(ctx, func() { s.checkpoints = append(s.checkpoints, position) })
}

// Truncate implements persistent.Log.
func (s *source) Truncate(ctx context.Context, _ int64) error { return s.write(ctx, func() {}) }

// run lets a group work on s until the function it returns is called.
func run(tb testing.TB, s *source, change func(*persistent.Settings)) (*persistent.Runner, func(reason error)) {
	tb.Helper()
	r := persistent.NewRunner(persistent.Options{
		Settings: settings(change), Log: s, Finished: persistent.None, Now: func() time.Time { return noon },
	})
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(tb.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	stop := func(reason error) {
		cancel(reason)
		<-done
	}
	tb.Cleanup(func() { stop(persistent.ErrStopped) })
	return r, stop
}

func join(tb testing.TB, r *persistent.Runner, slots int) *persistent.Consumer {
	tb.Helper()
	c, err := r.Join(tb.Context(), slots, persistent.ConsumerInfo{})
	if err != nil {
		tb.Fatalf("join: %v", err)
	}
	tb.Cleanup(c.Leave)
	return c
}

// gets fails unless the next events of c have these positions.
func gets(tb testing.TB, c *persistent.Consumer, want ...int64) {
	tb.Helper()
	var got []int64
	for range want {
		d, err := c.Next(tb.Context())
		if err != nil {
			tb.Fatalf("next: %v", err)
		}
		got = append(got, d.Event.Position)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Fatalf("(-want +got):\n%s", diff)
	}
}

func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func TestNoEventIsMissedWhileOthersAreAnswered(t *testing.T) {
	t.Parallel()
	s := newSource()
	r, _ := run(t, s, nil)
	c := join(t, r, 10)
	for i := range int64(500) {
		var appending sync.WaitGroup
		appending.Go(func() { s.append(1) })
		ok(t, c.Ack(t.Context(), persistent.ID{0xff})) // an answer to nothing, beside the append
		d, err := c.Next(t.Context())
		if err != nil || d.Event.Position != i {
			t.Fatalf("got %v and %v, want %d", d, err, i)
		}
		appending.Wait()
		ok(t, c.Ack(t.Context(), d.Event.ID))
	}
}

func TestStoppingWritesWhatIsFinishedAndTellsConsumers(t *testing.T) {
	t.Parallel()
	s := newSource()
	s.append(4)
	r, stop := run(t, s, nil)
	c := join(t, r, 10)
	gets(t, c, 0, 1, 2, 3)
	ok(t, c.Ack(t.Context(), id(0)))
	ok(t, c.Nack(t.Context(), persistent.ActionPark, "", id(1)))
	ok(t, c.Nack(t.Context(), persistent.ActionStop, "", id(2)))
	stop(persistent.ErrStopped)
	if diff := cmp.Diff([]int64{1}, s.checkpoints); diff != "" || len(s.parked) != 1 {
		t.Errorf("parked %v, checkpoints (-want +got):\n%s", s.parked, diff)
	}
	if _, err := c.Next(t.Context()); !errors.Is(err, persistent.ErrStopped) {
		t.Errorf("next: got %v, want ErrStopped", err)
	}
	if err := c.Ack(t.Context(), id(2)); !errors.Is(err, persistent.ErrStopped) {
		t.Errorf("ack: got %v, want ErrStopped", err)
	}
	if _, err := r.Join(t.Context(), 1, persistent.ConsumerInfo{}); !errors.Is(err, persistent.ErrStopped) {
		t.Errorf("join: got %v, want ErrStopped", err)
	}
}

func TestAStoppedGroupHasWrittenEverythingOnce(t *testing.T) {
	t.Parallel()
	s := newSource()
	s.append(2)
	s.block = make(chan struct{})
	r, stop := run(t, s, func(s *persistent.Settings) { s.MaxCheckpointCount = 1 })
	c := join(t, r, 2)
	gets(t, c, 0, 1)
	ok(t, c.Nack(t.Context(), persistent.ActionPark, "", id(1))) // is being written
	_, err := r.Info(t.Context())
	ok(t, err)
	ok(t, c.Nack(t.Context(), persistent.ActionPark, "", id(0))) // waits for that, and the checkpoint for both
	go func() {
		<-c.Closed() // so the group is about to end
		close(s.block)
	}()
	stop(persistent.ErrDropped)
	if diff := cmp.Diff([]int64{1}, s.checkpoints); diff != "" || len(s.parked) != 2 {
		t.Errorf("parked %v, checkpoints (-want +got):\n%s", s.parked, diff)
	}
}

func TestADeletedGroupWritesNothingMore(t *testing.T) {
	t.Parallel()
	s := newSource()
	s.append(1)
	r, stop := run(t, s, nil)
	c := join(t, r, 1)
	gets(t, c, 0)
	ok(t, c.Ack(t.Context(), id(0)))
	stop(persistent.ErrDeleted)
	if len(s.checkpoints) > 0 {
		t.Errorf("wrote checkpoints %v", s.checkpoints)
	}
}

func TestWritesThatFailAreTriedAgainAndHoldUpNothing(t *testing.T) {
	t.Parallel()
	s := newSource()
	s.fail(nil, errDisk)
	s.append(10)
	r, stop := run(t, s, func(s *persistent.Settings) { s.MaxCheckpointCount = 1 })
	c := join(t, r, 2)
	gets(t, c, 0, 1)
	ok(t, c.Nack(t.Context(), persistent.ActionPark, "", id(0)))
	<-s.wrote
	gets(t, c, 2)
	ok(t, c.Ack(t.Context(), id(1)))
	gets(t, c, 3)
	s.fail(nil, nil)
	for range 2 { // the event, then the checkpoint behind it
		for len(s.wrote) == 0 {
			r.Tick()
			_, err := r.Info(t.Context())
			ok(t, err)
		}
		<-s.wrote
	}
	stop(persistent.ErrStopped)
	if len(s.parked) != 1 || s.checkpoints[0] < 1 {
		t.Errorf("parked %v, checkpoints %v, want event 0 parked and a checkpoint behind 1", s.parked, s.checkpoints)
	}
}

func TestDeliveriesGoOnWhileTheDiskIsSlow(t *testing.T) {
	t.Parallel()
	s := newSource()
	s.block = make(chan struct{})
	s.append(100)
	r, _ := run(t, s, func(s *persistent.Settings) { s.MaxCheckpointCount = 1 })
	c := join(t, r, 1)
	for i := range int64(100) {
		gets(t, c, i)
		ok(t, c.Ack(t.Context(), id(i)))
	}
	close(s.block)
	<-s.wrote
}

func TestALogThatCannotBeReadDropsConsumersUntilItCan(t *testing.T) {
	t.Parallel()
	s := newSource()
	s.append(2)
	s.fail(errDisk, nil)
	r, _ := run(t, s, nil)
	c := join(t, r, 1)
	if _, err := c.Next(t.Context()); !errors.Is(err, errDisk) {
		t.Fatalf("got %v, want what is wrong", err)
	}
	if err := r.Replay(t.Context(), -1); !errors.Is(err, errDisk) {
		t.Errorf("replay: got %v, want what is wrong", err)
	}
	s.fail(nil, nil)
	gets(t, join(t, r, 1), 0)
}

func TestAFullGroupTakesNoMoreConsumers(t *testing.T) {
	t.Parallel()
	r, _ := run(t, newSource(), func(s *persistent.Settings) { s.MaxSubscriberCount = 1 })
	first := join(t, r, 1)
	if _, err := r.Join(t.Context(), 1, persistent.ConsumerInfo{}); !errors.Is(err, persistent.ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	first.Leave()
	join(t, r, 1)
}

func TestAnEventThatTimedOutBeforeItWasSentIsNotSent(t *testing.T) {
	t.Parallel()
	s := newSource()
	s.append(1)
	r, _ := run(t, s, func(s *persistent.Settings) { s.MessageTimeout, s.MaxRetryCount = 0, 0 })
	c := join(t, r, 1)
	for len(s.wrote) == 0 { // until it is parked
		r.Tick()
		_, err := r.Info(t.Context())
		ok(t, err)
	}
	s.append(1)
	gets(t, c, 1)
}
