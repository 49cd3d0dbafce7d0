package projections

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// Replayed says what became of the parked events of a view.
type Replayed struct {
	// Taken were folded now, Left are still parked.
	Taken, Left int
}

// Replay gives a view its parked events again, stream by stream and in order. A stream ends at the first event that is
// refused again, which counts as one more attempt. It may be called while a runner keeps the view, in any process.
func (r *Runner) Replay(ctx context.Context, view string) (Replayed, error) {
	var done Replayed
	i := slices.IndexFunc(r.Views, func(v View) bool { return v.Name() == view })
	if i < 0 {
		return done, fmt.Errorf("replay %s: %w", view, ErrUnknown)
	}
	s := liveSlot(r.Views[i])
	rows, err := r.Pool.Query(ctx, `
		select stream from aftercare.parked_event where view = $1 group by stream order by min(commit_position)`, s.key)
	if err != nil {
		return done, fmt.Errorf("replay %s: %w", view, err)
	}
	streams, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return done, fmt.Errorf("replay %s: %w", view, err)
	}
	for _, stream := range streams {
		for {
			taken, more, err := r.replay(ctx, s, stream)
			done.Taken += taken
			if err != nil {
				return done, fmt.Errorf("replay %s of %s: %w", stream, view, err)
			}
			if !more {
				break
			}
		}
	}
	err = r.Pool.QueryRow(ctx, `select count(*) from aftercare.parked_event where view = $1`, s.key).Scan(&done.Left)
	if err != nil {
		return done, fmt.Errorf("replay %s: %w", view, err)
	}
	return done, nil
}

// replayChunk is how many events are given to the view in one transaction, which holds up its runner.
const replayChunk = 100

// replay gives the view the first parked events of one stream. It reports whether there may be more to give.
func (r *Runner) replay(ctx context.Context, s slot, stream string) (taken int, more bool, err error) {
	positions, err := s.first(ctx, r.Pool, stream)
	if err != nil {
		return 0, false, err
	}
	entries := make([]entry, 0, len(positions))
	for _, p := range positions {
		e, err := r.Log.At(ctx, p)
		if err != nil {
			return 0, false, err
		}
		entries = append(entries, decode(ctx, r.Codec, r.Opener, []codec.Raw{e})...)
	}
	refused := false
	err = pgx.BeginFunc(ctx, r.Pool, func(tx pgx.Tx) error {
		held, err := s.hold(ctx, tx)
		if err != nil {
			return err
		}
		if held.shape != s.shape() {
			return ErrOutdated
		}
		// Another replay may have given them, or a rebuild taken the view's place, before the lock was had.
		if still, err := s.first(ctx, tx, stream); err != nil || !slices.Equal(still[:min(len(still), len(positions))], positions) {
			return err
		}
		for _, e := range entries {
			ok, err := s.again(ctx, tx, e)
			if err != nil {
				return err
			}
			if refused = !ok; refused {
				break
			}
			taken++
		}
		_, err = tx.Exec(ctx, `update aftercare.checkpoint set events = events + $2 where view = $1`, s.key, taken)
		return err
	})
	if err != nil {
		return 0, false, err
	}
	return taken, !refused && len(entries) > 0, nil
}

// queries is what a pool and a transaction have in common.
type queries interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// first returns where the first parked events of a stream are.
func (s slot) first(ctx context.Context, db queries, stream string) ([]domain.Position, error) {
	rows, err := db.Query(ctx, `
		select commit_position, prepare_position from aftercare.parked_event
		 where view = $1 and stream = $2 order by commit_position, prepare_position limit $3`, s.key, stream, replayChunk)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p domain.Position, err error) {
		err = row.Scan(&p.Commit, &p.Prepare)
		return p, err
	})
}

// again gives the view one parked event. It reports whether the view took it.
func (s slot) again(ctx context.Context, tx pgx.Tx, e entry) (bool, error) {
	refusal := e.err
	if wanted := s.wanted([]entry{e}); len(wanted) > 0 && wanted[0].err == nil {
		refusal = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return apply(ctx, tx, s.view, wanted) })
	}
	if refusal != nil && (passing(refusal) || ctx.Err() != nil) {
		return false, refusal
	}
	if refusal != nil {
		_, err := tx.Exec(ctx, `
			update aftercare.parked_event set attempts = attempts + 1, error = $4
			 where view = $1 and commit_position = $2 and prepare_position = $3`,
			s.key, stored(e.Position.Commit), stored(e.Position.Prepare), clean(reason(refusal)))
		return false, err
	}
	_, err := tx.Exec(ctx, `delete from aftercare.parked_event where view = $1 and commit_position = $2 and prepare_position = $3`,
		s.key, stored(e.Position.Commit), stored(e.Position.Prepare))
	return true, err
}
