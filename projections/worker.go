package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
)

const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
	// tries is how often one event is given to a view before it is parked.
	tries = 3
	// retryPause grows with the tries. It is short, since whoever refused an event once mostly refuses it again.
	retryPause = 10 * time.Millisecond
)

// worker folds batches into one slot. It is used by one goroutine.
type worker struct {
	slot
	pool   *pgxpool.Pool
	logger *slog.Logger
	checkpoint
	// failing hears of every failed attempt, and of the next success as nil.
	failing func(error)
	// moved hears of every commit.
	moved func(at domain.Position, events int)
	// observers hear of every attempt. now is their clock.
	observers observers
	now       func() time.Time
	// turns bounds how many attempts there are at once, nil for any number.
	turns chan struct{}
	// limit is how long an attempt may take; 0 is for ever.
	limit time.Duration
	// unsure is the target of a commit whose answer was lost.
	unsure domain.Position
}

// process folds the entries, which lie after the checkpoint, and moves the checkpoint to target. It tries for ever where
// the fault is not an event's, and parks the event where it is. It returns with ErrTaken and errBack, and when ctx ends, but not in the midst
// of an attempt, which has as long as work lasts.
func (w *worker) process(ctx, work context.Context, entries []entry, target domain.Position) error {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := w.attempt(work, entries, target)
		switch {
		case err == nil:
			w.failing(nil)
			return nil
		case work.Err() != nil:
			return work.Err()
		case errors.Is(err, ErrTaken), errors.Is(err, errBack):
			return err
		case stops(err):
			w.failing(err)
			return err
		case errors.Is(err, errMoved):
			if w.position.Compare(target) >= 0 {
				return nil
			}
			entries = after(entries, w.position)
			continue
		}
		w.failing(err)
		w.observers.failed(ctx, w.view.Name(), err)
		switch {
		case len(entries) > 1 && (!passing(err) || errors.Is(err, context.DeadlineExceeded)): // less may be done in time
			half := len(entries) / 2
			if err := w.process(ctx, work, entries[:half], entries[half-1].Position); err != nil {
				return err
			}
			return w.process(ctx, work, after(entries[half:], w.position), target)
		case passing(err) || len(entries) == 0 || aside(entries):
			attempt = 0
			w.logger.WarnContext(ctx, "view waits", slog.String("view", w.key), slog.String("error", reason(err)), slog.Duration("pause", pause))
		case attempt >= tries:
			e := entries[0]
			w.logger.ErrorContext(ctx, "event parked", slog.String("view", w.key), slog.String("stream", e.Stream),
				slog.Uint64("revision", e.Revision), slog.String("type", e.Type), slog.String("error", reason(err)))
			entries = []entry{{e.Recorded, e.raw, &parking{err, attempt}}}
			continue
		default:
			if !sleep(ctx, time.Duration(attempt)*retryPause) {
				return ctx.Err()
			}
			continue
		}
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
		pause = min(2*pause, lastPause)
	}
}

// stops reports whether an error ends the keeping of a view: it is broken, or its tables are another definition's.
func stops(err error) bool { return errors.Is(err, ErrBroken) || errors.Is(err, ErrOutdated) }

// parking is the error of an entry that was tried often enough.
type parking struct {
	cause    error
	attempts int
}

// aside reports whether all that is left to do is to park an event.
func aside(entries []entry) bool {
	_, ok := errors.AsType[*parking](entries[0].err)
	return ok && len(entries) == 1
}

// Error returns the reason.
func (p *parking) Error() string { return reason(p.cause) }

// attempt does all of it in one transaction.
func (w *worker) attempt(ctx context.Context, entries []entry, target domain.Position) error {
	if w.turns != nil {
		select {
		case w.turns <- struct{}{}:
			defer func() { <-w.turns }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if w.limit > 0 {
		bounded, cancel := context.WithTimeout(ctx, w.limit)
		defer cancel()
		ctx = bounded
	}
	committing := false
	commit := Commit{View: w.view.Name(), Position: target, Events: len(entries), Began: w.now(), entries: entries}
	err := pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
		held, err := w.hold(ctx, tx)
		if err != nil {
			return err
		}
		done, err := w.compare(held, target)
		if done || err != nil {
			return err
		}
		folded, err := w.fold(ctx, tx, entries, held.parked)
		if err != nil {
			return err
		}
		if err := w.move(ctx, tx, target, folded); err != nil {
			return err
		}
		committing = true
		commit.Parked, commit.Folded = len(entries)-folded, w.now()
		return nil
	})
	if err != nil {
		if committing {
			w.unsure = target
		}
		return err
	}
	commit.Ended = w.now()
	w.observers.committed(ctx, commit)
	w.position = target
	w.moved(target, len(entries))
	return nil
}

