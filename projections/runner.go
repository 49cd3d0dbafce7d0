package projections

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/domain/seal"
	"aftercare/projections/feed"
)

// Runner keeps views up to date with the log. Runners on one database, in one process or several, divide the views among them.
type Runner struct {
	// Pool reaches the database. Each view needs one connection, and the leases another. Where there are fewer, views wait for each other.
	Pool *pgxpool.Pool
	// Log is the event store.
	Log *feed.Log
	// Codec and Opener decode events; without an Opener, texts stay sealed.
	Codec  *codec.Codec
	Opener seal.Opener
	// Views are what to keep.
	Views []View
	// More, when set, returns further views. It is asked again all the time: they may come, go, and be of another shape. While it fails they
	// stay those of the last time.
	More func(context.Context) ([]View, error)
	// Name is what others are told of who keeps a view.
	Name string
	// TTL is how long after its last word a runner is taken for dead, and others keep its views. Defaults to 3 s.
	TTL time.Duration
	// Drain bounds how long the batches under way may take when the runner stops or hands views over. Defaults to 5 s.
	Drain time.Duration
	// Tracker hears of every commit. Defaults to one of the runner's own.
	Tracker *Tracker
	// Observers hear what becomes of every batch.
	Observers []Observer
	// Most is the largest number of events in a batch. Defaults to 5,000.
	Most int
	// Patience is how long one view may fail before the others go on without it. It joins them again once it recovered.
	// Defaults to 5 s.
	Patience time.Duration
	// Answer is how long the database may take for one batch. Then the connection is taken for dead, and the batch is given again, in halves,
	// over another. Views that take events as they are stored have no less than 11 minutes. Defaults to 30 s.
	Answer time.Duration
	// Logger defaults to one that discards.
	Logger *slog.Logger

	turns chan struct{}
}

// Run folds events into the views until ctx ends, through outages of the store and of the database. A view that cannot be kept, as one
// whose tables are of another shape, is looked at again and again, and holds up no other. When ctx ends, Run commits the batches
// under way, hands its views over and returns nil.
func (r *Runner) Run(ctx context.Context) error {
	run := *r
	if run.Most == 0 {
		run.Most = 5000
	}
	if run.Patience == 0 {
		run.Patience = 5 * time.Second
	}
	if run.Answer == 0 {
		run.Answer = 30 * time.Second
	}
	if run.TTL == 0 {
		run.TTL = 3 * time.Second
	}
	if run.Drain == 0 {
		run.Drain = 5 * time.Second
	}
	if run.Logger == nil {
		run.Logger = slog.New(slog.DiscardHandler)
	}
	if run.Tracker == nil {
		run.Tracker = &Tracker{Pool: run.Pool, Log: run.Log}
	}
	run.turns = make(chan struct{}, max(1, run.Pool.Config().MaxConns-1)) // one is left for the leases
	l := &leases{
		pool: run.Pool, id: uuid.New(), name: run.Name, ttl: run.TTL, views: run.Views, more: run.More, log: run.Log, tracker: run.Tracker, logger: run.Logger,
		look: make(chan struct{}, 1),
	}
	// Leases are kept while the last batches are committed.
	leasing, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { l.run(leasing) })
	run.rounds(ctx, l)
	stop()
	wg.Wait()
	l.leave(ctx)
	return nil
}

