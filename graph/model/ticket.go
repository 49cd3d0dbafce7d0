package model

import (
	"context"
	"time"

	"aftercare/domain"
)

// Ticket is a case as the API shows it. The lists below the line are filled by look-ahead; where they are nil, a
// resolver loads them.
type Ticket struct {
	ID              string
	UUID            domain.UUID
	Number          string
	Revision        int64
	Phase           Phase
	Status          *string
	WaitReason      *string
	Kind            *string
	Channel         *string
	Priority        *string
	Category        *string
	Subcategory     *string
	Product         *string
	Location        *string
	Team            *string
	Agent           *string
	Attributes      []*Attribute
	Customer        *Customer
	Title           SealedText
	Description     SealedText
	Source          *Source
	Resolution      *string
	Outcome         *string
	Reopens         int
	Reassignments   int
	EscalationLevel int
	ReceivedAt      time.Time
	UpdatedAt       time.Time
	AcknowledgedAt  *time.Time
	RespondedAt     *time.Time
	ResolvedAt      *time.Time
	FirstResolvedAt *time.Time
	ClosedAt        *time.Time

	Loaded Loaded
}

// Loaded is what look-ahead fetched together with a ticket.
type Loaded struct {
	Clocks    []*Clock
	Ratings   []*Rating
	Timelines map[Page]*TimelineConnection
}

// IsNode makes a ticket a Node.
func (*Ticket) IsNode() {}

// Page is the part of a list somebody asks for, as validated: Size entries after or before a cursor, from the front or
// the back.
type Page struct {
	Size          int
	After, Before string
	Backward      bool
}

// TicketConnection is a page of tickets. Count is called only when totalCount is selected.
type TicketConnection struct {
	Edges    []*TicketEdge
	Nodes    []*Ticket
	PageInfo *PageInfo
	Count    func(context.Context) (int64, error)
}
