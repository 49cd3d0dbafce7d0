package calendar

import (
	"strings"

	"aftercare/domain"
)

// Refusals of questions that a valid calendar cannot answer.
var (
	// ErrNeverOpen means that the calendar has no open time left after the instant or date asked about.
	ErrNeverOpen = domain.Refuse(domain.Invalid, "calendar.never-open")
	// ErrTooFar means that the answer lies more than a thousand years ahead, or behind a pause without an end.
	ErrTooFar = domain.Refuse(domain.Invalid, "calendar.too-far")
	// ErrNegative means that a count of working days is below zero.
	ErrNegative = domain.Refuse(domain.Invalid, "calendar.negative-count")
)

// DefinitionErrors are all the reasons New refuses a definition, in the order of its fields. Each has the code
// calendar.unknown-zone, unknown-day, malformed-interval, malformed-time, empty-interval, unsorted-intervals,
// overlapping-intervals, malformed-date, missing-makeup-hours or bad-years, and names its place in the parameter "field".
type DefinitionErrors []*domain.Error

// Error returns the problems one after another, for logs.
func (p DefinitionErrors) Error() string {
	texts := make([]string, len(p))
	for i, e := range p {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap makes errors.Is and errors.As look at each problem.
func (p DefinitionErrors) Unwrap() []error {
	errs := make([]error, len(p))
	for i, e := range p {
		errs[i] = e
	}
	return errs
}
