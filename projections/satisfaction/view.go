package satisfaction

import (
	_ "embed" // the statements
	"errors"
	"time"

	"aftercare/domain"
	"aftercare/domain/ticket"
	"aftercare/projections"
	"aftercare/projections/facet"
	"aftercare/projections/fold"
)

//go:embed create.sql
var create string

//go:embed index.sql
var index string

// View returns the view "satisfaction".
func View() projections.View {
	return &fold.View[record]{
		ID: "satisfaction", Table: "answer", Create: create, Index: index,
		Types:   append(facet.CaseTypes(), ticket.TypeRated),
		Columns: columns(), Fields: (*record).fields, Fold: foldEvent,
	}
}

// record is a row of the table.
type record struct {
	stream          string
	ticket          [16]byte
	given           bool
	revision        uint64
	at              time.Time
	score, min, max int
	comment         *string
	forgotten       bool
	latest          bool
	facet.Case
}

// shown are the columns readers get.
func shown() []string {
	return append([]string{
		"ticket", "revision", "at", "score", "min", "max", "comment", "comment_forgotten", "latest",
	}, facet.CaseColumns()...)
}

func (r *record) shown() []any {
	return append([]any{
		&r.ticket, &r.revision, &r.at, &r.score, &r.min, &r.max, &r.comment, &r.forgotten, &r.latest,
	}, r.Fields()...)
}

func columns() []string { return append([]string{"stream", "given"}, shown()...) }

func (r *record) fields() []any { return append([]any{&r.stream, &r.given}, r.shown()...) }

func foldEvent(rows []record, e domain.Recorded) ([]record, error) {
	own := 0
	for own < len(rows) && rows[own].given {
		own++
	}
	if own == len(rows) {
		id, err := facet.TicketOf(e.Stream)
		if err != nil {
			return rows, err
		}
		at := facet.Instant(e.Event.OccurredAt())
		rows = append(rows, record{stream: e.Stream, ticket: id, at: at, Case: facet.Case{ReceivedAt: at}})
	}
	rated, ok := e.Event.(ticket.Rated)
	if !ok {
		rows[own].Fold(e.Event)
		return rows, nil
	}
	r := record{
		stream: rows[own].stream, ticket: rows[own].ticket, given: true, revision: e.Revision, at: facet.Instant(rated.At),
		score: rated.Score, min: rated.Min, max: rated.Max, forgotten: rated.Comment.Forgotten(), latest: true, Case: rows[own].Case,
	}
	if plain, open := rated.Comment.Plain(); open {
		words := facet.Clean(plain)
		r.comment = &words
	} else if !rated.Comment.IsZero() && !r.forgotten {
		return rows, errors.New("the comment of a rating is still sealed")
	}
	r.Team, r.Agent = facet.Clean(rated.Team), facet.Clean(rated.Agent)
	for i := range rows {
		if rows[i].given && rows[i].at.After(r.at) {
			r.latest = false // an answer that was learned late
		}
	}
	for i := range rows {
		rows[i].latest = rows[i].latest && !r.latest
	}
	return append(rows, r), nil
}
