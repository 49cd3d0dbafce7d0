package ticket

import (
	"context"
	"time"

	"aftercare/domain"
	"aftercare/projections/facet"
	"aftercare/projections/page"
)

// key is what an order sorts by: its name in cursors, its column, and its value in a row.
type key struct {
	name   string
	column string
	kind   string
	value  func(Row) string
}

func (o OrderBy) key() (key, error) {
	instant := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	switch o {
	case 0, OrderReceived:
		return key{"received", "t.received_at", "timestamptz", func(r Row) string { return instant(r.ReceivedAt) }}, nil
	case OrderLastEvent:
		return key{"last-event", "t.last_event_at", "timestamptz", func(r Row) string { return instant(r.LastEventAt) }}, nil
	case OrderPriority:
		return key{"priority", "t.priority", "text", func(r Row) string { return r.Priority }}, nil
	case OrderNumber:
		return key{"number", "t.number", "text", func(r Row) string { return r.Number }}, nil
	}
	return key{}, domain.Refuse(domain.Invalid, "ticket.unknown-order")
}

// Find returns a page of cases.
func Find(ctx context.Context, db facet.DB, q Query) (List, error) {
	by, err := q.OrderBy.key()
	if err != nil {
		return List{}, err
	}
	size, backward, err := q.Page.Size()
	if err != nil {
		return List{}, err
	}
	order := by.name
	if q.Descending {
		order += "-desc"
	}
	var s facet.Statement
	where := s.Where(q.Filter, at)
	bound := func(cursor, operator string) error {
		if cursor == "" {
			return nil
		}
		place, err := page.Decode(cursor, order, 2)
		if err != nil {
			return err
		}
		if err := checkPlace(place, by.kind, cursor); err != nil {
			return err
		}
		where += " and (" + by.column + ", t.id) " + operator + " (" + s.Arg(place[0]) + "::text::" + by.kind + ", " + s.Arg(place[1]) + "::text::uuid)"
		return nil
	}
	after, before := ">", "<"
	if q.Descending {
		after, before = before, after
	}
	if err := bound(q.Page.After, after); err != nil {
		return List{}, err
	}
	if err := bound(q.Page.Before, before); err != nil {
		return List{}, err
	}
	direction := " asc"
	if q.Descending != backward {
		direction = " desc"
	}
	rows, err := selectRows(ctx, db, &s, where, by.column+direction+", t.id"+direction, size+1)
	if err != nil {
		return List{}, err
	}
	var list List
	list.Rows, list.Info = page.Trim(rows, size, backward, q.Page)
	list.Cursors = make([]string, len(list.Rows))
	for i, r := range list.Rows {
		list.Cursors[i] = page.Encode(order, by.value(r), r.ID.String())
	}
	return list, nil
}

// checkPlace refuses a cursor whose parts Postgres would not take.
func checkPlace(place []string, kind, cursor string) error {
	_, err := domain.ParseUUID(place[1])
	if err == nil && kind == "timestamptz" {
		_, err = time.Parse(time.RFC3339Nano, place[0])
	}
	if err != nil {
		return domain.Refuse(domain.Invalid, "page.cursor-malformed", "value", cursor)
	}
	return nil
}
