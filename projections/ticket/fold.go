package ticket

import (
	"time"

	"aftercare/domain"
	"aftercare/domain/ticket"
	"aftercare/projections/facet"
)

func (r *record) fact(e domain.Event) {
	at := facet.Instant(e.OccurredAt())
	r.facts++
	if at.Before(r.firstEventAt) {
		r.firstEventAt = at
	}
	if at.After(r.lastEventAt) {
		r.lastEventAt = at
	}
	team, agent := r.Team, r.Agent
	r.Fold(e)
	if team != "" && r.Team != team || agent != "" && r.Agent != agent {
		r.reassigned++
	}
	r.milestone(e)
	switch e := e.(type) {
	case ticket.Received:
		r.number, r.customer = facet.Clean(e.Number), facet.Clean(string(e.Customer))
		if e.Source != nil {
			r.sourceKey = facet.Clean(e.Source.Key)
		}
		r.attribute(e.Attributes)
	case ticket.Classified:
		r.attribute(e.Attributes)
	case ticket.WaitStarted:
		r.phase, r.waitReason = ticket.Waiting.String(), facet.Clean(e.Reason)
	case ticket.Resumed:
		r.phase = ticket.Open.String()
	case ticket.StatusRecorded:
		r.status = facet.Clean(e.Status)
		r.sourceRows++
	}
	if r.phase != ticket.Waiting.String() {
		r.waitReason = ""
	}
}

// milestone keeps the times of what happens to a case as a whole, and its phase.
func (r *record) milestone(e domain.Event) {
	at := facet.InstantOf(e.OccurredAt())
	switch e := e.(type) {
	case ticket.Acknowledged:
		if r.acknowledgedAt == nil {
			r.acknowledgedAt = at
		}
	case ticket.Responded:
		if r.firstRespondedAt == nil && e.By == ticket.Person {
			r.firstRespondedAt = at
		}
	case ticket.Resolved:
		r.phase, r.resolvedAt = ticket.Done.String(), at
		if r.firstResolvedAt == nil {
			r.firstResolvedAt = at
		}
	case ticket.Reopened:
		r.phase = ticket.Open.String()
		r.reopened++
	case ticket.Closed:
		r.phase, r.closedAt = ticket.Shut.String(), at
	case ticket.Cancelled:
		r.phase, r.cancelledAt = ticket.Void.String(), at
	}
}

// attribute keeps the values given; an empty one takes the attribute away.
func (r *record) attribute(values map[string]string) {
	for name, value := range values {
		name = facet.Clean(name)
		delete(r.attributes, name)
		delete(r.instants, name)
		if value == "" {
			continue
		}
		r.attributes[name] = facet.Clean(value)
		if at, err := time.Parse(time.RFC3339Nano, value); err == nil {
			r.instants[name] = at.UnixMicro()
		}
	}
}
