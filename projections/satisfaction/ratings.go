package satisfaction

import (
	"context"
	_ "embed" // the statement
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/projections/facet"
	"aftercare/projections/stat"
)

//go:embed ratings.sql
var ratingsSQL string

// at are the places of what a query over ratings needs.
var at = facet.Columns{Row: "r", ID: "r.ticket", Ticket: "t", When: "r.at"} //nolint:gochecknoglobals // constant

// ComputeRatings returns the figures of each group, in the order of its coordinates. Without a dimension there is one
// group, even of no answers.
func ComputeRatings(ctx context.Context, db facet.DB, q Query) ([]Ratings, error) {
	var s facet.Statement
	group, err := s.Group(q.GroupBy, q.Zone, at)
	if err != nil {
		return nil, err
	}
	percent, err := q.Conversion.percent()
	if err != nil {
		return nil, err
	}
	conditions := append(window(&s, q.From, q.To), s.Where(q.Filter, at))
	if !q.AllAnswers {
		conditions = append(conditions, "r.latest")
	}
	s.Set("group", group)
	s.Set("percent", percent)
	s.Set("where", strings.Join(conditions, " and "))
	found, err := db.Query(ctx, s.SQL(ratingsSQL), s.Args()...)
	if err != nil {
		return nil, fmt.Errorf("compute ratings: %w", err)
	}
	all, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (Ratings, error) {
		var c counts
		err := row.Scan(&c.group, &c.n, &c.min, &c.maxMin, &c.minMax, &c.max, &c.sum, &c.squares, &c.converted, &c.percent, &c.percentSquares, &c.top)
		if err != nil {
			return Ratings{}, err
		}
		r := c.ratings(q.Goal)
		r.Group = facet.Values(q.GroupBy, c.group)
		return r, nil
	})
	if err != nil {
		return nil, fmt.Errorf("compute ratings: %w", err)
	}
	if len(all) == 0 && len(q.GroupBy) == 0 {
		all = append(all, counts{}.ratings(q.Goal))
	}
	return all, nil
}

// counts are the sums the figures of a group are made of.
type counts struct {
	group                    []string
	n, converted, top        int64
	min, maxMin, minMax, max int
	sum, squares             float64
	percent, percentSquares  float64
}

func (c counts) ratings(goal float64) Ratings {
	r := Ratings{N: c.n, Percent: stat.MeanOf(c.converted, c.percent, c.percentSquares), TopBox: stat.Wilson(c.top, c.n)}
	if c.n > 0 && c.min == c.maxMin && c.minMax == c.max {
		mean := stat.MeanOf(c.n, c.sum, c.squares)
		r.Min, r.Max, r.Mean = c.min, c.max, &mean
	}
	r.Sufficient = c.n >= stat.MinSample
	if goal != 0 {
		r.Goal = stat.Judge(r.Percent.Low, r.Percent.High, goal)
	}
	return r
}

// percent is the expression of a converted score. A scale that reaches below 0 has no ratio to its maximum, one of a single step
// no range: they convert to nothing.
func (c Conversion) percent() (string, error) {
	switch c {
	case 0, ToRatio:
		return "case when r.min >= 0 and r.max > 0 then 100 * r.score::float8 / r.max end", nil
	case ToRange:
		return "100 * (r.score::float8 - r.min) / nullif(r.max::float8 - r.min, 0)", nil
	}
	return "", domain.Refuse(domain.Invalid, "satisfaction.unknown-conversion")
}

func window(s *facet.Statement, from, to time.Time) []string {
	var conditions []string
	if !from.IsZero() {
		conditions = append(conditions, "r.at >= "+s.Arg(from))
	}
	if !to.IsZero() {
		conditions = append(conditions, "r.at < "+s.Arg(to))
	}
	return conditions
}
