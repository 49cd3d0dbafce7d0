package ticket

import (
	"time"

	"aftercare/domain"
	"aftercare/domain/seal"
)

// EventType returns the stored name.
func (Received) EventType() string { return TypeReceived }

// EventType returns the stored name.
func (Acknowledged) EventType() string { return TypeAcknowledged }

// EventType returns the stored name.
func (Responded) EventType() string { return TypeResponded }

// EventType returns the stored name.
func (Classified) EventType() string { return TypeClassified }

// EventType returns the stored name.
func (PriorityChanged) EventType() string { return TypePriorityChanged }

// EventType returns the stored name.
func (Assigned) EventType() string { return TypeAssigned }

// EventType returns the stored name.
func (Escalated) EventType() string { return TypeEscalated }

// EventType returns the stored name.
func (WaitStarted) EventType() string { return TypeWaitStarted }

// EventType returns the stored name.
func (Resumed) EventType() string { return TypeResumed }

// EventType returns the stored name.
func (Dispatched) EventType() string { return TypeDispatched }

// EventType returns the stored name.
func (Arrived) EventType() string { return TypeArrived }

// EventType returns the stored name.
func (Diagnosed) EventType() string { return TypeDiagnosed }

// EventType returns the stored name.
func (Planned) EventType() string { return TypePlanned }

// EventType returns the stored name.
func (Confirmed) EventType() string { return TypeConfirmed }

// EventType returns the stored name.
func (Resolved) EventType() string { return TypeResolved }

// EventType returns the stored name.
func (Reopened) EventType() string { return TypeReopened }

// EventType returns the stored name.
func (Closed) EventType() string { return TypeClosed }

// EventType returns the stored name.
func (Cancelled) EventType() string { return TypeCancelled }

// EventType returns the stored name.
func (Noted) EventType() string { return TypeNoted }

// EventType returns the stored name.
func (Rated) EventType() string { return TypeRated }

// EventType returns the stored name.
func (StatusRecorded) EventType() string { return TypeStatusRecorded }

// OccurredAt returns the business time.
func (e Received) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Acknowledged) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Responded) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Classified) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e PriorityChanged) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Assigned) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Escalated) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e WaitStarted) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Resumed) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Dispatched) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Arrived) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Diagnosed) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Planned) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Confirmed) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Resolved) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Reopened) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Closed) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Cancelled) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Noted) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Rated) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e StatusRecorded) OccurredAt() time.Time { return e.At }

func (Received) isEvent()        {}
func (Acknowledged) isEvent()    {}
func (Responded) isEvent()       {}
func (Classified) isEvent()      {}
func (PriorityChanged) isEvent() {}
func (Assigned) isEvent()        {}
func (Escalated) isEvent()       {}
func (WaitStarted) isEvent()     {}
func (Resumed) isEvent()         {}
func (Dispatched) isEvent()      {}
func (Arrived) isEvent()         {}
func (Diagnosed) isEvent()       {}
func (Planned) isEvent()         {}
func (Confirmed) isEvent()       {}
func (Resolved) isEvent()        {}
func (Reopened) isEvent()        {}
func (Closed) isEvent()          {}
func (Cancelled) isEvent()       {}
func (Noted) isEvent()           {}
func (Rated) isEvent()           {}
func (StatusRecorded) isEvent()  {}

// MapTexts implements seal.Carrier.
func (e Received) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if e.Name, err = f("name", e.Name); err != nil {
		return nil, err
	}
	if e.Contact, err = f("contact", e.Contact); err != nil {
		return nil, err
	}
	if e.Title, err = f("title", e.Title); err != nil {
		return nil, err
	}
	if e.Description, err = f("description", e.Description); err != nil {
		return nil, err
	}
	return e, nil
}

// MapTexts implements seal.Carrier.
func (e Responded) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if e.Message, err = f("message", e.Message); err != nil {
		return nil, err
	}
	return e, nil
}

// MapTexts implements seal.Carrier.
func (e PriorityChanged) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if e.Reason, err = f("reason", e.Reason); err != nil {
		return nil, err
	}
	return e, nil
}

// MapTexts implements seal.Carrier.
func (e Escalated) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if e.Reason, err = f("reason", e.Reason); err != nil {
		return nil, err
	}
	return e, nil
}

// MapTexts implements seal.Carrier.
func (e WaitStarted) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if e.Note, err = f("note", e.Note); err != nil {
		return nil, err
	}
	return e, nil
}

// MapTexts implements seal.Carrier.
func (e Diagnosed) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if e.Note, err = f("note", e.Note); err != nil {
		return nil, err
	}
	return e, nil
}

// MapTexts implements seal.Carrier.
func (e Planned) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if e.Plan, err = f("plan", e.Plan); err != nil {
		return nil, err
	}
	return e, nil
}

// MapTexts implements seal.Carrier.
func (e Confirmed) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if e.Note, err = f("note", e.Note); err != nil {
		return nil, err
	}
	return e, nil
}

// MapTexts implements seal.Carrier.
func (e Resolved) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if e.Note, err = f("note", e.Note); err != nil {
		return nil, err
	}
	return e, nil
}

// MapTexts implements seal.Carrier.
func (e Reopened) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if e.Reason, err = f("reason", e.Reason); err != nil {
		return nil, err
	}
	return e, nil
}

// MapTexts implements seal.Carrier.
func (e Noted) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if e.Text, err = f("text", e.Text); err != nil {
		return nil, err
	}
	return e, nil
}

// MapTexts implements seal.Carrier.
func (e Rated) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if e.Comment, err = f("comment", e.Comment); err != nil {
		return nil, err
	}
	return e, nil
}
