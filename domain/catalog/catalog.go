// Package catalog lists every event that is stored, one line each. Retired types stay, with their upcasters.
//
// # How to change a stored event
//
// A further field that may be missing keeps the version. Anything else is a new version, ticket.responded.v2 for instance:
//
//  1. Change the event and its stored name. Keep the old name beside it (TypeRespondedV1), and the old shape as a type of its
//     own (RespondedV1) with a method that says today what was said then. It loses nothing and guesses nothing: what v1 could
//     not say needs a value that says so. A text stays in the field it was sealed in, because its seal is bound to that path.
//  2. Add a codec.Upcast line here. Everything else meets only today's event; Recorded.Type still tells what is stored.
//  3. Add the old name where views list the new one.
//  4. UPDATE=1 go test ./domain/catalog writes testdata/<new name>.json, testdata/today/<old name>.json (what the old payload says
//     now) and the digest of the new payload.
//
// A payload in testdata is never edited: testdata/SHA256SUMS and the history of the repository are held against it.
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
