package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/projections/archive"
	"aftercare/projections/feed"
)

// plan is what a new version is made of, and how. It is stored with the version.
type plan struct {
	tables, program string // tables is the shape that they have
	until           domain.Position
	recordedBy      string // as it is stored, with all digits
	// portions is how many there are; 0 where the view is given the log in order.
	portions int
}

// filling is a new version while it is filled.
type filling struct {
	slot
	plan
	// done are the portions that are in the tables, and filled says that all are, with indexes.
	done   map[int]bool
	filled bool
	// events are how many of them were folded before this run.
	events int
	// began tells this filling of the version from any other.
	began time.Time
}

// plan prepares the new version of each view: it goes on with what an interrupted rebuild has left, where it fits, or starts over.
func (b *rebuild) plan(ctx context.Context, log *archive.Snapshot) ([]*filling, error) {
	portions := portionsFor(log.Events(), b.Portion)
	fillings := make([]*filling, len(b.views))
	for i, v := range b.views {
		f := &filling{slot: versionSlot(v, Next), plan: plan{program: b.Program, until: log.End(), portions: portions}}
		if b.Into != "" {
			f.slot = versionSlot(v, b.Into)
			f.recordedBy = b.AsOf.UTC().Format(time.RFC3339Nano)
		}
		f.tables = f.shape()
		if v.Bulk() == nil {
			f.portions = 0
		}
		err := b.waitOut(ctx, func() error { return b.prepare(ctx, f) })
		if err != nil {
			return nil, fmt.Errorf("prepare the rebuild of %s: %w", v.Name(), err)
		}
		b.report.Resumed = max(b.report.Resumed, f.events)
		fillings[i] = f
	}
	return fillings, nil
}

// prepare finds the version half made, or makes empty tables.
func (b *rebuild) prepare(ctx context.Context, f *filling) error {
	f.done = make(map[int]bool)
	return pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		// The live view's checkpoint is what a switch locks.
		if _, err := tx.Exec(ctx, `insert into aftercare.checkpoint (view, shape) values ($1, $2) on conflict do nothing`, f.view.Name(), f.tables); err != nil {
			return err
		}
		found, there, err := f.find(ctx, tx)
		if err != nil {
			return err
		}
		if there && found.follows(f.plan) {
			if there, err = b.holds(ctx, found.until); err != nil {
				return err
			}
			if there {
				f.plan = found
				return f.resume(ctx, tx)
			}
		}
		return f.begin(ctx, tx)
	})
}

// follows reports whether a rebuild that was begun as p is the same as one that is asked for as q: of the same code and the same log, up
// to a moment that has passed.
func (p plan) follows(q plan) bool {
	return p.tables == q.tables && p.program == q.program && p.recordedBy == q.recordedBy && p.until.Compare(q.until) <= 0 && (p.portions == 0) == (q.portions == 0)
}

// holds reports whether the log still has the event that a plan goes up to: one that was restored to an earlier state may have others since.
func (b *rebuild) holds(ctx context.Context, p domain.Position) (bool, error) {
	if p == (domain.Position{}) {
		return true, nil
	}
	_, err := b.Log.At(ctx, p)
	if errors.Is(err, feed.ErrMissing) {
		return false, nil
	}
	return err == nil, err
}

// find reads the plan of the version, if its tables are there.
func (f *filling) find(ctx context.Context, tx pgx.Tx) (p plan, there bool, err error) {
	err = tx.QueryRow(ctx, `
		select shape, program, commit_position, prepare_position, recorded_by, portions, filled, started_at
		  from aftercare.rebuild
		 where view = $1 and exists (select from aftercare.checkpoint c where c.view = $1)
		   and exists (select from pg_catalog.pg_namespace where nspname = $2)`, f.key, f.schema).
		Scan(&p.tables, &p.program, &p.until.Commit, &p.until.Prepare, &p.recordedBy, &p.portions, &f.filled, &f.began)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, false, nil
	}
	return p, err == nil, err
}

// resume reads which portions are there.
func (f *filling) resume(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `select portion, events from aftercare.rebuild_portion where view = $1`, f.key)
	if err != nil {
		return err
	}
	var portion, events int
	_, err = pgx.ForEachRow(rows, []any{&portion, &events}, func() error {
		f.done[portion] = true
		f.events += events
		return nil
	})
	return err
}

// begin makes empty tables, at the beginning of the log. Those of a view that takes the log in order have their indexes at once.
func (f *filling) begin(ctx context.Context, tx pgx.Tx) error {
	f.filled = false
	if err := f.forget(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `insert into aftercare.checkpoint (view, shape) values ($1, $2)`, f.key, f.tables); err != nil {
		return err
	}
	if err := create(ctx, tx, f.slot); err != nil {
		return err
	}
	if f.portions == 0 {
		if err := execute(ctx, tx, f.slot, f.view.Indexes()); err != nil {
			return err
		}
	}
	return tx.QueryRow(ctx, `
		insert into aftercare.rebuild (view, shape, program, commit_position, prepare_position, recorded_by, portions)
		values ($1, $2, $3, $4, $5, $6, $7) returning started_at`,
		f.key, f.tables, f.program, stored(f.until.Commit), stored(f.until.Prepare), f.recordedBy, f.portions).Scan(&f.began)
}

// forget removes all that is known of a version besides the live one, but for its schema.
func (s slot) forget(ctx context.Context, tx pgx.Tx) error {
	for _, table := range []string{"rebuild", "rebuild_portion", "parked_event", "checkpoint"} {
		if _, err := tx.Exec(ctx, `delete from aftercare.`+table+` where view = $1`, s.key); err != nil {
			return err
		}
	}
	return nil
}

// parked counts the events that were set aside.
func (b *rebuild) parked(ctx context.Context, fillings []*filling) (n int, err error) {
	keys := make([]string, len(fillings))
	for i, f := range fillings {
		keys[i] = f.key
	}
	err = b.Pool.QueryRow(ctx, `select count(*) from aftercare.parked_event where view = any($1)`, keys).Scan(&n)
	return n, err
}

// waitOut tries until it succeeds, or fails for a reason that does not pass by itself.
func (b *rebuild) waitOut(ctx context.Context, try func() error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := try()
		if err == nil || ctx.Err() != nil || !passing(err) {
			return err
		}
		b.Logger.WarnContext(ctx, "rebuild waits", "error", reason(err), "pause", pause)
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
	}
}
