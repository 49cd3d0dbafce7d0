package eventnode

import "aftercare/deploy/eventnode/storage"

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
