package timeline

import (
	"cmp"
	"context"
	_ "embed" // the statement
	"slices"

	"aftercare/domain"
	"aftercare/projections/facet"
)

//go:embed first.sql
var firstSQL string

// First returns the oldest n entries of each case, oldest first.
func First(ctx context.Context, db facet.DB, tickets []domain.UUID, n int) (map[domain.UUID][]Entry, error) {
	var s facet.Statement
	s.Set("tickets", s.Arg(facet.IDs(tickets)))
	s.Set("limit", s.Arg(n))
	entries, err := query(ctx, db, &s, firstSQL)
	if err != nil {
		return nil, err
	}
	found := make(map[domain.UUID][]Entry, len(tickets))
	for _, e := range entries {
		found[e.Ticket] = append(found[e.Ticket], e)
	}
	for _, list := range found {
		slices.SortFunc(list, func(a, b Entry) int { return cmp.Compare(a.Revision, b.Revision) })
	}
	return found, nil
}
