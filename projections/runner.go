package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/domain/seal"
	"aftercare/projections/feed"
)

// Runner keeps views up to date with the log.
type Runner struct {
	// Pool reaches the database. Each view needs one connection.
	Pool *pgxpool.Pool
	// Log is the event store.
	Log *feed.Log
	// Codec and Opener decode events; without an Opener, texts stay sealed.
	Codec  *codec.Codec
	Opener seal.Opener
	// Views are what to keep.
	Views []View
	// Tracker hears of every commit. Defaults to one of the runner's own.
	Tracker *Tracker
	// Most is the largest number of events in a batch. Defaults to 5,000.
	Most int
	// Patience is how long one view may fail before the others go on without it. It joins them again once it recovered.
	// Defaults to 5 s.
	Patience time.Duration
	// Logger defaults to one that discards.
	Logger *slog.Logger
}

// Run folds events into the views until ctx ends, through outages of the store and of the database. It returns nil when
// ctx ends, and otherwise when no view is left that it may or can keep, with the reasons: ErrOutdated, ErrTaken, and what
// Postgres has against a view's statements.
func (r *Runner) Run(ctx context.Context) error {
	run := *r
	if run.Most == 0 {
		run.Most = 5000
	}
	if run.Patience == 0 {
		run.Patience = 5 * time.Second
	}
	if run.Logger == nil {
		run.Logger = slog.New(slog.DiscardHandler)
	}
	if run.Tracker == nil {
		run.Tracker = &Tracker{Pool: run.Pool, Log: run.Log}
	}
	return run.rounds(ctx)
}

// rounds runs subscription after subscription: a new one starts when a view that had fallen out has recovered.
func (r *Runner) rounds(ctx context.Context) error {
	views := slices.Clone(r.Views)
	var reasons []error
	for ctx.Err() == nil {
		workers, refused := r.prepare(ctx, views)
		reasons = append(reasons, refused...)
		switch {
		case len(workers) > 0:
		case ctx.Err() == nil:
			return errors.Join(reasons...)
		default:
			continue
		}
		stopped, lost := r.round(ctx, workers)
		reasons = append(reasons, lost...)
		views = views[:0]
		for _, w := range workers {
			if !stopped[w.key] {
				views = append(views, w.view)
			}
		}
	}
	return nil
}

// prepare makes the workers of the views, and the views' tables where they are missing. It waits for the database, and
// gives up when ctx ends.
func (r *Runner) prepare(ctx context.Context, views []View) (workers []*worker, refused []error) {
	for _, v := range views {
		s := liveSlot(v)
		for pause := firstPause; ; pause = min(2*pause, lastPause) {
			c, err := ensure(ctx, r.Pool, s)
			if ctx.Err() != nil {
				return nil, nil
			}
			r.Tracker.failing(v.Name(), err)
			if err != nil && !passing(err) { // of another shape, or statements that Postgres refuses
				r.Logger.ErrorContext(ctx, "view not kept", slog.String("view", v.Name()), slog.Any("error", err))
				refused = append(refused, err)
				break
			}
			if err == nil {
				r.Tracker.moved(v.Name(), c.position, 0)
				workers = append(workers, r.worker(s, c))
				break
			}
			r.Logger.WarnContext(ctx, "view waits", slog.String("view", v.Name()), slog.Any("error", err), slog.Duration("pause", pause))
			if !sleep(ctx, pause) {
				return nil, nil
			}
		}
	}
	return workers, refused
}

func (r *Runner) worker(s slot, c checkpoint) *worker {
	name := s.view.Name()
	return &worker{
		slot: s, pool: r.Pool, logger: r.Logger, checkpoint: c,
		failing: func(err error) { r.Tracker.failing(name, err) },
		moved:   func(at domain.Position, events int) { r.Tracker.moved(name, at, events) },
	}
}

// round feeds the workers from one subscription, which starts at the one that is least far. It ends with ctx, when a view
// was stopped, or when one that had fallen out has recovered. It returns the keys of the stopped views, and why.
func (r *Runner) round(ctx context.Context, workers []*worker) (map[string]bool, []error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
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
		return nil, []error{fmt.Errorf("subscribe to the log: %w", err)}
	}

	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		stopped = make(map[string]bool)
		reasons []error
		lanes   []*lane
	)
	for _, w := range workers {
		l := &lane{worker: w, inbox: make(chan *batch, 2), out: make(chan struct{}), patience: r.Patience}
		lanes = append(lanes, l)
		wg.Go(func() {
			err := l.run(ctx)
			if errors.Is(err, ErrTaken) {
				r.Logger.ErrorContext(ctx, "view not kept", slog.String("view", w.key), slog.Any("error", err))
				r.Tracker.failing(w.key, err)
				mu.Lock()
				stopped[w.key] = true
				reasons = append(reasons, err)
				mu.Unlock()
			}
			if errors.Is(err, errBack) {
				r.Logger.WarnContext(ctx, "view starts again", slog.String("view", w.key), slog.Any("error", err))
			}
			cancel() // a lane that returns early asks for another round
		})
	}
	if err := r.pump(ctx, &collector{
		messages: messages, most: r.Most, codec: r.Codec, opener: r.Opener, logger: r.Logger, handles: handled(r.Views),
	}, lanes); err != nil && ctx.Err() == nil {
		r.Logger.ErrorContext(ctx, "subscription given up", slog.Any("error", err))
		sleep(ctx, lastPause)
	}
	cancel()
	wg.Wait()
	return stopped, reasons
}

// handled reports, from memory, whether any of the views handles a type.
func handled(views []View) func(string) bool {
	known := make(map[string]bool)
	return func(eventType string) bool {
		h, ok := known[eventType]
		if !ok {
			h = slices.ContainsFunc(views, func(v View) bool { return v.Handles(eventType) })
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
