package timeline

import (
	"cmp"
	"context"
	_ "embed" // the statements
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/projections/facet"
	"aftercare/projections/page"
)

//go:embed history.sql
var historySQL string

//go:embed latest.sql
var latestSQL string

// Read returns a page of the history of a case; an empty one when there is no such case.
func Read(ctx context.Context, db facet.DB, q HistoryQuery) (History, error) {
	size, backward, err := q.Page.Size()
	if err != nil {
		return History{}, err
	}
	order := q.Ticket.String()
	var s facet.Statement
	where := "e.ticket = " + s.Arg([16]byte(q.Ticket))
	if len(q.Types) > 0 {
		where += " and e.type = any(" + s.Arg(q.Types) + ")"
	}
	bound := func(cursor, operator string) error {
		if cursor == "" {
			return nil
		}
		place, err := page.Decode(cursor, order, 1)
		if err != nil {
			return err
		}
		revision, err := strconv.ParseInt(place[0], 10, 64)
		if err != nil {
			return domain.Refuse(domain.Invalid, "page.cursor-malformed", "value", cursor)
		}
		where += " and e.revision " + operator + " " + s.Arg(revision)
		return nil
	}
	after, before := ">", "<"
	if q.Descending {
		after, before = before, after
	}
	if err := bound(q.Page.After, after); err != nil {
		return History{}, err
	}
	if err := bound(q.Page.Before, before); err != nil {
		return History{}, err
	}
	s.Set("where", where)
	direction := "asc"
	if q.Descending != backward {
		direction = "desc"
	}
	s.Set("direction", direction)
	s.Set("limit", s.Arg(size+1))
	entries, err := query(ctx, db, &s, historySQL)
	if err != nil {
		return History{}, err
	}
	var h History
	h.Entries, h.Info = page.Trim(entries, size, backward, q.Page)
	h.Cursors = make([]string, len(h.Entries))
	for i, e := range h.Entries {
		h.Cursors[i] = page.Encode(order, strconv.FormatUint(e.Revision, 10))
	}
	return h, nil
}

// Latest returns the newest n entries of each case, newest first.
func Latest(ctx context.Context, db facet.DB, tickets []domain.UUID, n int) (map[domain.UUID][]Entry, error) {
	var s facet.Statement
	s.Set("tickets", s.Arg(facet.IDs(tickets)))
	s.Set("limit", s.Arg(n))
	entries, err := query(ctx, db, &s, latestSQL)
	if err != nil {
		return nil, err
	}
	found := make(map[domain.UUID][]Entry, len(tickets))
	for _, e := range entries {
		found[e.Ticket] = append(found[e.Ticket], e)
	}
	for _, list := range found {
		slices.SortFunc(list, func(a, b Entry) int { return cmp.Compare(b.Revision, a.Revision) })
	}
	return found, nil
}

func query(ctx context.Context, db facet.DB, s *facet.Statement, sql string) ([]Entry, error) {
	s.Set("names", strings.Join(columns(), ", "))
	s.Set("columns", "e."+strings.Join(columns(), ", e."))
	found, err := db.Query(ctx, s.SQL(sql), s.Args()...)
	if err != nil {
		return nil, fmt.Errorf("read timeline: %w", err)
	}
	entries, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (Entry, error) {
		var r record
		if err := row.Scan(r.fields()...); err != nil {
			return Entry{}, err
		}
		return r.entry()
	})
	if err != nil {
		return nil, fmt.Errorf("read timeline: %w", err)
	}
	return entries, nil
}

// entry returns the record as readers see it.
func (r *record) entry() (Entry, error) {
	e := Entry{
		Ticket: r.ticket, Revision: r.revision, Position: domain.Position{Commit: r.commit, Prepare: r.prepare}, EventID: r.eventID,
		Type: r.kind, OccurredAt: r.occurredAt.UTC(), RecordedAt: r.recordedAt.UTC(),
		Principal: r.principal, OnBehalfOf: r.onBehalfOf, Channel: r.channel,
		CommandID: r.commandID, CorrelationID: r.correlationID, CausationID: r.causationID,
		Fact: r.fact, Status: r.status, Seq: r.seq, Detail: r.detail,
	}
	if err := json.Unmarshal(r.texts, &e.Texts); err != nil {
		return e, fmt.Errorf("texts of %d of %s: %w", r.revision, e.Ticket, err)
	}
	return e, nil
}
