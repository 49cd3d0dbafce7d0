package projections

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
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
	// Bulk returns an empty fold for a rebuild. It sees every event of some streams and none of the others.
	Bulk() Bulk
}

// Bulk folds whole histories in memory. It is used by one goroutine.
type Bulk interface {
	// Add folds one event that the view handles.
	Add(r domain.Recorded) error
	// Full reports whether so many rows are final that they should be copied now. It is false for a fold whose rows may all
	// change until the end.
	Full() bool
	// Copy writes the rows into the new tables of a rebuild, by COPY, and lets go of them. It is called whenever the fold is
	// full, and once after the last event.
	Copy(ctx context.Context, tx pgx.Tx) error
}