// rounds keeps the views that are this runner's, until they are others.
func (r *Runner) rounds(ctx context.Context, l *leases) {
	for ctx.Err() == nil {
		l.settle(ctx)
		views, changed := l.current()
		if len(views) == 0 {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		same, cancel := context.WithCancel(ctx)
		go func() {
			select {
			case <-changed:
				cancel()
			case <-same.Done():
			}
		}()
		var wg sync.WaitGroup
		for _, together := range readings(views) {
			wg.Go(func() { r.keep(same, l, together) })
		}
		wg.Wait()
		cancel()
	}
}

// readings divides views into those that share a subscription. What is decoded for one is decoded for all. Views that take events as they are
// stored have nothing of that, and are other people's: each has one of its own, so that a slow one holds nobody up.
func readings(views []View) (all [][]View) {
	var decoded []View
	for _, v := range views {
		if _, stored := v.(Stored); stored {
			all = append(all, []View{v})
		} else {
			decoded = append(decoded, v)
		}
	}
	if len(decoded) > 0 {
		all = append(all, decoded)
	}
	return all
}

// keep runs subscription after subscription until ctx ends: a new one starts when a view that had fallen out has recovered.
func (r *Runner) keep(ctx context.Context, l *leases, views []View) {
	for ctx.Err() == nil {
		round, cancel := context.WithCancel(ctx)
		workers, missing := r.prepare(round, views)
		if missing { // the others do not wait for them
			again := time.AfterFunc(lastPause, cancel)
			context.AfterFunc(round, func() { again.Stop() })
		}
		switch {
		case len(workers) == 0:
			sleep(round, firstPause*time.Duration(len(views)+1))
		case r.round(round, workers):
			l.now() // to learn whose it is
			sleep(round, firstPause)
		}
		cancel()
	}
}

// prepare makes the workers of the views, and the views' tables where they are missing. It reports whether there are views that cannot be
// kept now.
func (r *Runner) prepare(ctx context.Context, views []View) (workers []*worker, missing bool) {
	for _, v := range views {
		s := liveSlot(v)
		var c checkpoint
		err := guard(func() (err error) {
			bounded, cancel := context.WithTimeout(ctx, r.Answer)
			defer cancel()
			c, err = ensure(bounded, r.Pool, s)
			return err
		})
		if ctx.Err() != nil {
			return nil, false
		}
		r.Tracker.failing(v.Name(), err)
		if err != nil { // no database, tables of another shape, or statements that Postgres refuses
			r.Logger.WarnContext(ctx, "view waits", slog.String("view", v.Name()), slog.String("error", reason(err)))
			missing = true
			continue
		}
		r.Tracker.moved(v.Name(), c.position, 0)
		workers = append(workers, r.worker(s, c))
	}
	return workers, missing
}

// storedAnswer is a little more than statements of other people may take.
const storedAnswer = 11 * time.Minute

func (r *Runner) worker(s slot, c checkpoint) *worker {
	name, limit := s.view.Name(), r.Answer
	if _, stored := s.view.(Stored); stored {
		limit = max(limit, storedAnswer)
	}
	return &worker{
		slot: s, turns: r.turns, limit: limit, pool: r.Pool, logger: r.Logger, checkpoint: c, observers: r.Observers, now: r.Tracker.now,
		failing: func(err error) { r.Tracker.failing(name, err) },
		moved:   func(at domain.Position, events int) { r.Tracker.moved(name, at, events) },
	}
}

// round feeds the workers from one subscription, which starts at the one that is least far. It ends with ctx, when a view
// was found to be another's, or when one that had fallen out has recovered. The batches under way are committed then. It reports whether a view
// was found to be another's.
func (r *Runner) round(ctx context.Context, workers []*worker) (taken bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	defer context.AfterFunc(ctx, func() {
		if sleep(work, r.Drain) {
			abandon()
		}
	})()
	start := workers[0].position
	for _, w := range workers[1:] {
		if w.position.Compare(start) < 0 {
			start = w.position
		}
	}
	sub := feed.NewSubscriber(r.Log, feed.Options{After: start, Ahead: 4 * r.Most, Progress: true, Observe: r.Tracker.connected})
	defer sub.Close() //nolint:errcheck // it returns nil
	messages, err := sub.Subscribe(ctx, feed.All)
	if err != nil {
		r.Logger.ErrorContext(ctx, "no subscription", slog.Any("error", err))
		return true
	}

	var (
		wg    sync.WaitGroup
		other atomic.Bool
		lanes []*lane
		views = make([]View, len(workers))
	)
	for i, w := range workers {
		views[i] = w.view
		l := &lane{worker: w, inbox: make(chan *batch, 2), out: make(chan struct{}), patience: r.Patience}
		lanes = append(lanes, l)
		wg.Go(func() {
			err := l.run(ctx, work)
			if err != nil && ctx.Err() == nil {
				r.Logger.WarnContext(ctx, "view starts again", slog.String("view", w.key), slog.String("error", reason(err)))
				if errors.Is(err, ErrTaken) || errors.Is(err, errBack) {
					other.Store(true)
				} else { // it would fail again: the others go on for a while
					l.stay(ctx, lastPause)
				}
			}
			cancel() // a lane that returns early asks for another round
		})
	}
	if err := r.pump(ctx, &collector{
		messages: messages, most: r.Most, codec: r.Codec, opener: r.Opener, logger: r.Logger, handles: handled(views),
	}, lanes); err != nil && ctx.Err() == nil {
		r.Logger.ErrorContext(ctx, "subscription given up", slog.Any("error", err))
		sleep(ctx, lastPause)
	}
	cancel()
	wg.Wait()
	return other.Load()
}

// handled reports, from memory, whether any of the views handles a type.
func handled(views []View) func(string) bool {
	known := make(map[string]bool)
	return func(eventType string) bool {
		h, ok := known[eventType]
		if !ok {
			h = slices.ContainsFunc(views, func(v View) bool {
				handles := true // of a view that cannot tell it is for its own worker to say so
				_ = guard(func() error { handles = v.Handles(eventType); return nil })
				return handles
			})
			known[eventType] = h
		}
		return h
	}
}

// pump gives every batch to every lane.
func (r *Runner) pump(ctx context.Context, c *collector, lanes []*lane) error {
	for {
		b, err := c.next(ctx)
		if err != nil || b == nil {
			return err
		}
		b.open.Store(int32(len(lanes))) //nolint:gosec // a handful
		taken := false
		for _, l := range lanes {
			select {
			case l.inbox <- b:
				taken = true
			case <-l.out:
				b.release()
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if !taken { // nobody is left until one recovers, which ends the round
			<-ctx.Done()
			return ctx.Err()
		}
	}
}
