package ticket

import (
	"time"

	"aftercare/domain"
	"aftercare/domain/ticket"
)

// Text is personal data or free text of a case. The zero Text is absent.
type Text struct {
	Value string
	// Forgotten says that there was a text, and that the key of the person it concerned was destroyed.
	Forgotten bool
}

// IsZero reports whether there is no text.
func (t Text) IsZero() bool { return t == Text{} }

// Row is a case as it is now. Codes are empty where not known, times nil where it has not happened.
type Row struct {
	ID     domain.UUID
	Number string
	Phase  ticket.Phase
	ticket.Details
	Customer    string
	Name        Text
	Contact     Text
	Title       Text
	Description Text
	// SourceSystem and SourceKey are where an imported case came from, Status its last word, verbatim.
	SourceSystem string
	SourceKey    string
	Status       string
	// WaitReason is whom or what a waiting case waits for.
	WaitReason string

	ReceivedAt     time.Time
	AcknowledgedAt *time.Time
	// FirstRespondedAt leaves out the answers of programs.
	FirstRespondedAt *time.Time
	FirstResolvedAt  *time.Time
	// ResolvedAt is the last time; it stays when the case comes back: see Phase.
	ResolvedAt  *time.Time
	ClosedAt    *time.Time
	CancelledAt *time.Time
	// FirstEventAt and LastEventAt are the earliest and latest business time of its facts, clocks left out.
	FirstEventAt time.Time
	LastEventAt  time.Time

	// Reopened counts reopenings, Reassigned the changes of team or agent after the first.
	Reopened   int
	Reassigned int
	// SourceRows counts the rows of its history in the system it came from, Facts its own events, clocks left out.
	SourceRows int
	Facts      int

	Revision       uint64
	CommitPosition uint64
}
