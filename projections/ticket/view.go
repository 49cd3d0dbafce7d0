package ticket

import (
	_ "embed" // the statements
	"fmt"
	"slices"
	"time"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/seal"
	"aftercare/domain/ticket"
	"aftercare/projections"
	"aftercare/projections/facet"
	"aftercare/projections/fold"
)

//go:embed create.sql
var create string

//go:embed index.sql
var index string

// View returns the view "ticket".
func View() projections.View {
	return &fold.View[record]{
		ID: "ticket", Table: "ticket", Create: create, Index: index,
		Types: types(), Columns: columns(), Fields: (*record).fields, Fold: foldEvent,
	}
}

// types names every event of a case's stream: the row has the stream's revision.
func types() []string {
	return []string{
		ticket.TypeReceived, ticket.TypeAcknowledged, ticket.TypeResponded, ticket.TypeRespondedV1, ticket.TypeClassified, ticket.TypePriorityChanged,
		ticket.TypeAssigned, ticket.TypeEscalated, ticket.TypeWaitStarted, ticket.TypeResumed, ticket.TypeDispatched,
		ticket.TypeArrived, ticket.TypeDiagnosed, ticket.TypePlanned, ticket.TypeConfirmed, ticket.TypeResolved,
		ticket.TypeReopened, ticket.TypeClosed, ticket.TypeCancelled, ticket.TypeNoted, ticket.TypeRated,
		ticket.TypeStatusRecorded,
		clock.TypeStarted, clock.TypePaused, clock.TypeResumed, clock.TypeMet, clock.TypeMetLate, clock.TypeBreached,
		clock.TypeCancelled, clock.TypeSuperseded, clock.TypeTargetRecorded, clock.TypeVerdictRecorded,
	}
}

// record is a row of the table.
type record struct {
	stream string
	id     [16]byte
	number string
	phase  string
	facet.Case
	sourceKey                         string
	attributes                        map[string]string
	instants                          map[string]int64
	customer                          string
	name, contact, title, description *string
	forgotten                         []string
	status, waitReason                string
	acknowledgedAt, firstRespondedAt  *time.Time
	firstResolvedAt, resolvedAt       *time.Time
	closedAt, cancelledAt             *time.Time
	firstEventAt, lastEventAt         time.Time
	reopened, reassigned              int
	sourceRows, facts                 int
	revision, commitPosition          uint64
}

func columns() []string {
	return slices.Concat([]string{"stream", "id", "number", "phase"}, facet.CaseColumns(), []string{
		"source_key", "attributes", "instants", "customer", "name", "contact", "title", "description", "forgotten", "status", "wait_reason",
		"acknowledged_at", "first_responded_at", "first_resolved_at", "resolved_at", "closed_at", "cancelled_at",
		"first_event_at", "last_event_at", "reopened", "reassigned", "source_rows", "facts", "revision", "commit_position",
	})
}

func (r *record) fields() []any {
	return slices.Concat([]any{&r.stream, &r.id, &r.number, &r.phase}, r.Fields(), []any{
		&r.sourceKey, &r.attributes, &r.instants, &r.customer, &r.name, &r.contact, &r.title, &r.description, &r.forgotten, &r.status,
		&r.waitReason, &r.acknowledgedAt, &r.firstRespondedAt, &r.firstResolvedAt, &r.resolvedAt, &r.closedAt, &r.cancelledAt,
		&r.firstEventAt, &r.lastEventAt, &r.reopened, &r.reassigned, &r.sourceRows, &r.facts, &r.revision, &r.commitPosition,
	})
}

func foldEvent(rows []record, e domain.Recorded) ([]record, error) {
	_, isFact := facet.Fact(e.Type)
	if len(rows) == 0 {
		if !isFact {
			return rows, nil
		}
		id, err := facet.TicketOf(e.Stream)
		if err != nil {
			return nil, err
		}
		at := facet.Instant(e.Event.OccurredAt())
		rows = append(rows, record{
			stream: e.Stream, id: id, phase: ticket.Open.String(), Case: facet.Case{ReceivedAt: at},
			attributes: map[string]string{}, instants: map[string]int64{}, forgotten: []string{}, firstEventAt: at, lastEventAt: at,
		})
	}
	r := &rows[0]
	if received, ok := e.Event.(ticket.Received); ok {
		if err := r.texts(received); err != nil {
			return rows, err
		}
	}
	r.revision, r.commitPosition = e.Revision, e.Position.Commit
	if isFact {
		r.fact(e.Event)
	}
	return rows, nil
}

// texts keeps the words, or the mark that they are forgotten.
func (r *record) texts(e ticket.Received) error {
	for _, t := range []struct {
		name  string
		text  seal.Text
		field **string
	}{{"name", e.Name, &r.name}, {"contact", e.Contact, &r.contact}, {"title", e.Title, &r.title}, {"description", e.Description, &r.description}} {
		plain, open := t.text.Plain()
		switch {
		case open:
			words := facet.Clean(plain)
			*t.field = &words
		case t.text.Forgotten():
			r.forgotten = append(r.forgotten, t.name)
		case !t.text.IsZero():
			return fmt.Errorf("text %q of %s is still sealed", t.name, r.stream)
		}
	}
	return nil
}
