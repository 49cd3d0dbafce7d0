package projections

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
)

// Version is one of the versions of a view besides the live one.
type Version struct {
	View string
	// Name is Next, Previous, or that of one made as of an instant.
	Name   string
	Schema string
	// Position is up to where the version holds the log, and Events how many it folded, once it is filled.
	Position domain.Position
	Events   int64
	Parked   int64
	// Filled says that it holds all it is to hold. Until then Done of Portions are there.
	Filled         bool
	Done, Portions int
	// AsOf is the instant that it is made as of, if it is one of those; StartedAt is when a rebuild began it, if one did.
	AsOf      *time.Time
	StartedAt *time.Time
	UpdatedAt time.Time
}

// Versions returns the versions of the views besides the live ones, all when none is named.
func Versions(ctx context.Context, pool *pgxpool.Pool, views ...string) ([]Version, error) {
	rows, err := pool.Query(ctx, `
		select split_part(c.view, '@', 1), split_part(c.view, '@', 2), c.commit_position, c.prepare_position, c.events, c.updated_at,
		       (select count(*) from aftercare.parked_event p where p.view = c.view),
		       coalesce(r.filled, true), coalesce(r.portions, 0), coalesce(r.recorded_by, ''), r.started_at,
		       (select count(*) from aftercare.rebuild_portion p where p.view = c.view)
		  from aftercare.checkpoint c left join aftercare.rebuild r on r.view = c.view
		 where c.view like '%@%' and (cardinality($1::text[]) = 0 or split_part(c.view, '@', 1) = any($1))
		 order by c.view`, append([]string{}, views...))
	if err != nil {
		return nil, fmt.Errorf("read the versions: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v Version, err error) {
		var by string
		err = row.Scan(&v.View, &v.Name, &v.Position.Commit, &v.Position.Prepare, &v.Events, &v.UpdatedAt, &v.Parked,
			&v.Filled, &v.Portions, &by, &v.StartedAt, &v.Done)
		if err == nil && by != "" {
			v.AsOf = new(time.Time)
			*v.AsOf, err = time.Parse(time.RFC3339Nano, by)
		}
		v.Schema = versionSlot(named(v.View), v.Name).schema
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the versions: %w", err)
	}
	return all, nil
}

// Parked is an event that a view could not take, or one behind such an event.
type Parked struct {
	View     string
	Position domain.Position
	EventID  domain.UUID
	Stream   string
	Revision int64
	Type     string
	Error    string
	// Attempts is 0 for an event that is parked only because an earlier one of its stream is.
	Attempts int
	ParkedAt time.Time
}

// ParkedEvents returns the parked events of the live views, all when none is named, in the order of the log; at most limit.
func ParkedEvents(ctx context.Context, pool *pgxpool.Pool, limit int, views ...string) ([]Parked, error) {
	rows, err := pool.Query(ctx, `
		select view, commit_position, prepare_position, event_id, stream, revision, type, error, attempts, parked_at
		  from aftercare.parked_event
		 where view not like '%@%' and (cardinality($1::text[]) = 0 or view = any($1))
		 order by view, commit_position, prepare_position limit $2`, append([]string{}, views...), limit)
	if err != nil {
		return nil, fmt.Errorf("read the parked events: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Parked, err error) {
		var id [16]byte
		err = row.Scan(&p.View, &p.Position.Commit, &p.Position.Prepare, &id, &p.Stream, &p.Revision, &p.Type, &p.Error, &p.Attempts, &p.ParkedAt)
		p.EventID = id
		p.Error, _, _ = strings.Cut(p.Error, "\n") // a panic comes with where it was
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the parked events: %w", err)
	}
	return all, nil
}
