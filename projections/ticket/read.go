package ticket

import (
	"context"
	_ "embed" // the statements
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/domain/ticket"
	"aftercare/projections/facet"
)

//go:embed rows.sql
var rowsSQL string

//go:embed count.sql
var countSQL string

// at are the places of what a query over cases needs.
var at = facet.Columns{Row: "t", ID: "t.id", Ticket: "t", When: "t.received_at"} //nolint:gochecknoglobals // constant

// Count returns how many cases a filter chooses.
func Count(ctx context.Context, db facet.DB, f facet.Filter) (int64, error) {
	var (
		s facet.Statement
		n int64
	)
	s.Set("where", s.Where(f, at))
	if err := db.QueryRow(ctx, s.SQL(countSQL), s.Args()...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count cases: %w", err)
	}
	return n, nil
}

// ByIDs returns the cases that exist, by id.
func ByIDs(ctx context.Context, db facet.DB, ids []domain.UUID) (map[domain.UUID]Row, error) {
	var s facet.Statement
	rows, err := selectRows(ctx, db, &s, "t.id = any("+s.Arg(facet.IDs(ids))+")", "t.id", len(ids))
	if err != nil {
		return nil, err
	}
	found := make(map[domain.UUID]Row, len(rows))
	for _, r := range rows {
		found[r.ID] = r
	}
	return found, nil
}

// ByNumber returns the case with this service number, the one received first when systems that cases came from use it
// twice. It reports false when there is none.
func ByNumber(ctx context.Context, db facet.DB, number string) (Row, bool, error) {
	var s facet.Statement
	return first(selectRows(ctx, db, &s, "t.number = "+s.Arg(number), "t.received_at, t.id", 1))
}

// BySource returns the case that came from this system under this key. It reports false when there is none.
func BySource(ctx context.Context, db facet.DB, system, key string) (Row, bool, error) {
	var s facet.Statement
	return first(selectRows(ctx, db, &s, "t.source_system = "+s.Arg(system)+" and t.source_key = "+s.Arg(key), "t.received_at, t.id", 1))
}

func first(rows []Row, err error) (Row, bool, error) {
	if err != nil || len(rows) == 0 {
		return Row{}, false, err
	}
	return rows[0], true, nil
}

func selectRows(ctx context.Context, db facet.DB, s *facet.Statement, where, order string, limit int) ([]Row, error) {
	s.Set("columns", "t."+strings.Join(columns(), ", t."))
	s.Set("where", where)
	s.Set("order", order)
	s.Set("limit", s.Arg(limit))
	found, err := db.Query(ctx, s.SQL(rowsSQL), s.Args()...)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	rows, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (Row, error) {
		var r record
		if err := row.Scan(r.fields()...); err != nil {
			return Row{}, err
		}
		return r.row()
	})
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	return rows, nil
}

// row returns the record as readers see it.
func (r *record) row() (Row, error) {
	phase, err := ticket.ParsePhase(r.phase)
	if err != nil {
		return Row{}, errors.New("unknown phase " + r.phase)
	}
	text := func(name string, value *string) Text {
		if value != nil {
			return Text{Value: *value}
		}
		return Text{Forgotten: slices.Contains(r.forgotten, name)}
	}
	return Row{
		ID: r.id, Number: r.number, Phase: phase,
		Details: ticket.Details{
			Kind: r.Kind, Channel: r.Channel, Priority: r.Priority, Category: r.Category, Subcategory: r.Subcategory,
			Product: r.Product, Location: r.Location, Team: r.Team, Agent: r.Agent, Attributes: r.attributes,
		},
		Customer: r.customer,
		Name:     text("name", r.name), Contact: text("contact", r.contact),
		Title: text("title", r.title), Description: text("description", r.description),
		SourceSystem: r.SourceSystem, SourceKey: r.sourceKey, Status: r.status, WaitReason: r.waitReason,
		ReceivedAt: r.ReceivedAt.UTC(), AcknowledgedAt: facet.UTC(r.acknowledgedAt),
		FirstRespondedAt: facet.UTC(r.firstRespondedAt), FirstResolvedAt: facet.UTC(r.firstResolvedAt),
		ResolvedAt: facet.UTC(r.resolvedAt), ClosedAt: facet.UTC(r.closedAt), CancelledAt: facet.UTC(r.cancelledAt),
		FirstEventAt: r.firstEventAt.UTC(), LastEventAt: r.lastEventAt.UTC(),
		Reopened: r.reopened, Reassigned: r.reassigned, SourceRows: r.sourceRows, Facts: r.facts,
		Revision: r.revision, CommitPosition: r.commitPosition,
	}, nil
}
