package projections

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// takes is how often the switch is tried when an event that came last of all is refused.
const takes = 5

// take catches up with what was recorded since the load, and puts the new tables in the place of the live ones.
func (b *rebuild) take(ctx context.Context, v View) error {
	next := nextSlot(v)
	at, err := ensure(ctx, b.Pool, next)
	if err != nil {
		return err
	}
	w := &worker{
		slot: next, pool: b.Pool, logger: b.Logger, checkpoint: at,
		failing: func(error) {}, moved: func(domain.Position, int) {},
	}
	for attempt := 1; ; attempt++ {
		if err := b.catchUp(ctx, w); err != nil {
			return err
		}
		err := b.replace(ctx, w)
		if err == nil || attempt == takes || ctx.Err() != nil || errors.Is(err, ErrTaken) || errors.Is(err, errBack) {
			return err
		}
	}
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
		if err := w.process(ctx, entries, last); err != nil {
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
	c := collector{codec: b.Codec, opener: b.Opener, logger: b.Logger}
	entries, err := c.decode(ctx, events)
	return slot{view: v}.wanted(entries), last, err
}

// replace folds the last events under the lock of the live checkpoint, which holds the live runner up, and switches. When
// the runner goes on it finds another generation and reads its checkpoint again.
func (b *rebuild) replace(ctx context.Context, w *worker) error {
	live := liveSlot(w.view)
	return pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		was, err := live.hold(ctx, tx)
		if err != nil {
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
			at = was.position
			if err := w.move(ctx, tx, at, folded); err != nil {
				return err
			}
		}
		return b.rename(ctx, tx, live, w.slot)
	})
}

// rename puts the slot next in the place of the slot live.
func (b *rebuild) rename(ctx context.Context, tx pgx.Tx, live, next slot) error {
	var there bool
	err := tx.QueryRow(ctx, `select exists (select from pg_catalog.pg_namespace where nspname = $1)`, live.schema).Scan(&there)
	if err != nil {
		return err
	}
	if there {
		old := pgx.Identifier{previous(live.view)}.Sanitize()
		if _, err := tx.Exec(ctx, "alter schema "+live.quoted()+" rename to "+old); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "alter schema "+next.quoted()+" rename to "+live.quoted()); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from aftercare.parked_event where view = $1`, live.key); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update aftercare.parked_event set view = $1 where view = $2`, live.key, next.key); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		with next as (delete from aftercare.checkpoint where view = $2 returning *)
		update aftercare.checkpoint live
		   set generation = live.generation + 1, shape = next.shape, commit_position = next.commit_position,
		       prepare_position = next.prepare_position, events = next.events, updated_at = clock_timestamp()
		  from next where live.view = $1`, live.key, next.key)
	return err
}
