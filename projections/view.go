package projections

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// View is a read model.
type View interface {
	// Name is the view's name, such as "ticket"; its tables live in the Postgres schema "view_<name>".
	Name() string
	// Tables returns the statements that create the view's empty tables, without indexes that a bulk load is better without;
	// they run with the search path set to the view's schema.
	Tables() string
	// Indexes returns the statements that create the remaining indexes; a rebuild runs them after loading.
	Indexes() string
	// Handles reports whether the view wants events of this stored type. It must not change between calls.
	Handles(eventType string) bool
	// Apply folds a batch, in order, within the transaction that also moves the checkpoint. Event is never nil.
	// It ignores events it does not know, and neither calls other services nor a clock.
	Apply(ctx context.Context, tx pgx.Tx, batch []domain.Recorded) error
	// Bulk returns an empty fold for a rebuild. It sees every event of some streams and none of the others. It is nil for a view
	// that folds across streams: a rebuild then gives it the log in batches, in order, as a runner does.
	Bulk() Bulk
}

// Stored is a view that takes events as they are stored: not decoded, and sealed. It may want types that the catalog does not know.
// Its Apply is never called.
type Stored interface {
	View
	// ApplyStored folds a batch as Apply does.
	ApplyStored(ctx context.Context, tx pgx.Tx, batch []codec.Raw) error
}

// apply gives a batch to a view, in the form it wants.
func apply(ctx context.Context, tx pgx.Tx, v View, batch []entry) error {
	err := give(ctx, tx, v, batch)
	if err != nil && ctx.Err() == nil && !tx.Conn().IsClosed() {
		return &eventError{err}
	}
	return err
}

func give(ctx context.Context, tx pgx.Tx, v View, batch []entry) error {
	if stored, ok := v.(Stored); ok {
		events := make([]codec.Raw, len(batch))
		for i, e := range batch {
			events[i] = e.raw
		}
		return guard(func() error { return stored.ApplyStored(ctx, tx, events) })
	}
	events := make([]domain.Recorded, len(batch))
	for i, e := range batch {
		events[i] = e.Recorded
	}
	return guard(func() error { return v.Apply(ctx, tx, events) })
}

// Bulk folds whole histories in memory. It is used by one goroutine.
type Bulk interface {
	// Add folds one event that the view handles.
	Add(r domain.Recorded) error
	// Copy writes the rows into the new tables of a rebuild, by COPY. It is called once, after the last event.
	Copy(ctx context.Context, tx pgx.Tx) error
}
