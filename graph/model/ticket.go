package model

import (
	"context"
	"time"

	"aftercare/domain"
	"aftercare/graph/loader"
)

// Ticket is a case as the API shows it.
type Ticket struct {
	ID               string
	UUID             domain.UUID
	Number           string
	Revision         int64
	Phase            Phase
	Status           *string
	WaitReason       *string
	Kind             *string
	Channel          *string
	Priority         *string
	Category         *string
	Subcategory      *string
	Product          *string
	Location         *string
	Team             *string
	Agent            *string
	Attributes       []*Attribute
	Customer         *Customer
	Title            SealedText
	Description      SealedText
	Source           *Source
	Reopened         int
	Reassigned       int
	Facts            int
	SourceRows       int
	ReceivedAt       time.Time
	AcknowledgedAt   *time.Time
	FirstRespondedAt *time.Time
	FirstResolvedAt  *time.Time
	ResolvedAt       *time.Time
	ClosedAt         *time.Time
	CancelledAt      *time.Time
	FirstEventAt     time.Time
	LastEventAt      time.Time

	// Batch is the tickets this one was read together with.
	Batch *loader.Batch
}

// IsNode makes a ticket a Node.
func (*Ticket) IsNode() {}

// TicketConnection is a page of tickets. Count is called only when totalCount is selected.
type TicketConnection struct {
	Edges    []*TicketEdge
	Nodes    []*Ticket
	PageInfo *PageInfo
	Count    func(context.Context) (int64, error)
}
