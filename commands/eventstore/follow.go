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

// Follow implements commands.Follower. An outage is waited out with growing pauses, up to 5 s.
func (l *Log) Follow(ctx context.Context, after domain.Position, prefixes []string, f func([]domain.Recorded, bool) error) error {
	w := &follower{log: l, position: after, prefixes: prefixes, f: f}
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		before := w.position
		err := w.once(ctx)
		var stop *stoppedError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &stop):
			return stop.err
		case errors.Is(err, errClosed):
			return err
		case w.position != before:
			pause = shortestPause
		}
		l.options.Logger.WarnContext(ctx, "subscription to the event store ended; it will be made again",
			"error", err, "pause", pause, "position", w.position.Commit)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-l.pool.closing:
			timer.Stop()
			return errClosed
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// stoppedError wraps an error that ends Follow: the reader's own, or an event that cannot be decoded.
type stoppedError struct{ err error }

func (s *stoppedError) Error() string { return s.err.Error() }

// follower is one Follow: where it is and what its reader was told last.
type follower struct {
	log      *Log
	position domain.Position
	prefixes []string
	f        func([]domain.Recorded, bool) error

	batch []domain.Recorded
	live  bool // this subscription is caught up
	told  bool // the reader was told so
}

// once follows one subscription to its end.
func (w *follower) once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.live, w.batch = false, nil
	s, err := w.log.pool.acquire(ctx)
	if err != nil {
		return err
	}
	messages := make(chan *esdb.SubscriptionEvent, maxBatch)
	go w.log.pump(ctx, s, w.options(), messages)

	timeout := time.NewTimer(w.log.options.OperationTimeout)
	defer timeout.Stop()
	confirmed := timeout.C
	for {
		select {
		case m := <-messages:
			confirmed = nil
			if err := w.drain(ctx, m, messages); err != nil {
				return err
			}
		case <-confirmed:
			return errors.New("the event store did not confirm the subscription in time")
		case <-w.log.pool.closing:
			return errClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pump owns a subscription: it opens it, passes on an empty message and then all it gets, and closes it. The last message
// is a SubscriptionDropped.
func (l *Log) pump(ctx context.Context, s session, options esdb.SubscribeToAllOptions, messages chan<- *esdb.SubscriptionEvent) {
	pass := func(m *esdb.SubscriptionEvent) error {
		select {
		case messages <- m:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	_, err := guard(s.client, func(client *esdb.Client) (struct{}, error) {
		subscription, err := client.SubscribeToAll(ctx, options)
		if err != nil {
			return struct{}{}, err
		}
		defer func() { _ = subscription.Close() }() // never fails
		for m := new(esdb.SubscriptionEvent); ; m = subscription.Recv() {
			if m.SubscriptionDropped != nil {
				return struct{}{}, m.SubscriptionDropped.Error
			}
			if err := pass(m); err != nil {
				return struct{}{}, err
			}
		}
	})
	l.pool.release(s, err)
	_ = pass(&esdb.SubscriptionEvent{SubscriptionDropped: &esdb.SubscriptionDropped{Error: err}}) // fails when nobody listens
}

func (w *follower) options() esdb.SubscribeToAllOptions {
	filter := esdb.ExcludeSystemEventsFilter()
	if len(w.prefixes) > 0 {
		filter = &esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: w.prefixes}
	}
	o := esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: filter, MaxSearchWindow: searchWindow}
	if w.position != (domain.Position{}) {
		o.From = esdb.Position{Commit: w.position.Commit, Prepare: w.position.Prepare}
	}
	return o
}

// drain takes m and all that is there after it, up to a batch, and hands it to the reader.
func (w *follower) drain(ctx context.Context, m *esdb.SubscriptionEvent, messages <-chan *esdb.SubscriptionEvent) error {
	var dropped error
	next := w.position
	for m != nil {
		var position domain.Position
		if position, dropped = w.take(ctx, m); dropped != nil {
			break
		}
		if position.Compare(next) > 0 {
			next = position
		}
		m = nil
		if len(w.batch) < maxBatch {
			select {
			case m = <-messages:
			default:
			}
		}
	}
	live := w.live && dropped == nil && len(messages) == 0
	if len(w.batch) > 0 || live && !w.told {
		if err := w.f(w.batch, live); err != nil {
			return &stoppedError{err}
		}
		w.told, w.batch = live, nil
	}
	w.position = next
	return dropped
}

// take adds one message to the batch and returns how far it brings us.
func (w *follower) take(ctx context.Context, m *esdb.SubscriptionEvent) (domain.Position, error) {
	switch {
	case m.SubscriptionDropped != nil:
		return domain.Position{}, m.SubscriptionDropped.Error
	case m.EventAppeared != nil && m.EventAppeared.Event != nil:
		r, err := w.log.codec.Decode(ctx, nil, raw(m.EventAppeared.Event))
		if err != nil {
			return domain.Position{}, &stoppedError{fmt.Errorf("follow: %w", err)}
		}
		w.batch = append(w.batch, r)
		return r.Position, nil
	case m.CheckPointReached != nil:
		return domain.Position{Commit: m.CheckPointReached.Commit, Prepare: m.CheckPointReached.Prepare}, nil
	case m.CaughtUp != nil:
		w.live = true
	case m.FellBehind != nil:
		w.live = false
	}
	return domain.Position{}, nil
}
