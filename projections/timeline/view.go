package timeline

import (
	_ "embed" // the statements
	"encoding/json"
	"fmt"
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

// View returns the view "timeline".
func View() projections.View {
	return &fold.View[record]{
		ID: "timeline", Table: "entry", Create: create, Index: index, AppendOnly: true,
		Types: types(), Columns: columns(), Fields: (*record).fields, Fold: foldEvent,
	}
}

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
	ticket                                [16]byte
	revision, commit, prepare             uint64
	eventID                               [16]byte
	kind, fact, status                    string
	seq                                   int
	occurredAt, recordedAt                time.Time
	principal, onBehalfOf, channel        string
	commandID, correlationID, causationID [16]byte
	detail, texts                         json.RawMessage
}

func columns() []string {
	return []string{
		"ticket", "revision", "commit_position", "prepare_position", "event_id", "type", "fact", "status", "seq", "occurred_at",
		"recorded_at", "principal", "on_behalf_of", "channel", "command_id", "correlation_id", "causation_id", "detail", "texts",
	}
}

func (r *record) fields() []any {
	return []any{
		&r.ticket, &r.revision, &r.commit, &r.prepare, &r.eventID, &r.kind, &r.fact, &r.status, &r.seq, &r.occurredAt,
		&r.recordedAt, &r.principal, &r.onBehalfOf, &r.channel, &r.commandID, &r.correlationID, &r.causationID, &r.detail, &r.texts,
	}
}

// foldEvent appends the one row of an event.
func foldEvent(rows []record, e domain.Recorded) ([]record, error) {
	id, err := facet.TicketOf(e.Stream)
	if err != nil {
		return nil, err
	}
	r := record{
		ticket: id, revision: e.Revision, commit: e.Position.Commit, prepare: e.Position.Prepare, eventID: e.ID, kind: e.Type,
		occurredAt: facet.Instant(e.Event.OccurredAt()), recordedAt: facet.Instant(e.RecordedAt),
		principal: facet.Clean(e.Metadata.Principal.ID), onBehalfOf: facet.Clean(e.Metadata.Principal.OnBehalfOf),
		channel: facet.Clean(e.Metadata.Channel), commandID: e.Metadata.CommandID,
		correlationID: e.Metadata.CorrelationID, causationID: e.Metadata.CausationID,
	}
	r.fact, _ = facet.Fact(e.Type)
	switch event := e.Event.(type) {
	case ticket.StatusRecorded:
		r.status, r.seq = facet.Clean(event.Status), event.Seq
	case ticket.Responded:
		if event.By != ticket.Person {
			r.fact = ""
		}
	}
	if r.texts, err = textsOf(e.Event); err != nil {
		return nil, err
	}
	if r.detail, err = detailOf(e.Event); err != nil {
		return nil, err
	}
	return append(rows, r), nil
}

// noTexts is an empty JSON object.
var noTexts = json.RawMessage("{}") //nolint:gochecknoglobals // constant

// textsOf returns an event's texts by their path.
func textsOf(e domain.Event) (json.RawMessage, error) {
	carrier, ok := e.(seal.Carrier)
	if !ok || !hasText(e) {
		return noTexts, nil
	}
	found := map[string]Text{}
	_, err := carrier.MapTexts(func(path string, t seal.Text) (seal.Text, error) {
		plain, open := t.Plain()
		switch {
		case open:
			found[path] = Text{Subject: facet.Clean(string(t.Subject())), Value: facet.Clean(plain)}
		case t.Forgotten():
			found[path] = Text{Subject: facet.Clean(string(t.Subject())), Forgotten: true}
		case !t.IsZero():
			return t, fmt.Errorf("text %q is still sealed", path)
		}
		return t, nil
	})
	if err != nil {
		return nil, err
	}
	texts, err := json.Marshal(found)
	if err != nil {
		return nil, fmt.Errorf("texts of %s: %w", e.EventType(), err)
	}
	return texts, nil
}
