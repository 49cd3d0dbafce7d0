package sla

import (
	_ "embed" // the statements
	"slices"
	"time"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/ticket"
	"aftercare/projections"
	"aftercare/projections/facet"
	"aftercare/projections/fold"
)

//go:embed create.sql
var create string

//go:embed index.sql
var index string

// View returns the view "sla".
func View() projections.View {
	return &fold.View[record]{
		ID: "sla", Table: "promise", Create: create, Index: index,
		Types: types(), Columns: columns(), Fields: (*record).fields, Fold: foldEvent,
	}
}

// types names the events of clocks, those that change a case's dimensions, and those that stop a source's target.
func types() []string {
	return slices.Concat(facet.CaseTypes(), []string{
		ticket.TypeAcknowledged, ticket.TypeResponded, ticket.TypeRespondedV1, ticket.TypeResolved, ticket.TypeReopened, ticket.TypeClosed,
		ticket.TypeCancelled,
		clock.TypeStarted, clock.TypePaused, clock.TypeResumed, clock.TypeMet, clock.TypeMetLate, clock.TypeBreached,
		clock.TypeCancelled, clock.TypeSuperseded, clock.TypeTargetRecorded, clock.TypeVerdictRecorded,
	})
}

func foldEvent(rows []record, e domain.Recorded) ([]record, error) {
	own := 0
	for own < len(rows) && rows[own].origin != ofCase {
		own++
	}
	if own == len(rows) {
		id, err := facet.TicketOf(e.Stream)
		if err != nil {
			return rows, err
		}
		rows = append(rows, record{
			stream: e.Stream, ticket: id, origin: ofCase, promise: nothing, counted: none, stops: map[string]time.Time{},
			Case: facet.Case{ReceivedAt: facet.Instant(e.Event.OccurredAt())},
		})
	}
	if _, ok := facet.Fact(e.Type); ok {
		foldFact(rows, own, e.Event)
		return rows, nil
	}
	return foldClock(rows, own, e.Event)
}

// foldFact takes a fact of the case over into the rows that still follow it.
func foldFact(rows []record, own int, e domain.Event) {
	c := &rows[own]
	c.Fold(e)
	moved := c.stop(e)
	for i := range rows {
		r := &rows[i]
		if i == own || r.origin == OriginVerdict.String() {
			continue
		}
		follows := r.open()
		if moved && r.origin == OriginTarget.String() {
			r.judge(c.stops)
			follows = follows || r.open()
		}
		if follows {
			r.Case = c.Case
		}
	}
}
