package sla

import (
	"time"

	"aftercare/domain"
	"aftercare/domain/ticket"
	"aftercare/projections/facet"
)

// Kinds of promise that a fact other than the end of the case keeps. Every other kind is kept by its resolution, or by
// its closing when it was never resolved.
const (
	Acknowledgement = "acknowledgement"
	FirstResponse   = "first_response"
)

const (
	stopAcknowledged = "acknowledged"
	stopResponded    = "responded"
	stopResolved     = "resolved"
	stopClosed       = "closed"
	stopCancelled    = "cancelled"
)

// stop remembers when the case came to a stop and reports whether that changed. What happens once keeps its first time,
// the end of a case its last; a reopened case has none.
func (r *record) stop(e domain.Event) bool {
	first := func(name string) bool {
		if _, ok := r.stops[name]; ok {
			return false
		}
		r.stops[name] = facet.Instant(e.OccurredAt())
		return true
	}
	last := func(name string) bool {
		r.stops[name] = facet.Instant(e.OccurredAt())
		return true
	}
	switch e := e.(type) {
	case ticket.Acknowledged:
		return first(stopAcknowledged)
	case ticket.Responded:
		return e.By == ticket.Person && first(stopResponded)
	case ticket.Resolved:
		return last(stopResolved)
	case ticket.Closed:
		return last(stopClosed)
	case ticket.Cancelled:
		return last(stopCancelled)
	case ticket.Reopened:
		delete(r.stops, stopResolved)
		delete(r.stops, stopClosed)
		delete(r.stops, stopCancelled)
		return true
	}
	return false
}

// judge compares a source's target with what happened.
func (r *record) judge(stops map[string]time.Time) {
	at, stopped := stopOf(r.clock, stops)
	r.stoppedAt, r.elapsed, r.overrun = nil, nil, nil
	switch _, cancelled := stops[stopCancelled]; {
	case stopped:
		elapsed, overrun := int64(at.Sub(r.ReceivedAt)/time.Second), max(0, int64(at.Sub(*r.dueAt)/time.Second))
		r.stoppedAt, r.elapsed, r.overrun = &at, &elapsed, &overrun
		r.verdict = Met.String()
		if at.After(*r.dueAt) {
			r.verdict = MetLate.String()
		}
	case cancelled:
		r.verdict = Cancelled.String()
	default:
		r.verdict = Running.String()
	}
}

func stopOf(clock string, stops map[string]time.Time) (time.Time, bool) {
	names := []string{stopResolved, stopClosed}
	switch clock {
	case Acknowledgement:
		names = []string{stopAcknowledged}
	case FirstResponse:
		names = []string{stopResponded}
	}
	for _, name := range names {
		if at, ok := stops[name]; ok {
			return at, true
		}
	}
	return time.Time{}, false
}
