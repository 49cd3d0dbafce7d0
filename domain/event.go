package domain

import "time"

// Event is a fact that happened.
type Event interface {
	// EventType is the stored name, "<category>.<fact>.v<N>". It never changes.
	EventType() string
	// OccurredAt is when it happened, in UTC: business time, not the time of recording.
	OccurredAt() time.Time
}

// Metadata says who recorded an event, why and through what. It is stored with the event and is never encrypted,
// so it holds ids and codes only.
type Metadata struct {
	// CommandID is the idempotency key of the command that caused the event.
	CommandID UUID `json:"commandId"`
	// CommandHash identifies the body of that command, so that one key cannot mean two wishes.
	CommandHash string `json:"commandHash,omitempty"`
	// CorrelationID is shared by everything that follows from one outside cause.
	CorrelationID UUID `json:"correlationId,omitzero"`
	// CausationID is the event or command that led to this one.
	CausationID UUID `json:"causationId,omitzero"`
	// Principal is who acted.
	Principal Principal `json:"principal,omitzero"`
	// Channel is how the wish reached us: "graphql", "import", "timer", "cli".
	Channel string `json:"channel,omitempty"`
	// OccurredAt repeats the event's own business time for readers that do not decode payloads.
	OccurredAt time.Time `json:"occurredAt"`
	// Traceparent is the W3C trace context of the command.
	Traceparent string `json:"traceparent,omitempty"`
}

// Principal is a person or program that acts.
type Principal struct {
	ID         string   `json:"id,omitempty"`
	Roles      []string `json:"roles,omitempty"`
	OnBehalfOf string   `json:"onBehalfOf,omitempty"`
}

// IsZero reports whether p names nobody.
func (p Principal) IsZero() bool { return p.ID == "" && p.OnBehalfOf == "" && len(p.Roles) == 0 }

// Position is a place in the order of all events of the store. Positions grow and are not dense.
// The zero Position is before every event.
type Position struct {
	Commit  uint64 `json:"commit"`
	Prepare uint64 `json:"prepare"`
}

// Compare returns -1, 0 or +1 as p lies before, at or after q.
func (p Position) Compare(q Position) int {
	switch {
	case p.Commit < q.Commit, p.Commit == q.Commit && p.Prepare < q.Prepare:
		return -1
	case p == q:
		return 0
	default:
		return 1
	}
}

// Recorded is an event as the store holds it.
type Recorded struct {
	ID       UUID
	Stream   string
	Revision uint64
	Position Position
	// RecordedAt is the store's own time of the append, in UTC.
	RecordedAt time.Time
	// Type is the stored name under which the event was found, before upcasting.
	Type string
	// Event is nil when the catalog does not know the type.
	Event    Event
	Metadata Metadata
}
