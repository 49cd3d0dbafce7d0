package eventnode

// Record lets the tests of this package's users look at the stored form.
type Record struct {
	Position           uint64
	Lag, Flags         uint32
	Revision, Created  int64
	ID                 [16]byte
	Stream, Kind, Meta []byte
	Data               []byte
}

// ErrDamaged is the error of DecodeRecord.
var ErrDamaged = errDamaged

// FirstPosition is where the first record stands.
const FirstPosition = firstPosition

// EncodeRecord returns the stored form of r.
func EncodeRecord(r Record) []byte {
	return appendRecord(nil, &record{
		position: r.Position, lag: r.Lag, flags: r.Flags, revision: r.Revision, created: r.Created,
		id: r.ID, stream: r.Stream, kind: r.Kind, meta: r.Meta, data: r.Data,
	})
}

// DecodeRecord is the inverse of EncodeRecord.
func DecodeRecord(b []byte, position uint64) (Record, error) {
	r, err := decodeRecord(b, position)
	return Record{
		Position: r.position, Lag: r.lag, Flags: r.flags, Revision: r.revision, Created: r.created,
		ID: r.id, Stream: r.stream, Kind: r.kind, Meta: r.meta, Data: r.data,
	}, err
}

// EncodeEvent returns the response that carries an event and the link to it.
func EncodeEvent(event, link *Record, stringIDs bool) []byte {
	conv := func(r *Record) *record {
		if r == nil {
			return nil
		}
		return &record{
			position: r.Position, flags: r.Flags, revision: r.Revision, created: r.Created,
			id: r.ID, stream: r.Stream, kind: r.Kind, meta: r.Meta, data: r.Data,
		}
	}
	return encodeEvent(conv(event), conv(link), stringIDs)
}

// EagerIndex returns o for a node that moves its index to disk every few events.
func EagerIndex(o Options, events int) Options {
	o.flushEvents = events
	return o
}