// scans says whether the planner may read whole tables. Folds look rows up by their stream, in tables that grow faster than the planner's
// statistics; what SQL of other people does is left to it.
func (s slot) scans() string {
	if _, stored := s.view.(Stored); stored {
		return "on"
	}
	return "off"
}

type held struct {
	checkpoint
	shape  string
	parked bool
}

// idle is how long a process may say nothing in the midst of a transaction that others wait for. Then it is stopped, or out of reach, and the
// database takes back what it was at.
const idle = 10 * time.Second

// milliseconds is a time as Postgres has it in its settings.
func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// hold locks the checkpoint for the transaction and sets its search path.
func (s slot) hold(ctx context.Context, tx pgx.Tx) (held, error) {
	var h held
	err := tx.QueryRow(ctx, `
		select c.commit_position, c.prepare_position, c.generation, c.shape,
		       exists (select from aftercare.parked_event p where p.view = c.view),
		       set_config('search_path', $2, true) is null, set_config('enable_seqscan', $3, true) is null,
		       set_config('idle_in_transaction_session_timeout', $4, true) is null
		  from aftercare.checkpoint c where c.view = $1 for update`, s.key, s.path(), s.scans(), milliseconds(idle)).
		Scan(&h.position.Commit, &h.position.Prepare, &h.generation, &h.shape, &h.parked, new(bool), new(bool), new(bool))
	if errors.Is(err, pgx.ErrNoRows) {
		return h, fmt.Errorf("view %s has no checkpoint: %w", s.key, errBack)
	}
	if err != nil {
		return h, fmt.Errorf("lock the checkpoint of %s: %w", s.key, err)
	}
	return h, nil
}

// compare tells a lost answer, a lost commit, a rebuild and another runner apart. It reports true when the target is reached already.
func (w *worker) compare(found held, target domain.Position) (bool, error) {
	switch {
	case found.position.Compare(w.position) < 0:
		return false, fmt.Errorf("view %s from %d to %d: %w", w.key, w.position.Commit, found.position.Commit, errBack)
	case found.generation != w.generation && found.shape != w.shape(): // a rebuild of another program took the view's place
		return false, ErrOutdated
	case found.generation != w.generation:
		w.checkpoint = found.checkpoint
		return false, errMoved
	case found.position == w.position:
		return false, nil
	case found.position == target && w.unsure == target:
		return true, nil
	default:
		return false, fmt.Errorf("view %s at %d, expected %d: %w", w.key, found.position.Commit, w.position.Commit, ErrTaken)
	}
}

// fold gives the view what it can take and parks the rest. It returns how many events the view took.
func (w *worker) fold(ctx context.Context, tx pgx.Tx, entries []entry, anyParked bool) (int, error) {
	if len(entries) == 0 {
		return 0, nil
	}
	var parked map[string]bool
	if anyParked {
		var err error
		if parked, err = w.parked(ctx, tx, entries); err != nil {
			return 0, err
		}
	}
	batch := make([]entry, 0, len(entries))
	for _, e := range entries {
		var poison *parking
		switch {
		case parked[clean(e.Stream)]:
			if err := w.park(ctx, tx, e.Recorded, behind, 0); err != nil {
				return 0, err
			}
		case errors.As(e.err, &poison):
			if err := w.park(ctx, tx, e.Recorded, poison.Error(), poison.attempts); err != nil {
				return 0, err
			}
		case e.err != nil:
			return 0, e.err
		default:
			batch = append(batch, e)
		}
	}
	if len(batch) == 0 {
		return 0, nil
	}
	return len(batch), apply(ctx, tx, w.view, batch)
}

// move sets the checkpoint, which must be where this worker left it.
func (w *worker) move(ctx context.Context, tx pgx.Tx, target domain.Position, events int) error {
	tag, err := tx.Exec(ctx, `
		update aftercare.checkpoint
		   set commit_position = $4, prepare_position = $5, events = events + $6, updated_at = clock_timestamp()
		 where view = $1 and commit_position = $2 and prepare_position = $3`,
		w.key, stored(w.position.Commit), stored(w.position.Prepare), stored(target.Commit), stored(target.Prepare), events)
	if err != nil {
		return fmt.Errorf("move the checkpoint of %s: %w", w.key, err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("view %s: %w", w.key, ErrTaken)
	}
	return nil
}

// after returns the entries that lie after a position.
func after(entries []entry, at domain.Position) []entry {
	for i, e := range entries {
		if e.Position.Compare(at) > 0 {
			return entries[i:]
		}
	}
	return nil
}

// sleep waits, and reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
