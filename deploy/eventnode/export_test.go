package eventnode

import (
	"time"

	"aftercare/deploy/eventnode/storage"
)

// EncodeEvent returns the response that carries an event and the link to it.
func EncodeEvent(event, link *storage.Record, stringIDs bool) []byte {
	e := encoder{stringIDs: stringIDs}
	return e.event(event, link)
}

// EagerIndex returns o for a node that moves its index to disk every few events.
func EagerIndex(o Options, events int) Options {
	o.flushEvents = events
	return o
}

// Ticked returns o for a node whose persistent subscriptions look at the clock when ticks says so.
func Ticked(o Options, ticks <-chan time.Time) Options {
	o.ticks = ticks
	return o
}
