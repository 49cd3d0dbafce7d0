package timeline

import (
	"context"
	_ "embed" // the statement
	"fmt"

	"github.com/jackc/pgx/v5"

	"aftercare/projections/facet"
)

//go:embed dwell.sql
var dwellSQL string

// ComputeDwell returns the time spent in each status by each group, in their order. The last row of a case, which nothing
// follows, counts for nothing.
func ComputeDwell(ctx context.Context, db facet.DB, q DwellQuery) ([]Dwell, error) {
	var s facet.Statement
	at := facet.Columns{Row: "t", ID: "t.id", Ticket: "t", When: "e.occurred_at"}
	group, err := s.Group(q.GroupBy, q.Zone, at)
	if err != nil {
		return nil, err
	}
	s.Set("group", group)
	s.Set("where", s.Where(q.Filter, at))
	found, err := db.Query(ctx, s.SQL(dwellSQL), s.Args()...)
	if err != nil {
		return nil, fmt.Errorf("compute dwell times: %w", err)
	}
	all, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (Dwell, error) {
		var (
			r     Dwell
			group []string
		)
		err := row.Scan(&r.Status, &group, &r.N, &r.Cases, &r.Total, &r.Mean, &r.Median, &r.P90)
		if err != nil {
			return r, err
		}
		r.Group = facet.Values(q.GroupBy, group)
		return r, nil
	})
	if err != nil {
		return nil, fmt.Errorf("compute dwell times: %w", err)
	}
	return all, nil
}
