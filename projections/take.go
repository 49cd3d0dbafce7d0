package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// takes is how often the switch is tried when an event that came last of all is refused, or the answer to it was lost.
const takes = 5

// take catches up with what was recorded since the version was filled, and puts it in the place of the live one. Next replaces whatever was the
// previous version.
func (b *rebuild) take(ctx context.Context, s slot) error {
	b.Observe(RebuildProgress{Phase: Switching, View: s.view.Name()})
	live := liveSlot(s.view)
	was, err := b.generation(ctx, live)
	if err != nil {
		return err
	}
	var at checkpoint
	err = b.waitOut(ctx, func() (err error) {
		at, err = ensure(ctx, b.Pool, s)
		return err
	})
	if err != nil {
		return err
	}
	if s.key != versionSlot(s.view, Previous).key {
		if err := b.drop(ctx, versionSlot(s.view, Previous)); err != nil {
			return err
		}
	}
	w := b.worker(s, at)
	for attempt := 1; ; attempt++ {
		if err := b.catchUp(ctx, w); err != nil {
			return err
		}
		err := b.waitOut(ctx, func() error { return b.replace(ctx, live, was, w) })
		if err == nil || attempt == takes || ctx.Err() != nil || errors.Is(err, ErrTaken) || errors.Is(err, errBack) {
			return err
		}
	}
}

// generation returns that of a slot's tables.
func (b *rebuild) generation(ctx context.Context, s slot) (n int64, err error) {
	err = b.waitOut(ctx, func() error {
		return b.Pool.QueryRow(ctx, `select generation from aftercare.checkpoint where view = $1`, s.key).Scan(&n)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrUnknown
	}
	return n, err
}

// catchUp folds what the log holds after the worker's checkpoint, until little is left.
func (b *rebuild) catchUp(ctx context.Context, w *worker) error {
	const most = 5000
	for {
		entries, last, err := b.entries(ctx, w.position, domain.Position{}, most, w.view)
		if err != nil {
			return err
		}
		if last == w.position {
			return nil
		}
		if err := w.process(ctx, ctx, entries, last); err != nil {
			return err
		}
		if len(entries) < most/10 {
			return nil
		}
	}
}

// entries reads and decodes the events after one position, up to another unless that is zero, and at most so many. It
// returns the position of the last event that it looked at.
func (b *rebuild) entries(ctx context.Context, from, until domain.Position, most int, v View) ([]entry, domain.Position, error) {
	var events []codec.Raw
	last := from
	for e, err := range b.Log.Read(ctx, from) {
		if err != nil {
			return nil, last, err
		}
		if until != (domain.Position{}) && e.Position.Compare(until) > 0 {
			break
		}
		last = e.Position
		if v.Handles(e.Type) {
			events = append(events, e)
		}
		if most > 0 && len(events) == most {
			break
		}
	}
	entries, err := b.entriesOf(ctx, v, events)
	return entries, last, err
}

// replace folds the last events under the lock of the live checkpoint, which holds the live runner up, and switches. When
// the runner goes on it finds another generation and reads its checkpoint again. It does nothing when the live view is of another
// generation than it was already: then the answer to an earlier attempt was lost.
func (b *rebuild) replace(ctx context.Context, live slot, generation int64, w *worker) error {
	return pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		was, err := live.hold(ctx, tx)
		if err != nil || was.generation != generation {
			return err
		}
		is, err := w.hold(ctx, tx)
		if err != nil {
			return err
		}
		if is.checkpoint != w.checkpoint {
			return fmt.Errorf("rebuild of %s: %w", w.view.Name(), ErrTaken)
		}
		at := w.position
		if at.Compare(was.position) < 0 {
			entries, _, err := b.entries(ctx, at, was.position, 0, w.view)
			if err != nil {
				return err
			}
			folded, err := w.fold(ctx, tx, entries, is.parked)
			if err != nil {
				return err
			}
			if err := w.move(ctx, tx, was.position, folded); err != nil {
				return err
			}
		}
		return swap(ctx, tx, live, w.slot)
	})
}

// swap makes one version the live one, and the live one the previous.
func swap(ctx context.Context, tx pgx.Tx, live, next slot) error {
	out := versionSlot(live.view, leaving)
	// The row of the live checkpoint stays, since others wait for it: what it says changes places.
	_, err := tx.Exec(ctx, `
		insert into aftercare.checkpoint (view, generation, shape, commit_position, prepare_position, events, updated_at)
		select $2, generation, shape, commit_position, prepare_position, events, updated_at from aftercare.checkpoint where view = $1`,
		live.key, out.key)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		with next as (delete from aftercare.checkpoint where view = $2 returning *)
		update aftercare.checkpoint live
		   set generation = live.generation + 1, shape = next.shape, commit_position = next.commit_position,
		       prepare_position = next.prepare_position, events = next.events, updated_at = clock_timestamp()
		  from next where live.view = $1`, live.key, next.key)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from aftercare.rebuild where view = $1`, next.key); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from aftercare.rebuild_portion where view = $1`, next.key); err != nil {
		return err
	}
	there := false
	for _, move := range []struct{ from, to slot }{{live, out}, {next, live}, {out, versionSlot(live.view, Previous)}} {
		if there, err = rename(ctx, tx, move.from, move.to); err != nil {
			return err
		}
	}
	if !there { // there was nothing to keep
		_, err = tx.Exec(ctx, `delete from aftercare.checkpoint where view = $1`, out.key)
		return err
	}
	out, was := versionSlot(live.view, Previous), out
	if _, err = tx.Exec(ctx, `update aftercare.checkpoint set view = $2 where view = $1`, was.key, out.key); err != nil {
		return err
	}
	return gap(ctx, tx, out)
}

const (
	gapTries = 10
	gapPause = 20 * time.Millisecond
)

// gap waits for a moment in which no statement reads the tables that are replaced, and keeps statements out until the commit. Postgres looks the
// tables of a statement up one after the other: one that is at it during the commit would find a table of each version. Readers wait for gapPause
// at most. Where some of them never leave a gap, the versions are switched without.
func gap(ctx context.Context, tx pgx.Tx, replaced slot) error {
	var tables string
	err := tx.QueryRow(ctx, `
		select coalesce(string_agg(oid::regclass::text, ', ' order by oid), '')
		  from pg_catalog.pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'p')`, replaced.quoted()).Scan(&tables)
	if err != nil || tables == "" {
		return err
	}
	for range gapTries {
		err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, fmt.Sprintf("set local lock_timeout = %d; lock table %s in access exclusive mode", gapPause.Milliseconds(), tables))
			return err
		})
		if refusal, ok := errors.AsType[*pgconn.PgError](err); !ok || refusal.Code != "55P03" {
			return err
		}
		sleep(ctx, gapPause)
	}
	return nil
}

// rename gives the tables and the parked events of a slot to another that has none. It reports whether there were tables.
func rename(ctx context.Context, tx pgx.Tx, from, to slot) (there bool, err error) {
	if _, err := tx.Exec(ctx, `update aftercare.parked_event set view = $2 where view = $1`, from.key, to.key); err != nil {
		return false, err
	}
	err = tx.QueryRow(ctx, `select exists (select from pg_catalog.pg_namespace where nspname = $1)`, from.schema).Scan(&there)
	if err != nil || !there {
		return false, err
	}
	_, err = tx.Exec(ctx, "alter schema "+from.quoted()+" rename to "+to.quoted())
	return true, err
}
