package model

import (
	"time"

	"aftercare/domain"
)

// Envelope is what every wish brings along.
type Envelope struct {
	CommandID        *domain.UUID
	OccurredAt       *time.Time
	ClientMutationID *string
}

// Target is the envelope of a wish about a ticket that exists.
type Target struct {
	Envelope
	TicketID         string
	ExpectedRevision *int64
}

// Details are the codes that classify a case.
type Details struct {
	Kind, Channel, Priority, Category, Subcategory, Product, Location, Team, Agent *string
	Attributes                                                                     []*AttributeInput
}

// The inputs of the mutations.
type (
	// ReceiveTicketInput opens a case.
	ReceiveTicketInput struct {
		Envelope
		Details
		Number, Customer, Name, Contact, Title, Description *string
	}
	// AcknowledgeTicketInput tells the customer that we have it.
	AcknowledgeTicketInput struct{ Target }
	// RespondToTicketInput sends the customer a message.
	RespondToTicketInput struct {
		Target
		Agent, Message *string
		By             *Responder
		// Automatic is the old way to say that By is an autoresponder.
		Automatic *bool
	}
	// ClassifyTicketInput changes codes.
	ClassifyTicketInput struct {
		Target
		Details
	}
	// ChangeTicketPriorityInput sets another priority.
	ChangeTicketPriorityInput struct {
		Target
		Priority string
		Reason   *string
	}
	// AssignTicketInput gives the case to somebody.
	AssignTicketInput struct {
		Target
		Team, Agent *string
	}
	// EscalateTicketInput brings the case to a higher level.
	EscalateTicketInput struct {
		Target
		To     string
		Reason *string
	}
	// WaitTicketInput says whom or what we wait for.
	WaitTicketInput struct {
		Target
		Reason string
		Note   *string
	}
	// ResumeTicketInput ends a wait.
	ResumeTicketInput struct{ Target }
	// DispatchTicketInput sends a technician.
	DispatchTicketInput struct {
		Target
		Agent *string
	}
	// ArriveTicketInput says that the technician is on site.
	ArriveTicketInput struct{ Target }
	// DiagnoseTicketInput names the cause.
	DiagnoseTicketInput struct {
		Target
		Cause, Note *string
	}
	// PlanTicketInput records what will be done.
	PlanTicketInput struct {
		Target
		Plan *string
	}
	// ConfirmTicketInput records that the customer agreed.
	ConfirmTicketInput struct {
		Target
		Note *string
	}
	// ResolveTicketInput fulfils the wish.
	ResolveTicketInput struct {
		Target
		Resolution, Agent, Note *string
	}
	// ReopenTicketInput brings a case back.
	ReopenTicketInput struct {
		Target
		Reason *string
	}
	// CloseTicketInput ends the case.
	CloseTicketInput struct {
		Target
		Outcome *string
	}
	// CancelTicketInput ends a case that was withdrawn.
	CancelTicketInput struct {
		Target
		Reason *string
	}
	// NoteTicketInput writes something down.
	NoteTicketInput struct {
		Target
		Text string
	}
	// RateTicketInput records a rating.
	RateTicketInput struct {
		Target
		Score, Min, Max int
		Comment         *string
	}
)
