package persistent

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// flushTime is how long the last writes of a group may take when it stops.
const flushTime = 5 * time.Second

// Options are what a Runner needs.
type Options struct {
	Settings Settings
	Log      Log
	// Finished is the position that the group continues behind, None for the beginning.
	Finished int64
	// Stored says that Finished is a checkpoint on disk and not a start that somebody chose.
	Stored bool
	// Now is the clock. Required.
	Now func() time.Time
	// Logger defaults to none.
	Logger *slog.Logger
}

// Runner drives one group. Its methods may be called from any goroutine while Run runs, and after it:
// then they fail with the reason why it ended.
type Runner struct {
	o       Options
	group   *Group
	inputs  chan func()
	written chan outcome
	ticks   chan struct{}
	ticking atomic.Bool
	stopped chan struct{} // closed when Run has ended
	reason  error         // why, once stopped is closed

	// What follows belongs to Run.
	consumers map[ConsumerID]*Consumer
	lastID    ConsumerID
	caughtUp  bool // nothing to read until changed is closed
	changed   <-chan struct{}
	stored    bool // a checkpoint is on disk
	pending   job  // to be written when the job that runs is done
	writing   bool
	writer    sync.WaitGroup
}

// NewRunner returns a runner that does nothing until Run.
func NewRunner(o Options) *Runner {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Runner{
		o: o, group: New(o.Settings, o.Finished), inputs: make(chan func()), written: make(chan outcome, 1),
		ticks: make(chan struct{}, 1), stopped: make(chan struct{}), consumers: map[ConsumerID]*Consumer{},
		stored: o.Stored,
	}
}

// Run works until ctx ends, then drops all consumers with the cause of ctx, writes what is not on disk
// yet (unless the cause is ErrDeleted) and returns. It must be called once.
func (r *Runner) Run(ctx context.Context) {
	ready := make(chan struct{})
	close(ready)
	for ctx.Err() == nil {
		var changed <-chan struct{}
		var once chan struct{}
		if r.read() {
			once = ready
		} else if r.waitsForMore() {
			changed = r.changed
		}
		r.write(ctx)
		r.ticking.Store(r.group.Ticking())
		select {
		case f := <-r.inputs:
			f()
		case res := <-r.written:
			r.settle(res)
		case <-r.ticks:
			r.apply(r.group.Tick(r.o.Now()))
		case <-changed:
			r.caughtUp = false
		case <-once:
		case <-ctx.Done():
		}
	}
	r.stop(ctx)
}

// waitsForMore reports whether new events could be delivered.
func (r *Runner) waitsForMore() bool { return r.caughtUp && r.group.Wants() > 0 }

// read reads one batch of the source and one of parked events, if the group has room for them. It
// reports whether there may be more to read at once.
func (r *Runner) read() (more bool) {
	if first, stop, n := r.group.WantsParked(); n > 0 {
		b, err := r.o.Log.ReadParked(first, stop, n)
		if err != nil {
			r.fault(err)
			return false
		}
		r.apply(r.group.ReadParked(r.o.Now(), b))
		more = b.More
	}
	n := r.group.Wants()
	if n == 0 || r.caughtUp {
		return more
	}
	r.changed = r.o.Log.Changed() // in front of the read: what comes meanwhile must not be missed
	b, err := r.o.Log.Read(r.group.Through(), n)
	if err != nil {
		r.fault(err)
		return false
	}
	r.caughtUp = !b.More
	r.apply(r.group.Read(r.o.Now(), b))
	return more || b.More
}

// fault drops all consumers because the log cannot be read. Whoever comes next tries again.
func (r *Runner) fault(err error) {
	r.o.Logger.Error("persistent subscription cannot be read", "error", err)
	r.apply(r.group.Leave(r.o.Now(), r.dropAll(err)...))
}

// dropAll ends all consumers, of which the group still has to be told.
func (r *Runner) dropAll(reason error) []ConsumerID {
	ids := slices.Sorted(maps.Keys(r.consumers))
	for _, id := range ids {
		r.consumers[id].close(reason)
	}
	clear(r.consumers)
	return ids
}

// apply carries out effects: deliveries at once, writes with the next job.
func (r *Runner) apply(e Effects) {
	for _, v := range e.Revoke {
		if c, ok := r.consumers[v.Consumer]; ok {
			c.revoke(v.ID)
		}
	}
	for _, d := range e.Deliver {
		if c, ok := r.consumers[d.Consumer]; ok {
			c.deliver(d)
		}
	}
	r.pending.park = append(r.pending.park, e.Park...)
	if e.Checkpoint != nil {
		r.pending.checkpoint = e.Checkpoint
	}
	if e.Truncate != nil {
		r.pending.truncate = e.Truncate
	}
}

// stop ends everything. No consumer is left behind, and nothing that was finished is forgotten.
func (r *Runner) stop(ctx context.Context) {
	r.reason = context.Cause(ctx)
	r.ticking.Store(false)
	r.dropAll(r.reason) // the group is over, too: nobody tells it
	r.writer.Wait()
	if r.writing {
		r.settle(<-r.written)
	}
	if !errors.Is(r.reason, ErrDeleted) {
		r.flush(context.WithoutCancel(ctx))
	}
	close(r.stopped)
}

// flush writes what is not on disk yet.
func (r *Runner) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	for !r.pending.empty() { // ends, because what fails is put off to a tick
		r.settle(r.do(ctx, r.next()))
	}
	last := job{}
	if p := r.group.Finished(); p > r.group.Saved() {
		last.checkpoint = &p
	}
	if r.group.replay.behind() {
		before := r.group.replay.finished()
		last.truncate = &before
	}
	r.do(ctx, last)
}

// call hands f to the loop and waits until it is done.
func (r *Runner) call(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case r.inputs <- func() { f(); close(done) }:
		<-done // the loop does not stop between taking f and ending it
		return nil
	case <-r.stopped:
		return r.reason
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Tick lets time pass. It never waits.
func (r *Runner) Tick() {
	if !r.ticking.Load() {
		return
	}
	select {
	case r.ticks <- struct{}{}:
	default:
	}
}

// Replay delivers the parked events again that are there now and, with a stop that is not negative, in
// front of that revision of the parked stream.
func (r *Runner) Replay(ctx context.Context, stop int64) error {
	var failed error
	err := r.call(ctx, func() {
		first, end, err := r.o.Log.ParkedRange()
		if err != nil {
			failed = err
			return
		}
		if stop >= 0 {
			end = min(end, stop)
		}
		r.apply(r.group.Replay(r.o.Now(), first, end))
	})
	return errors.Join(err, failed)
}

// Info is what a group is doing.
type Info struct {
	Stats
	Stored    bool // Saved is on disk
	Replaying bool
	Consumers []ConsumerInfo // in the order of Members
}

// Info returns what the group is doing.
func (r *Runner) Info(ctx context.Context) (Info, error) {
	var out Info
	err := r.call(ctx, func() {
		out = Info{Stats: r.group.Stats(), Stored: r.stored, Replaying: r.group.Replaying()}
		for _, m := range out.Members {
			out.Consumers = append(out.Consumers, r.consumers[m.ID].info)
		}
	})
	return out, err
}
