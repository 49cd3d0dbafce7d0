package eventnode

import (
	"time"

	"google.golang.org/grpc/mem"

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

// DecodedAppend is what the node understands of one message of an append.
type DecodedAppend struct {
	Options  bool
	Stream   string
	Expected int64
	Proposed bool
	Record   storage.Record
	Refused  error
}

// DecodeAppend decodes a message of an append by hand.
func DecodeAppend(b []byte) (d DecodedAppend, err error) {
	m, err := decodeAppend(mem.BufferSlice{mem.SliceBuffer(b)})
	if err != nil {
		return d, err
	}
	if m.options != nil {
		d.Options, d.Stream, d.Expected = true, m.options.stream, m.options.expected
	}
	if m.proposed != nil {
		d.Proposed, d.Record, d.Refused = true, m.proposed.record, m.proposed.check()
	}
	return d, nil
}
