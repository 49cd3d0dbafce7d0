package ticket

import (
	"cmp"
	"context"
	_ "embed" // the statements
	"fmt"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/domain/ticket"
	"aftercare/projections/facet"
	"aftercare/projections/stat"
)

//go:embed stats.sql
var statsSQL string

//go:embed durations.sql
var durationsSQL string

// ComputeStats returns the counts of each group, in the order of its coordinates. Without a dimension there is one group,
// even of no cases.
func ComputeStats(ctx context.Context, db facet.DB, q StatsQuery) ([]Stats, error) {
	var s facet.Statement
	group, err := s.Group(q.GroupBy, q.Zone, at)
	if err != nil {
		return nil, err
	}
	s.Set("group", group)
	s.Set("where", s.Where(q.Filter, at))
	found, err := db.Query(ctx, s.SQL(statsSQL), s.Args()...)
	if err != nil {
		return nil, fmt.Errorf("compute statistics of cases: %w", err)
	}
	all, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (Stats, error) {
		var (
			r                              Stats
			group                          []string
			reopened, reassigned, resolved int64
		)
		err := row.Scan(&group, &r.Cases, &r.SourceRows, &r.SourceRowsMean, &r.SourceRowsMedian, &r.SourceRowsMax,
			&reopened, &r.ReopenEvents, &reassigned, &r.Reassignments, &resolved)
		if err != nil {
			return r, err
		}
		r.Group = facet.Values(q.GroupBy, group)
		r.Reopened, r.Reassigned = stat.Wilson(reopened, r.Cases), stat.Wilson(reassigned, r.Cases)
		r.Resolved = stat.Wilson(resolved, r.Cases)
		return r, nil
	})
	if err != nil {
		return nil, fmt.Errorf("compute statistics of cases: %w", err)
	}
	if len(all) == 0 && len(q.GroupBy) == 0 {
		none := stat.Wilson(0, 0)
		all = append(all, Stats{Reopened: none, Reassigned: none, Resolved: none})
	}
	return all, nil
}

// ComputeDurations returns the durations of each group, in the order of its coordinates. Without a dimension there is one
// group, even of no cases.
func ComputeDurations(ctx context.Context, db facet.DB, q DurationsQuery) ([]Durations, error) {
	var s facet.Statement
	group, err := s.Group(q.GroupBy, q.Zone, at)
	if err != nil {
		return nil, err
	}
	s.Set("group", group)
	s.Set("where", s.Where(q.Filter, at))
	local := func(instant string) string { return instant }
	if q.Local {
		zone := s.Arg(cmp.Or(q.Zone, "UTC"))
		local = func(instant string) string { return "(" + instant + " at time zone " + zone + "::text)" }
	}
	if err := q.From.set(&s, "from", local); err != nil {
		return nil, err
	}
	if err := q.To.set(&s, "to", local); err != nil {
		return nil, err
	}
	found, err := db.Query(ctx, s.SQL(durationsSQL), s.Args()...)
	if err != nil {
		return nil, fmt.Errorf("compute durations: %w", err)
	}
	all, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (Durations, error) {
		var (
			r     Durations
			group []string
		)
		err := row.Scan(&group, &r.N, &r.Total, &r.Mean, &r.Median, &r.P90, &r.Min, &r.Max)
		if err != nil {
			return r, err
		}
		r.Group = facet.Values(q.GroupBy, group)
		return r, nil
	})
	if err != nil {
		return nil, fmt.Errorf("compute durations: %w", err)
	}
	if len(all) == 0 && len(q.GroupBy) == 0 {
		all = append(all, Durations{})
	}
	return all, nil
}

// set says where the milestone is found: in a column of the case, or by a condition on the entries of its history. Local
// makes of its instant what is subtracted.
func (m Milestone) set(s *facet.Statement, name string, local func(string) string) error {
	pick, is, column := "min", "false", "mark."+name+"_at"
	if m.Last {
		pick = "max"
	}
	switch m.Kind {
	case Fact:
		if !known(m.Fact) {
			return domain.Refuse(domain.Invalid, "ticket.unknown-milestone", "value", m.Fact)
		}
		is = "e.fact = " + s.Arg(m.Fact)
	case Status:
		if len(m.Statuses) == 0 {
			return domain.Refuse(domain.Invalid, "ticket.milestone-without-status")
		}
		is = "e.seq > 0 and e.status = any(" + s.Arg(m.Statuses) + ")"
	case FirstEvent:
		column = "t.first_event_at"
	case LastEvent:
		column = "t.last_event_at"
	case Attribute:
		if m.Attribute == "" {
			return domain.Refuse(domain.Invalid, "facet.attribute-without-name")
		}
		column = "(timestamptz 'epoch' + (t.instants ->> " + s.Arg(m.Attribute) + "::text)::bigint * interval '1 microsecond')"
	default:
		return domain.Refuse(domain.Invalid, "ticket.unknown-milestone", "value", "")
	}
	s.Set(name+"_pick", pick)
	s.Set(name+"_is", is)
	s.Set(name+"_at", local(column))
	return nil
}

// known reports whether a fact of this name can happen to a case.
func known(fact string) bool {
	for _, t := range types() {
		if name, ok := facet.Fact(t); ok && name == fact && t != ticket.TypeStatusRecorded {
			return true
		}
	}
	return false
}
