package eventstore

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"aftercare/domain"
)

// mark is how far a Follow is: everything up to position was seen. The event id stands at last, which is zero before there
// was one.
type mark struct {
	position domain.Position
	last     domain.Position
	id       domain.UUID
}

// pump owns a subscription: it opens it, passes on an empty message and then all it gets, and closes it. The last message
// is a SubscriptionDropped.
func (p *pool) pump(ctx context.Context, s session, at mark, options esdb.SubscribeToAllOptions, messages queue) {
	pass := func(m *esdb.SubscriptionEvent) error { return messages.put(ctx, m) }
	_, err := guard(s.client, func(client *esdb.Client) (struct{}, error) {
		return struct{}{}, subscribe(ctx, client, at, options, pass)
	})
	p.release(s, judge(ctx, err))
	_ = pass(&esdb.SubscriptionEvent{SubscriptionDropped: &esdb.SubscriptionDropped{Error: err}}) // fails when nobody listens
}

// subscribe follows the log from at until the subscription or pass fails. A log that seems to end before at is followed
// from its last event: it does when it shows us nothing up to at before it is caught up.
func subscribe(ctx context.Context, client *esdb.Client, at mark, options esdb.SubscribeToAllOptions, pass func(*esdb.SubscriptionEvent) error) error {
	head, err := compare(ctx, client, at)
	if err != nil {
		return err
	}
	short := head.Compare(at.position) < 0
	if short {
		options.From = from(head)
	}
	subscription, err := client.SubscribeToAll(ctx, options)
	if err != nil {
		return foreign(err, at)
	}
	defer func() { _ = subscription.Close() }() // never fails
	for m := new(esdb.SubscriptionEvent); ; m = subscription.Recv() {
		switch {
		case m.SubscriptionDropped != nil:
			return m.SubscriptionDropped.Error
		case m.EventAppeared != nil && m.EventAppeared.Event != nil:
			short = short && position(m.EventAppeared.Event.Position).Compare(at.position) < 0
		case m.CheckPointReached != nil: // also for the store's own records, which no read shows
			short = short && position(*m.CheckPointReached).Compare(at.position) < 0
		case m.CaughtUp != nil && short:
			return errBehind
		}
		if err := pass(m); err != nil {
			return err
		}
	}
}

// compare returns the position of the last event of the store, and ErrReplaced when the one that was seen last is another
// there. From the start, nothing is compared.
func compare(ctx context.Context, client *esdb.Client, at mark) (domain.Position, error) {
	if at.position == (domain.Position{}) {
		return domain.Position{}, nil
	}
	if at.last != (domain.Position{}) {
		there, err := one(ctx, client, esdb.ReadAllOptions{From: from(at.last)})
		if err != nil {
			return domain.Position{}, foreign(err, at)
		}
		if there != nil && position(there.Position) == at.last && domain.UUID(there.EventID) != at.id {
			return domain.Position{}, fmt.Errorf("%w: it has another event at %d", ErrReplaced, at.last.Commit)
		}
	}
	head, err := one(ctx, client, esdb.ReadAllOptions{From: esdb.End{}, Direction: esdb.Backwards})
	if err != nil || head == nil {
		return domain.Position{}, err
	}
	return position(head.Position), nil
}

// one reads at most one event of $all, nil when there is none.
func one(ctx context.Context, client *esdb.Client, options esdb.ReadAllOptions) (*esdb.RecordedEvent, error) {
	events, err := client.ReadAll(ctx, options, 1)
	if err != nil {
		return nil, err
	}
	defer events.Close()
	e, err := events.Recv()
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil //nolint:nilnil // nothing is there
	case err != nil:
		return nil, err
	}
	return e.OriginalEvent(), nil
}

// foreign makes ErrReplaced of a store's answer that a position of ours is none of its own.
func foreign(err error, at mark) error {
	if at.position != (domain.Position{}) && status.Code(err) == codes.InvalidArgument {
		return fmt.Errorf("%w: it knows no position %d: %w", ErrReplaced, at.position.Commit, err)
	}
	return err
}

func position(p esdb.Position) domain.Position {
	return domain.Position{Commit: p.Commit, Prepare: p.Prepare}
}

func from(after domain.Position) esdb.AllPosition {
	if after == (domain.Position{}) {
		return esdb.Start{}
	}
	return esdb.Position{Commit: after.Commit, Prepare: after.Prepare}
}
