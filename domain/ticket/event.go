package ticket

import (
	"time"

	"aftercare/domain"
	"aftercare/domain/seal"
)

// Event is a fact about a ticket. The ticket's stream also holds the events of its clocks (package clock).
//
//sumtype:decl
type Event interface {
	domain.Event
	isEvent()
}

// Names of the stored events.
const (
	TypeReceived        = "ticket.received.v1"
	TypeAcknowledged    = "ticket.acknowledged.v1"
	TypeResponded       = "ticket.responded.v2"
	TypeClassified      = "ticket.classified.v1"
	TypePriorityChanged = "ticket.priority-changed.v1"
	TypeAssigned        = "ticket.assigned.v1"
	TypeEscalated       = "ticket.escalated.v1"
	TypeWaitStarted     = "ticket.wait-started.v1"
	TypeResumed         = "ticket.resumed.v1"
	TypeDispatched      = "ticket.dispatched.v1"
	TypeArrived         = "ticket.arrived.v1"
	TypeDiagnosed       = "ticket.diagnosed.v1"
	TypePlanned         = "ticket.planned.v1"
	TypeConfirmed       = "ticket.confirmed.v1"
	TypeResolved        = "ticket.resolved.v1"
	TypeReopened        = "ticket.reopened.v1"
	TypeClosed          = "ticket.closed.v1"
	TypeCancelled       = "ticket.cancelled.v1"
	TypeNoted           = "ticket.noted.v1"
	TypeRated           = "ticket.rated.v1"
	TypeStatusRecorded  = "ticket.status-recorded.v1"
)

// Names of retired types: nothing is stored under them any more, and what was is read as the type of today.
const (
	TypeRespondedV1 = "ticket.responded.v1"
)

// Received says that a case was opened.
type Received struct {
	At time.Time `json:"at"`
	// Number is the service number customers read to each other: see package servicenumber.
	Number string `json:"number"`
	Details
	// Customer is the person the case is about; it names the data key, too. Empty when nobody is known.
	Customer seal.Subject `json:"customer,omitempty"`
	// Name and Contact are the customer's, Title and Description the wish in their words.
	Name        seal.Text `json:"name,omitzero"`
	Contact     seal.Text `json:"contact,omitzero"`
	Title       seal.Text `json:"title,omitzero"`
	Description seal.Text `json:"description,omitzero"`
	// Source is where an imported case came from.
	Source *Source `json:"source,omitempty"`
}

// Acknowledged says that the customer was told that we have it.
type Acknowledged struct {
	At time.Time `json:"at"`
}

// Responded says that the customer got a visible message.
type Responded struct {
	At time.Time `json:"at"`
	// By is who answered: only a person's answer is the fact "responded" that stops clocks.
	By      Responder `json:"by"`
	Agent   string    `json:"agent,omitempty"`
	Message seal.Text `json:"message,omitzero"`
}

// Classified says that the case was classified; only the fields given are changed.
type Classified struct {
	At time.Time `json:"at"`
	Details
}

// PriorityChanged says that the priority is another.
type PriorityChanged struct {
	At     time.Time `json:"at"`
	From   string    `json:"from,omitempty"`
	To     string    `json:"to"`
	Reason seal.Text `json:"reason,omitzero"`
}

// Assigned says that the case is now with this team and agent.
type Assigned struct {
	At    time.Time `json:"at"`
	Team  string    `json:"team,omitempty"`
	Agent string    `json:"agent,omitempty"`
}

// Escalated says that the case went to a higher level.
type Escalated struct {
	At     time.Time `json:"at"`
	To     string    `json:"to"`
	Level  int       `json:"level"`
	Reason seal.Text `json:"reason,omitzero"`
}

// WaitStarted says that we wait for somebody else.
type WaitStarted struct {
	At time.Time `json:"at"`
	// Reason is the code of whom or what we wait for, such as "customer", "vendor", "parts".
	Reason string    `json:"reason"`
	Note   seal.Text `json:"note,omitzero"`
}

// Resumed says that we go on.
type Resumed struct {
	At time.Time `json:"at"`
}

// Dispatched says that a technician was sent.
type Dispatched struct {
	At    time.Time `json:"at"`
	Agent string    `json:"agent,omitempty"`
}

// Arrived says that the technician is on site.
type Arrived struct {
	At time.Time `json:"at"`
}

// Diagnosed says that the fault was found.
type Diagnosed struct {
	At    time.Time `json:"at"`
	Cause string    `json:"cause,omitempty"`
	Note  seal.Text `json:"note,omitzero"`
}

// Planned says that there is a plan.
type Planned struct {
	At   time.Time `json:"at"`
	Plan seal.Text `json:"plan,omitzero"`
}

// Confirmed says that the customer agreed to the plan.
type Confirmed struct {
	At   time.Time `json:"at"`
	Note seal.Text `json:"note,omitzero"`
}

// Resolved says that the wish was fulfilled.
type Resolved struct {
	At time.Time `json:"at"`
	// Resolution is a code; Agent performed the resolving act and is who a rating is attributed to.
	Resolution string    `json:"resolution,omitempty"`
	Agent      string    `json:"agent,omitempty"`
	Note       seal.Text `json:"note,omitzero"`
}

// Reopened says that the case came back after it was resolved.
type Reopened struct {
	At time.Time `json:"at"`
	// From is the phase the case came back from: "resolved", "closed" or "cancelled".
	From   Phase     `json:"from"`
	Reason seal.Text `json:"reason,omitzero"`
}

// Closed says that nothing more will be done.
type Closed struct {
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome,omitempty"`
}

// Cancelled says that the wish was withdrawn or void.
type Cancelled struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// Noted says that somebody wrote something down.
type Noted struct {
	At   time.Time `json:"at"`
	Text seal.Text `json:"text,omitzero"`
}

// Rated says that the customer rated the service.
type Rated struct {
	At time.Time `json:"at"`
	// Score on the scale from Min to Max, as the customer gave it: never converted here.
	Score   int       `json:"score"`
	Min     int       `json:"min"`
	Max     int       `json:"max"`
	Comment seal.Text `json:"comment,omitzero"`
	// Team and Agent performed the resolving act that was rated.
	Team  string `json:"team,omitempty"`
	Agent string `json:"agent,omitempty"`
}

// StatusRecorded says that another system of record says that the case had this status: one row of its history.
type StatusRecorded struct {
	At time.Time `json:"at"`
	// Seq is the row's place in the history of its case, from 1.
	Seq int `json:"seq"`
	// Status is the word of the other system, verbatim.
	Status string `json:"status"`
	Agent  string `json:"agent,omitempty"`
}
