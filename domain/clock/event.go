package clock

import (
	"time"

	"aftercare/domain"
)

// Event is a fact about one clock of a case, stored in the case's own stream.
//
//sumtype:decl
type Event interface {
	domain.Event
	isEvent()
}

// Names of the stored events.
const (
	TypeStarted         = "clock.started.v1"
	TypePaused          = "clock.paused.v1"
	TypeResumed         = "clock.resumed.v1"
	TypeMet             = "clock.met.v1"
	TypeMetLate         = "clock.met-late.v1"
	TypeBreached        = "clock.breached.v1"
	TypeCancelled       = "clock.cancelled.v1"
	TypeSuperseded      = "clock.superseded.v1"
	TypeTargetRecorded  = "clock.target-recorded.v1"
	TypeVerdictRecorded = "clock.verdict-recorded.v1"
)

// Span is a half-open stretch of time, in UTC.
type Span struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Version names one version of a policy: a definition or a calendar. Versions in use never change.
type Version struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
}

// Promise is a due time with all its reasons: whoever reads it can compute it again.
type Promise struct {
	Definition Version `json:"definition"`
	Calendar   Version `json:"calendar"`
	// TZ is the version of the tz database the computation used, such as "2026a".
	TZ string `json:"tz,omitempty"`
	// Start is when counting began: the start event's time, or what carry made of it.
	Start time.Time `json:"start"`
	// Budget and Unit are what the definition allowed, such as 3 working days.
	Budget int  `json:"budget"`
	Unit   Unit `json:"unit"`
	// Carried is the time, in seconds, that an earlier instance had already used up.
	Carried int64 `json:"carried,omitempty"`
	// Due is the promised instant. Stopping exactly then is met.
	Due time.Time `json:"due"`
	// Counted are the open stretches that lead from Start to Due.
	Counted []Span `json:"counted,omitempty"`
	// Provisional says that they reach into a year whose holidays were not published then.
	Provisional bool `json:"provisional,omitempty"`
}

// Started says that a promise was made. Instance numbers the clocks of one case from 1, in the order they started.
type Started struct {
	At       time.Time `json:"at"`
	Instance int       `json:"instance"`
	// Clock is the kind of promise, such as "first_response" or "resolution".
	Clock   string  `json:"clock"`
	Promise Promise `json:"promise"`
	// Supersedes is the instance this one replaces, 0 for none, and Carry how it began.
	Supersedes int   `json:"supersedes,omitempty"`
	Carry      Carry `json:"carry,omitzero"`
}

// Paused says that time stopped counting, for a reason the definition allows.
type Paused struct {
	At       time.Time `json:"at"`
	Instance int       `json:"instance"`
	Reason   string    `json:"reason"`
}

// Resumed says that time counts again, and what became of the due time.
type Resumed struct {
	At       time.Time `json:"at"`
	Instance int       `json:"instance"`
	Due      time.Time `json:"due"`
	Counted  []Span    `json:"counted,omitempty"`
}

// Met says that the stop event came in time.
type Met struct {
	At       time.Time `json:"at"`
	Instance int       `json:"instance"`
	Due      time.Time `json:"due"`
	// Elapsed is the counted time in seconds.
	Elapsed int64 `json:"elapsed"`
}

// MetLate says that the stop event came after the due time.
type MetLate struct {
	At       time.Time `json:"at"`
	Instance int       `json:"instance"`
	Due      time.Time `json:"due"`
	Elapsed  int64     `json:"elapsed"`
	// Overrun is the counted time after the due time, in seconds.
	Overrun int64 `json:"overrun"`
}

// Breached says that the due time passed with the clock running. It happened at the due time, whenever it was recorded.
type Breached struct {
	At       time.Time `json:"at"`
	Instance int       `json:"instance"`
}

// Cancelled says that the promise no longer applies, without a verdict.
type Cancelled struct {
	At       time.Time `json:"at"`
	Instance int       `json:"instance"`
	Reason   string    `json:"reason"`
}

// Superseded says that the instance By took this one's place. Its promise and verdict so far stay as they are.
type Superseded struct {
	At       time.Time `json:"at"`
	Instance int       `json:"instance"`
	By       int       `json:"by"`
	Reason   string    `json:"reason"`
}

// TargetRecorded is a due time that the system a case came from had set.
type TargetRecorded struct {
	At    time.Time `json:"at"`
	Clock string    `json:"clock"`
	Due   time.Time `json:"due"`
	// Source names that system.
	Source string `json:"source"`
}

// VerdictRecorded is what the system a case came from said about its own promise.
type VerdictRecorded struct {
	At     time.Time `json:"at"`
	Clock  string    `json:"clock"`
	Met    bool      `json:"met"`
	Source string    `json:"source"`
}

// EventType returns the stored name.
func (Started) EventType() string { return TypeStarted }

// EventType returns the stored name.
func (Paused) EventType() string { return TypePaused }

// EventType returns the stored name.
func (Resumed) EventType() string { return TypeResumed }

// EventType returns the stored name.
func (Met) EventType() string { return TypeMet }

// EventType returns the stored name.
func (MetLate) EventType() string { return TypeMetLate }

// EventType returns the stored name.
func (Breached) EventType() string { return TypeBreached }

// EventType returns the stored name.
func (Cancelled) EventType() string { return TypeCancelled }

// EventType returns the stored name.
func (Superseded) EventType() string { return TypeSuperseded }

// EventType returns the stored name.
func (TargetRecorded) EventType() string { return TypeTargetRecorded }

// EventType returns the stored name.
func (VerdictRecorded) EventType() string { return TypeVerdictRecorded }

// OccurredAt returns the business time.
func (e Started) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Paused) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Resumed) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Met) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e MetLate) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Breached) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Cancelled) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e Superseded) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e TargetRecorded) OccurredAt() time.Time { return e.At }

// OccurredAt returns the business time.
func (e VerdictRecorded) OccurredAt() time.Time { return e.At }

func (Started) isEvent()         {}
func (Paused) isEvent()          {}
func (Resumed) isEvent()         {}
func (Met) isEvent()             {}
func (MetLate) isEvent()         {}
func (Breached) isEvent()        {}
func (Cancelled) isEvent()       {}
func (Superseded) isEvent()      {}
func (TargetRecorded) isEvent()  {}
func (VerdictRecorded) isEvent() {}
