package catalog

import (
	"aftercare/domain/clock"
	"aftercare/domain/codec"
	"aftercare/domain/policy"
	"aftercare/domain/ticket"
)

// Codec returns the codec of all stored events.
func Codec() *codec.Codec {
	return codec.New(
		codec.JSON[policy.Published](),

		codec.JSON[ticket.Received](),
		codec.JSON[ticket.Acknowledged](),
		codec.JSON[ticket.Responded](),
		codec.Upcast(ticket.TypeRespondedV1, ticket.RespondedV1.Today),
		codec.JSON[ticket.Classified](),
		codec.JSON[ticket.PriorityChanged](),
		codec.JSON[ticket.Assigned](),
		codec.JSON[ticket.Escalated](),
		codec.JSON[ticket.WaitStarted](),
		codec.JSON[ticket.Resumed](),
		codec.JSON[ticket.Dispatched](),
		codec.JSON[ticket.Arrived](),
		codec.JSON[ticket.Diagnosed](),
		codec.JSON[ticket.Planned](),
		codec.JSON[ticket.Confirmed](),
		codec.JSON[ticket.Resolved](),
		codec.JSON[ticket.Reopened](),
		codec.JSON[ticket.Closed](),
		codec.JSON[ticket.Cancelled](),
		codec.JSON[ticket.Noted](),
		codec.JSON[ticket.Rated](),
		codec.JSON[ticket.StatusRecorded](),

		codec.JSON[clock.Started](),
		codec.JSON[clock.Paused](),
		codec.JSON[clock.Resumed](),
		codec.JSON[clock.Met](),
		codec.JSON[clock.MetLate](),
		codec.JSON[clock.Breached](),
		codec.JSON[clock.Cancelled](),
		codec.JSON[clock.Superseded](),
		codec.JSON[clock.TargetRecorded](),
		codec.JSON[clock.VerdictRecorded](),
	)
}
