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

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"aftercare/domain/codec"
	"aftercare/domain/seal"
	"aftercare/projections/archive"
	"aftercare/projections/feed"
)

// Rebuilder makes views anew from the whole log, beside the live ones, which serve until the new ones take their place.
type Rebuilder struct {
	Pool   *pgxpool.Pool
	Log    *feed.Log
	Codec  *codec.Codec
	Opener seal.Opener
	// Archive is where the log is read from. Defaults to one that keeps nothing.
	Archive *archive.Archive
	// Program identifies the code of the views: a rebuild that was interrupted is gone on with by the same program only.
	Program string
	// Partitions is how many goroutines decode, fold and copy; each sees whole streams. Defaults to one more than there are
	// processors, since some wait for Postgres.
	Partitions int
	// Portion is about how many events one of them holds in memory. Defaults to 25,000.
	Portion int
	// Hold leaves the new versions beside the live ones, until Switch.
	Hold bool
	// AsOf and Into, which go together, make the views as they would be if nothing had been recorded after an instant. Such a version
	// never takes a view's place: it stays, under the name Into, until Drop.
	AsOf time.Time
	Into string
	// Now is the clock of the report, whose times stay zero without it.
	Now func() time.Time
	// Observe, when set, hears how far it is, now and then, from several goroutines at once. It must not block.
	Observe func(RebuildProgress)
	// Logger defaults to one that discards.
	Logger *slog.Logger
}

// Phase is what a rebuild is at.
type Phase uint8

// The phases of a rebuild, in their order.
const (
	// Reading is reading the store, for what the archive lacks.
	Reading Phase = iota + 1
	// Folding is decoding, folding and copying what the archive has.
	Folding
	// Indexing is making indexes.
	Indexing
	// Switching is catching up with what was recorded meanwhile, and taking the live tables' place.
	Switching
)

// String returns the phase as a word.
func (p Phase) String() string {
	switch p {
	case Reading:
		return "reading"
	case Folding:
		return "folding"
	case Indexing:
		return "indexing"
	case Switching:
		return "switching"
	}
	return ""
}

// RebuildProgress is how far a rebuild is.
type RebuildProgress struct {
	Phase Phase
	// View is whose phase it is, "" while it is that of all.
	View string
	// Done events of Total are behind it. Total is 0 where nobody knows.
	Done, Total int
}

// Report is what a rebuild did.
type Report struct {
	// Events were in the log, and Parked of them, times views, set aside.
	Events, Parked int
	// Read is how many the archive lacked, so that they came from the store, and Resumed how many an interrupted rebuild had folded
	// already.
	Read, Resumed int
	// Reading is the time it took to read the store, Loading to read the archive, decode, fold and copy; Indexing to make the indexes;
	// Switching to catch up with what was recorded meanwhile and to take the live tables' place.
	Reading, Loading, Indexing, Switching time.Duration
}

// PerSecond returns the events per second over the whole rebuild.
func (r Report) PerSecond() float64 {
	if t := (r.Reading + r.Loading + r.Indexing + r.Switching).Seconds(); t > 0 {
		return float64(r.Events) / t
	}
	return 0
}

// ErrRebuilding says that a rebuild of the view is under way already.
var ErrRebuilding = errors.New("the view is being rebuilt already")

// Rebuild rebuilds the views in one pass over the log. Until a view's new tables take the place of the live ones, in one
// transaction, nothing of the live view changes. The replaced tables stay as the view's previous version, until Drop or the next switch. A
// runner may be at work meanwhile, in this process or another.
//
// It waits out outages of the database and of whoever opens texts. A rebuild that was interrupted goes on where it was, when the
// same program is asked for the same again, and otherwise starts over.
func (r *Rebuilder) Rebuild(ctx context.Context, views ...View) (Report, error) {
	b := r.with(views)
	if b.AsOf.IsZero() != (b.Into == "") {
		return Report{}, errors.New("AsOf and Into go together")
	}
	for _, v := range b.views {
		if b.Into == "" {
			break
		}
		if err := validName(v.Name(), b.Into); err != nil {
			return Report{}, err
		}
	}
	release, err := b.lock(ctx)
	if err != nil {
		return Report{}, err
	}
	defer release()
	return b.run(ctx)
}

// with returns a run with the defaults filled in.
func (r *Rebuilder) with(views []View) *rebuild {
	b := rebuild{Rebuilder: *r, views: slices.SortedFunc(slices.Values(views), func(a, b View) int {
		return strings.Compare(a.Name(), b.Name())
	})}
	if b.Archive == nil {
		b.Archive = &archive.Archive{Log: b.Log, Logger: b.Logger}
	}
	if b.Partitions == 0 {
		b.Partitions = runtime.GOMAXPROCS(0) + 1
	}
	if b.Portion == 0 {
		b.Portion = 25_000
	}
	if b.Now == nil {
		b.Now = func() time.Time { return time.Time{} }
	}
	if b.Observe == nil {
		b.Observe = func(RebuildProgress) {}
	}
	if b.Logger == nil {
		b.Logger = slog.New(slog.DiscardHandler)
	}
	return &b
}

// rebuild is one run of a Rebuilder.
type rebuild struct {
	Rebuilder
	views  []View
	report Report
}

func (b *rebuild) run(ctx context.Context) (_ Report, err error) {
	start := b.Now()
	lap := func() (d time.Duration) {
		was := start
		start = b.Now()
		return start.Sub(was)
	}
	log, err := b.read(ctx)
	if err != nil {
		return b.report, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	b.report.Events, b.report.Reading = log.Events(), lap()

	fillings, err := b.plan(ctx, log)
	if err != nil {
		return b.report, err
	}
	if err := b.load(ctx, log, fillings); err != nil {
		return b.report, fmt.Errorf("load: %w", err)
	}
	b.report.Loading = lap()

	group, groupCtx := errgroup.WithContext(ctx)
	for _, f := range fillings {
		group.Go(func() error { return b.index(groupCtx, f) })
	}
	if err := group.Wait(); err != nil {
		return b.report, err
	}
	b.report.Indexing = lap()
	if b.report.Parked, err = b.parked(ctx, fillings); err != nil {
		return b.report, err
	}
	if b.Hold || b.Into != "" {
		return b.report, nil
	}
	for _, f := range fillings {
		if err := b.take(ctx, f.slot); err != nil {
			return b.report, fmt.Errorf("switch to the rebuilt %s: %w", f.view.Name(), err)
		}
	}
	b.report.Switching = lap()
	return b.report, nil
}

// read brings the archive up to the end of the log.
func (b *rebuild) read(ctx context.Context) (*archive.Snapshot, error) {
	head, err := b.Log.Head(ctx)
	if err != nil {
		return nil, err
	}
	return b.Archive.Extend(ctx, head.Position, func(events int) {
		b.report.Read = events
		b.Observe(RebuildProgress{Phase: Reading, Done: events})
	})
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
