package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/domain"
)

const (
	maxBatch      = 500
	searchWindow  = 500 // how many events the server looks at between two checkpoints
	longestPause  = 5 * time.Second
	shortestPause = 50 * time.Millisecond
)

// ErrReplaced says that the store at the address is not the one that was followed, or has lost part of it: its log ends
// before the position of the Follow, or has another event there.
var ErrReplaced = errors.New("the event store is not the one followed before")

// errBehind is ErrReplaced as far as one subscription can tell: a node of a cluster may only be behind the others.
var errBehind = fmt.Errorf("%w: its log ends before the position reached", ErrReplaced)

// Follow implements commands.Follower. An outage is waited out with growing pauses, up to 5 s. A store that is another than
// before, or without the position, ends it with ErrReplaced. How soon a connection that died in silence is noticed is up to
// the address: after keepAliveInterval, which is never less than 10 s, and keepAliveTimeout.
func (l *Log) Follow(ctx context.Context, after domain.Position, prefixes []string, f func([]domain.Recorded, bool) error) error {
	w := &follower{log: l, mark: mark{position: after}, prefixes: prefixes, f: f}
	pause := shortestPause
	// behind is how long the store has been seen to be behind: outages in between, which say nothing of it, do not count.
	var behind time.Duration
	for {
		before := w.position
		err := w.once(ctx)
		if w.live || w.position != before {
			pause, behind = shortestPause, 0
		}
		wait := jitter(pause)
		var stop *stoppedError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &stop):
			return stop.err
		case errors.Is(err, errClosed):
			return err
		case errors.Is(err, errBehind):
			if behind >= l.options.BehindFor {
				return fmt.Errorf("%w for %s", errBehind, l.options.BehindFor)
			}
			wait = min(wait, l.options.BehindFor-behind)
			behind += wait
		case errors.Is(err, ErrReplaced):
			return err
		}
		l.options.Logger.WarnContext(ctx, "subscription to the event store ended; it will be made again",
			"error", err, "pause", wait, "position", w.position.Commit)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-l.pool.closing:
			timer.Stop()
			return errClosed
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		pause = min(2*pause, longestPause)
	}
}

// stoppedError wraps an error that ends Follow: the reader's own, or an event that cannot be decoded.
type stoppedError struct{ err error }

func (s *stoppedError) Error() string { return s.err.Error() }

// follower is one Follow: where it is and what its reader was told last.
type follower struct {
	log *Log
	mark
	prefixes []string
	f        func([]domain.Recorded, bool) error

	batch []domain.Recorded
	live  bool // this subscription is caught up
	told  bool // the reader was told so
}

// once follows one subscription to its end.
func (w *follower) once(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.live, w.batch = false, nil
	s, err := w.log.pool.acquire(ctx, false)
	if err != nil {
		return err
	}
	messages := newQueue()
	go w.log.pool.pump(ctx, s, w.mark, w.options(), messages)

	timeout := time.NewTimer(w.log.options.OperationTimeout)
	defer timeout.Stop()
	confirmed := timeout.C
	for {
		select {
		case m := <-messages.items:
			confirmed = nil
			if err := w.drain(ctx, m, messages); err != nil {
				return err
			}
		case <-confirmed:
			cancel(errNoAnswer)
			return errNoAnswer
		case <-w.log.pool.closing:
			return errClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *follower) options() esdb.SubscribeToAllOptions {
	filter := esdb.ExcludeSystemEventsFilter()
	if len(w.prefixes) > 0 {
		filter = &esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: w.prefixes}
	}
	return esdb.SubscribeToAllOptions{From: from(w.position), Filter: filter, MaxSearchWindow: searchWindow}
}

// drain takes m and all that is there after it, up to a batch, and hands it to the reader.
func (w *follower) drain(ctx context.Context, m *esdb.SubscriptionEvent, messages queue) error {
	var dropped error
	next, size := w.mark, int64(0)
	for m != nil {
		size += messages.took(m)
		if dropped = w.take(ctx, m, &next); dropped != nil {
			break
		}
		m = nil
		if len(w.batch) < maxBatch && size < pageBytes {
			select {
			case m = <-messages.items:
			default:
			}
		}
	}
	live := w.live && dropped == nil && len(messages.items) == 0
	if len(w.batch) > 0 || live && !w.told {
		if err := w.f(w.batch, live); err != nil {
			return &stoppedError{err}
		}
		w.told, w.batch = live, nil
	}
	w.mark = next
	return dropped
}

// take adds one message to the batch, unless it was seen before, and moves next.
func (w *follower) take(ctx context.Context, m *esdb.SubscriptionEvent, next *mark) error {
	switch {
	case m.SubscriptionDropped != nil:
		return m.SubscriptionDropped.Error
	case m.EventAppeared != nil && m.EventAppeared.Event != nil:
		e := raw(m.EventAppeared.Event)
		if e.Position.Compare(next.position) <= 0 {
			return nil
		}
		r, err := w.log.codec.Decode(ctx, nil, e)
		if err != nil {
			return &stoppedError{fmt.Errorf("follow: %w", err)}
		}
		w.batch = append(w.batch, r)
		*next = mark{position: r.Position, last: r.Position, id: r.ID}
	case m.CheckPointReached != nil:
		if at := position(*m.CheckPointReached); at.Compare(next.position) > 0 {
			next.position = at
		}
	case m.CaughtUp != nil:
		w.live = true
	case m.FellBehind != nil:
		w.live = false
	}
	return nil
}
