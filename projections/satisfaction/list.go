package satisfaction

import (
	"context"
	_ "embed" // the statement
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/projections/facet"
	"aftercare/projections/page"
)

//go:embed rows.sql
var rowsSQL string

// order names the only order of the list in its cursors.
const order = "ratings"

// Find returns a page of ratings, newest first.
func Find(ctx context.Context, db facet.DB, q ListQuery) (List, error) {
	size, backward, err := q.Page.Size()
	if err != nil {
		return List{}, err
	}
	var s facet.Statement
	conditions := append(window(&s, q.From, q.To), s.Where(q.Filter, at))
	for _, bound := range []struct{ cursor, operator string }{{q.Page.After, "<"}, {q.Page.Before, ">"}} {
		if bound.cursor == "" {
			continue
		}
		place, err := decode(bound.cursor)
		if err != nil {
			return List{}, err
		}
		conditions = append(conditions, "(r.at, r.ticket, r.revision) "+bound.operator+
			" ("+s.Arg(place.at)+", "+s.Arg([16]byte(place.ticket))+", "+s.Arg(place.revision)+")")
	}
	sorted := "r.at desc, r.ticket desc, r.revision desc"
	if backward {
		sorted = "r.at, r.ticket, r.revision"
	}
	s.Set("order", sorted)
	rows, err := selectRows(ctx, db, &s, strings.Join(conditions, " and "), size+1)
	if err != nil {
		return List{}, err
	}
	var list List
	list.Rows, list.Info = page.Trim(rows, size, backward, q.Page)
	list.Cursors = make([]string, len(list.Rows))
	for i, r := range list.Rows {
		list.Cursors[i] = page.Encode(order, r.At.Format(time.RFC3339Nano), r.Ticket.String(), strconv.FormatUint(r.Revision, 10))
	}
	return list, nil
}

// OfTickets returns the ratings of cases, the first first.
func OfTickets(ctx context.Context, db facet.DB, tickets []domain.UUID) (map[domain.UUID][]Rating, error) {
	var s facet.Statement
	s.Set("order", "r.ticket, r.revision")
	rows, err := selectRows(ctx, db, &s, "r.ticket = any("+s.Arg(facet.IDs(tickets))+")", nil)
	if err != nil {
		return nil, err
	}
	found := make(map[domain.UUID][]Rating)
	for _, r := range rows {
		found[r.Ticket] = append(found[r.Ticket], r)
	}
	return found, nil
}

// selectRows reads ratings; a nil limit is none.
func selectRows(ctx context.Context, db facet.DB, s *facet.Statement, where string, limit any) ([]Rating, error) {
	s.Set("columns", "r."+strings.Join(shown(), ", r."))
	s.Set("where", where)
	s.Set("limit", s.Arg(limit)+"::bigint")
	found, err := db.Query(ctx, s.SQL(rowsSQL), s.Args()...)
	if err != nil {
		return nil, fmt.Errorf("read ratings: %w", err)
	}
	rows, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (Rating, error) {
		var r record
		if err := row.Scan(r.shown()...); err != nil {
			return Rating{}, err
		}
		return r.row(), nil
	})
	if err != nil {
		return nil, fmt.Errorf("read ratings: %w", err)
	}
	return rows, nil
}

// row returns the record as readers see it.
func (r *record) row() Rating {
	out := Rating{
		Ticket: r.ticket, Revision: r.revision, At: r.at.UTC(), Score: r.score, Min: r.min, Max: r.max,
		CommentForgotten: r.forgotten, Latest: r.latest, Team: r.Team, Agent: r.Agent, ReceivedAt: r.ReceivedAt.UTC(),
		CaseSource: r.SourceSystem, Kind: r.Kind, Channel: r.Channel, Priority: r.Priority, Category: r.Category,
		Subcategory: r.Subcategory, Product: r.Product, Location: r.Location,
	}
	if r.comment != nil {
		out.Comment = *r.comment
	}
	return out
}

// place is where a rating stands in the list.
type place struct {
	at       time.Time
	ticket   domain.UUID
	revision int64
}

func decode(cursor string) (place, error) {
	parts, err := page.Decode(cursor, order, 3)
	if err != nil {
		return place{}, err
	}
	var p place
	if p.at, err = time.Parse(time.RFC3339Nano, parts[0]); err == nil {
		p.ticket, err = domain.ParseUUID(parts[1])
	}
	if err == nil {
		p.revision, err = strconv.ParseInt(parts[2], 10, 64)
	}
	if err != nil {
		return place{}, domain.Refuse(domain.Invalid, "page.cursor-malformed", "value", cursor)
	}
	return p, nil
}
