package sla

import (
	"context"
	_ "embed" // the statements
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/projections/facet"
	"aftercare/projections/stat"
)

//go:embed rows.sql
var rowsSQL string

//go:embed attainment.sql
var attainmentSQL string

// OfTickets returns the clocks of cases: ours in the order they started, then what sources recorded.
func OfTickets(ctx context.Context, db facet.DB, tickets []domain.UUID) (map[domain.UUID][]Instance, error) {
	var s facet.Statement
	s.Set("columns", "c."+strings.Join(shown(), ", c."))
	s.Set("tickets", s.Arg(facet.IDs(tickets)))
	found, err := db.Query(ctx, s.SQL(rowsSQL), s.Args()...)
	if err != nil {
		return nil, fmt.Errorf("read clocks: %w", err)
	}
	all, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (Instance, error) {
		var r record
		if err := row.Scan(r.shown()...); err != nil {
			return Instance{}, err
		}
		return r.row()
	})
	if err != nil {
		return nil, fmt.Errorf("read clocks: %w", err)
	}
	byTicket := make(map[domain.UUID][]Instance)
	for _, i := range all {
		byTicket[i.Ticket] = append(byTicket[i.Ticket], i)
	}
	return byTicket, nil
}

// row returns the record as readers see it.
func (r *record) row() (Instance, error) {
	origin, err := ParseOrigin(r.origin)
	if err != nil {
		return Instance{}, err
	}
	verdict, err := ParseVerdict(r.verdict)
	if err != nil {
		return Instance{}, err
	}
	i := Instance{
		Ticket: r.ticket, Instance: r.instance, Clock: r.clock, Origin: origin, Source: r.recordedBy,
		Definition: r.definition, DefinitionVersion: r.definitionVersion, Calendar: r.calendar, CalendarVersion: r.calendarVersion,
		StartedAt: facet.UTC(r.startedAt), DueAt: facet.UTC(r.dueAt), PromisedDueAt: facet.UTC(r.promisedDueAt),
		StoppedAt: facet.UTC(r.stoppedAt), BreachedAt: facet.UTC(r.breachedAt), Verdict: verdict,
		Paused: r.pausedAt != nil, PauseReason: r.pauseReason, ElapsedSeconds: r.elapsed, OverrunSeconds: r.overrun,
		PausedSeconds: r.pausedSeconds, Supersedes: r.supersedes, SupersededBy: r.supersededBy, Reason: r.reason,
		ReceivedAt: r.ReceivedAt.UTC(), CaseSource: r.SourceSystem, Kind: r.Kind, Channel: r.Channel, Priority: r.Priority,
		Category: r.Category, Subcategory: r.Subcategory, Product: r.Product, Location: r.Location, Team: r.Team, Agent: r.Agent,
	}
	if origin == OriginOurs {
		i.Promise, i.Counted = r.promise, r.counted
	}
	return i, nil
}

// ComputeAttainment returns how each group of promises was kept, in the order of its coordinates. Without a dimension
// there is one group, even of no promises.
func ComputeAttainment(ctx context.Context, db facet.DB, q Query) ([]Attainment, error) {
	var s facet.Statement
	when, err := q.when()
	if err != nil {
		return nil, err
	}
	at := facet.Columns{Row: "c", ID: "c.ticket", Ticket: "t", When: when, Clock: "c.clock"}
	group, err := s.Group(q.GroupBy, q.Zone, at)
	if err != nil {
		return nil, err
	}
	basis, err := q.Basis.condition()
	if err != nil {
		return nil, err
	}
	s.Set("group", group)
	s.Set("where", strings.Join(append(q.window(&s, when), basis, s.Where(q.Filter, at)), " and "))
	present := "null::timestamptz"
	if !q.AsOf.IsZero() {
		present = s.Arg(q.AsOf) + "::timestamptz"
	}
	s.Set("as_of", present)
	found, err := db.Query(ctx, s.SQL(attainmentSQL), s.Args()...)
	if err != nil {
		return nil, fmt.Errorf("compute attainment: %w", err)
	}
	all, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (Attainment, error) {
		var (
			a     Attainment
			group []string
		)
		err := row.Scan(&group, &a.Met, &a.MetLate, &a.OpenBreached, &a.Missed, &a.Running, &a.Cancelled, &a.Superseded,
			&a.OverrunP50, &a.OverrunP90, &a.OverrunP95)
		if err != nil {
			return a, err
		}
		a.Group = facet.Values(q.GroupBy, group)
		return a.judged(q.Goal), nil
	})
	if err != nil {
		return nil, fmt.Errorf("compute attainment: %w", err)
	}
	if len(all) == 0 && len(q.GroupBy) == 0 {
		all = append(all, Attainment{}.judged(q.Goal))
	}
	return all, nil
}

func (a Attainment) judged(goal float64) Attainment {
	a.Ratio = stat.Wilson(a.Met, a.Met+a.MetLate+a.OpenBreached+a.Missed)
	if goal != 0 {
		a.Goal = stat.Judge(a.Ratio.Low, a.Ratio.High, goal)
	}
	return a
}

// when returns the instant of the cohort. It refuses a window or a period of due times where there are none.
func (q Query) when() (string, error) {
	switch q.Cohort {
	case 0, Due:
		dated := !q.From.IsZero() || !q.To.IsZero()
		for _, by := range q.GroupBy {
			dated = dated || by.Dimension == facet.Day || by.Dimension == facet.Week || by.Dimension == facet.Month || by.Dimension == facet.Year
		}
		if q.Basis == SourceVerdict && dated {
			return "", domain.Refuse(domain.Invalid, "sla.verdict-has-no-due-time")
		}
		return "c.due_at", nil
	case Received:
		return "c.received_at", nil
	case Finished:
		return "c.stopped_at", nil
	}
	return "", domain.Refuse(domain.Invalid, "sla.unknown-cohort")
}

func (b Basis) condition() (string, error) {
	switch b {
	case 0, Ours:
		return "c.origin = 'ours'", nil
	case SourceTarget:
		return "c.origin = 'source_target'", nil
	case SourceVerdict:
		return "c.origin = 'source_verdict'", nil
	case OursElseSourceTarget:
		return `(c.origin = 'ours' or c.origin = 'source_target' and not exists (
    select from view_sla.clock o
    where o.ticket = c.ticket and o.clock = c.clock and o.origin = 'ours' and o.superseded_by = 0 and o.verdict <> 'cancelled'
  ))`, nil
	}
	return "", domain.Refuse(domain.Invalid, "sla.unknown-basis")
}

// window returns the conditions of a query besides basis and filter.
func (q Query) window(s *facet.Statement, when string) []string {
	var conditions []string
	bound := func(operator string, t time.Time) {
		if !t.IsZero() {
			conditions = append(conditions, when+" "+operator+" "+s.Arg(t))
		}
	}
	bound(">=", q.From)
	bound("<", q.To)
	if len(q.Clocks) > 0 {
		conditions = append(conditions, "c.clock = any("+s.Arg(q.Clocks)+")")
	}
	if q.FinishedOnly {
		conditions = append(conditions, "c.stopped_at is not null")
	}
	return conditions
}
