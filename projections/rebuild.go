package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"aftercare/domain/codec"
	"aftercare/domain/seal"
	"aftercare/projections/feed"
)

// Rebuilder makes views anew from the whole log, beside the live ones, which serve until the new ones take their place.
type Rebuilder struct {
	Pool   *pgxpool.Pool
	Log    *feed.Log
	Codec  *codec.Codec
	Opener seal.Opener
	// Partitions is how many goroutines decode, fold and copy; each sees whole streams. Defaults to the number of processors.
	Partitions int
	// Now is the clock of the report, whose times stay zero without it.
	Now func() time.Time
	// Observe, when set, hears of the number of events read so far, now and then. It must not block.
	Observe func(events int)
	// Logger defaults to one that discards.
	Logger *slog.Logger
}

// Report is what a rebuild did.
type Report struct {
	// Events were read, and Parked of them, times views, set aside.
	Events, Parked int
	// Loading is the time it took to read, decode, fold and copy; Indexing to make the indexes; Switching to catch up with
	// what was recorded meanwhile and to take the live tables' place.
	Loading, Indexing, Switching time.Duration
}

// PerSecond returns the events per second over the whole rebuild.
func (r Report) PerSecond() float64 {
	if t := (r.Loading + r.Indexing + r.Switching).Seconds(); t > 0 {
		return float64(r.Events) / t
	}
	return 0
}

// ErrRebuilding says that a rebuild of the view is under way already.
var ErrRebuilding = errors.New("the view is being rebuilt already")

// Rebuild rebuilds the views in one pass over the log. Until a view's new tables take the place of the live ones, in one
// transaction, nothing of the live view changes. The replaced tables stay, in the schema "view_<name>_previous", until the next rebuild. A runner may be at work
// meanwhile, in this process or another.
func (r *Rebuilder) Rebuild(ctx context.Context, views ...View) (Report, error) {
	b := rebuild{Rebuilder: *r, views: slices.SortedFunc(slices.Values(views), func(a, b View) int {
		return strings.Compare(a.Name(), b.Name())
	})}
	if b.Partitions == 0 {
		b.Partitions = runtime.GOMAXPROCS(0)
	}
	if b.Now == nil {
		b.Now = func() time.Time { return time.Time{} }
	}
	if b.Observe == nil {
		b.Observe = func(int) {}
	}
	if b.Logger == nil {
		b.Logger = slog.New(slog.DiscardHandler)
	}
	release, err := b.lock(ctx)
	if err != nil {
		return Report{}, err
	}
	defer release()
	return b.run(ctx)
}

// rebuild is one run of a Rebuilder.
type rebuild struct {
	Rebuilder
	views  []View
	report Report
}

func (b *rebuild) run(ctx context.Context) (Report, error) {
	start := b.Now()
	for _, v := range b.views {
		if err := b.prepare(ctx, v); err != nil {
			return b.report, fmt.Errorf("prepare the rebuild of %s: %w", v.Name(), err)
		}
	}
	head, err := b.Log.Head(ctx)
	if err != nil {
		return b.report, err
	}
	fillings := make([]*filling, len(b.views))
	for i, v := range b.views {
		if fillings[i], err = b.fill(ctx, v); err != nil {
			return b.report, fmt.Errorf("make the tables of %s: %w", v.Name(), err)
		}
		defer fillings[i].close(ctx)
	}
	if err := b.load(ctx, head.Position, fillings); err != nil {
		return b.report, fmt.Errorf("load: %w", err)
	}
	loaded := b.Now()
	b.report.Loading = loaded.Sub(start)

	group, groupCtx := errgroup.WithContext(ctx)
	for _, f := range fillings {
		b.report.Parked += f.parked
		group.Go(func() error {
			if err := f.finish(groupCtx, head.Position); err != nil {
				return fmt.Errorf("index %s: %w", f.view.Name(), err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return b.report, err
	}
	indexed := b.Now()
	b.report.Indexing = indexed.Sub(loaded)

	for _, v := range b.views {
		if err := b.take(ctx, v); err != nil {
			return b.report, fmt.Errorf("switch to the rebuilt %s: %w", v.Name(), err)
		}
	}
	b.report.Switching = b.Now().Sub(indexed)
	return b.report, nil
}

// lock makes sure that no other rebuild of the views runs. A lock of a connection goes with it when the process dies.
func (b *rebuild) lock(ctx context.Context) (release func(), err error) {
	conn, err := b.Pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock for a rebuild: %w", err)
	}
	release = func() {
		if _, err := conn.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock_all()"); err != nil {
			_ = conn.Conn().Close(context.WithoutCancel(ctx)) // which unlocks as well
		}
		conn.Release()
	}
	for _, v := range b.views {
		var got bool
		err := conn.QueryRow(ctx, `select pg_try_advisory_lock(hashtextextended('aftercare rebuild ' || $1, 0))`, v.Name()).Scan(&got)
		if err == nil && !got {
			err = ErrRebuilding
		}
		if err != nil {
			release()
			return nil, fmt.Errorf("lock for a rebuild of %s: %w", v.Name(), err)
		}
	}
	return release, nil
}

// prepare drops the tables that an earlier rebuild had replaced, and moves the new ones to the beginning of the log.
func (b *rebuild) prepare(ctx context.Context, v View) error {
	next, live := nextSlot(v), liveSlot(v)
	return pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		for _, s := range []slot{live, next} {
			if _, err := tx.Exec(ctx, `insert into aftercare.checkpoint (view, shape) values ($1, $2) on conflict do nothing`, s.key, s.shape()); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "drop schema if exists "+pgx.Identifier{previous(v)}.Sanitize()+" cascade"); err != nil {
			return err
		}
		return restart(ctx, tx, next)
	})
}
