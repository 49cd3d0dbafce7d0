package feed

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

// ErrReplaced says that the store at the address is not the one that was followed, or has lost part of it: its log ends before
// the position of the subscription, or has another event there. A subscription reports it and tries again, since a node of
// a cluster may only be behind the others; it delivers nothing meanwhile.
var ErrReplaced = errors.New("the event store is not the one followed before")

var errBehind = fmt.Errorf("%w: its log ends before the position reached", ErrReplaced)

// mark is how far a subscription is: everything up to position was seen. The event id stands at last, which is zero before
// there was one.
type mark struct {
	position domain.Position
	last     domain.Position
	id       domain.UUID
}

func (m *mark) reach(it item) {
	m.position = it.position
	if it.progress == 0 {
		m.last, m.id = it.position, it.event.ID
	}
}

// resumed is a subscription. A short one begins before the mark, at the last event there is, to see whether the store shows
// anything up to the mark before it is caught up.
type resumed struct {
	*esdb.Subscription
	short bool
}

// resume subscribes after a mark, when the store has the event of the mark where it was.
func resume(ctx context.Context, client *esdb.Client, f *esdb.SubscriptionFilter, at mark) (resumed, error) {
	options := esdb.SubscribeToAllOptions{From: from(at.position), Filter: f, MaxSearchWindow: window}
	short := false
	if at.position != (domain.Position{}) {
		head, err := compare(ctx, client, at)
		if err != nil {
			return resumed{}, err
		}
		if short = head.Compare(at.position) < 0; short {
			options.From = from(head)
		}
	}
	sub, err := client.SubscribeToAll(ctx, options)
	if err != nil {
		return resumed{}, foreign(err, at)
	}
	return resumed{sub, short}, nil
}

// compare returns the position of the last event of the store, and ErrReplaced when the one that was seen last is another
// there.
func compare(ctx context.Context, client *esdb.Client, at mark) (domain.Position, error) {
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
