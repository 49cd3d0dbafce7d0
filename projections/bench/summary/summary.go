// Package summary is the read model that this benchmark gives to everybody: a row a case, small enough to be written for any library.
// It leaves out what makes views of the product useful.
package summary

import (
	"time"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/ticket"
)

// Row is what became of a case. The zero Row is one that nothing has happened to.
type Row struct {
	Stream string
	Events int64
	// Received and Closed are nil while they have not happened; Last is the business time of the last event.
	Received, Closed *time.Time
	Last             time.Time
	// Priority, Team, Agent and Status are the last ones said, empty before.
	Priority, Team, Agent, Status string
	// Reopened and Clocks count reopenings and promises.
	Reopened, Clocks int64
}

// Table is the statement that makes the table, in the schema of the search path, without an index.
const Table = `create table summary (stream text not null, events bigint not null, received timestamptz, closed timestamptz,
	last timestamptz not null, priority text not null, team text not null, agent text not null, status text not null,
	reopened bigint not null, clocks bigint not null)`

// Index is the statement that makes the index by which rows are found.
const Index = `create unique index on summary (stream)`

// Columns are the columns, in the order of Fields.
func Columns() []string {
	return []string{"stream", "events", "received", "closed", "last", "priority", "team", "agent", "status", "reopened", "clocks"}
}

// Fields returns pointers to the fields, in the order of Columns.
func (r *Row) Fields() []any {
	return []any{
		&r.Stream, &r.Events, &r.Received, &r.Closed, &r.Last, &r.Priority, &r.Team, &r.Agent, &r.Status, &r.Reopened, &r.Clocks,
	}
}

// Types are the stored names of the events that count: those that a case may have.
func Types() []string {
	return []string{
		ticket.TypeReceived, ticket.TypeAcknowledged, ticket.TypeClassified, ticket.TypePriorityChanged, ticket.TypeAssigned, ticket.TypeEscalated,
		ticket.TypeWaitStarted, ticket.TypeResumed, ticket.TypeResolved, ticket.TypeReopened, ticket.TypeClosed, ticket.TypeStatusRecorded,
		clock.TypeStarted, clock.TypeMet, clock.TypeMetLate, clock.TypeBreached, clock.TypeTargetRecorded, clock.TypeVerdictRecorded,
	}
}

// Apply folds one event of the row's stream.
func (r *Row) Apply(e domain.Event) {
	at := e.OccurredAt().UTC().Truncate(time.Microsecond)
	r.Events++
	r.Last = at
	switch e := e.(type) {
	case ticket.Received:
		r.Received, r.Priority = &at, e.Priority
	case ticket.Assigned:
		r.Team, r.Agent = e.Team, e.Agent
	case ticket.PriorityChanged:
		r.Priority = e.To
	case ticket.StatusRecorded:
		r.Status = e.Status
	case ticket.Closed:
		r.Closed = &at
	case ticket.Reopened:
		r.Closed = nil
		r.Reopened++
	case clock.Started:
		r.Clocks++
	}
}
