package eventnode

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"aftercare/deploy/eventnode/storage"
)

const contentJSON = "application/json"

// tooMany is what is said of an append with more events than the store takes.
var tooMany = "An append holds at most " + strconv.Itoa(storage.MaxEvents) + " events."

type streamsService struct {
	streams.UnimplementedStreamsServer
	node *Node
}

// registerStreams registers the service with a handler of its own for Append, which decodes its messages by hand.
func registerStreams(r grpc.ServiceRegistrar, s *streamsService) {
	desc := streams.Streams_ServiceDesc
	desc.Streams = slices.Clone(desc.Streams)
	for i := range desc.Streams {
		if desc.Streams[i].StreamName == "Append" {
			desc.Streams[i].Handler = func(_ any, stream grpc.ServerStream) error { return s.append(stream) }
		}
	}
	r.RegisterService(&desc, s)
}

// append answers a call of Append. It reads the whole request before it answers, whatever the answer
// is: a client that is still sending would otherwise see the end of the call and not the reason.
func (s *streamsService) append(stream grpc.ServerStream) error {
	var q *storage.Request
	var refused error
	size, limit := 0, s.node.opts.MaxAppendSize
	for {
		var m appendMessage
		err := stream.RecvMsg(&m)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if refused != nil {
			continue
		}
		switch {
		case m.options != nil && q == nil:
			q, refused = appendRequest(m.options)
		case m.options != nil || m.proposed == nil || q == nil: // what is not understood must not be left out in silence
			refused = invalid("An append is its options, and then its events.")
		default:
			if refused = m.proposed.check(); refused != nil {
				continue
			}
			r := &m.proposed.record
			size += eventSize(r)
			if len(q.Events) == storage.MaxEvents {
				refused = invalid(tooMany)
				continue
			}
			if size > limit {
				n := strconv.Itoa(limit)
				refused = failure(codes.InvalidArgument, "Maximum Append Size of "+n+" Exceeded.",
					"exception", "maximum-append-size-exceeded", "maximum-append-size", n)
				continue
			}
			q.Events = append(q.Events, *r)
		}
	}
	if refused != nil {
		return refused
	}
	if q == nil {
		return invalid("An append has options.")
	}
	began := s.node.opts.Now()
	res, err := s.node.store.Write(stream.Context(), q)
	s.node.metrics.appended(res, err, s.node.opts.Now().Sub(began))
	if err != nil {
		return err
	}
	if res.Verdict == storage.Deleted {
		return streamDeleted(q.Stream)
	}
	return stream.SendMsg(appendResponse(q, res))
}

func appendRequest(o *appendOptions) (*storage.Request, error) {
	if !o.hasExpected {
		return nil, invalid("The expected revision is missing.")
	}
	return &storage.Request{Kind: storage.Append, Stream: o.stream, Expected: o.expected}, writable(o.stream)
}

// check says what an event lacks.
func (p *proposedMessage) check() error {
	switch {
	case !p.hasType || !p.hasContent:
		return missingProperty()
	case !p.hasID:
		return invalid("The event id is missing.")
	case p.badID:
		return invalid("The event id is not a UUID.")
	}
	return nil
}

func missingProperty() error {
	return failure(codes.InvalidArgument, "Required metadata property is missing.",
		"exception", "missing-required-metadata-property", "required-metadata-properties", "type,content-type")
}

// writable refuses names that no stream can have.
func writable(stream string) error {
	switch stream {
	case "", "$$":
		return handlerException()
	case "$all":
		return failure(codes.PermissionDenied, "Access Denied", "exception", "access-denied")
	}
	if len(stream) > storage.MaxName {
		return invalid("The name of the stream is longer than " + strconv.Itoa(storage.MaxName) + " bytes.")
	}
	return nil
}

// proposal is an event as Append and BatchAppend bring it.
type proposal interface {
	GetId() *shared.UUID
	GetMetadata() map[string]string
	GetCustomMetadata() []byte
	GetData() []byte
}

func proposed(m proposal) (storage.Record, error) {
	kind, okKind := m.GetMetadata()["type"]
	content, okContent := m.GetMetadata()["content-type"]
	if !okKind || !okContent {
		return storage.Record{}, missingProperty()
	}
	id, err := parseID(m.GetId())
	if err != nil {
		return storage.Record{}, err
	}
	r := storage.Record{ID: id, Type: []byte(kind), Metadata: m.GetCustomMetadata(), Data: m.GetData()}
	if content == contentJSON {
		r.Flags = storage.FlagJSON
	}
	return r, nil
}

// eventSize is what an event counts against MaxAppendSize: the type counts as UTF-16, as it does in a real server.
func eventSize(r *storage.Record) int {
	units := 0
	for _, c := range string(r.Type) {
		units += utf16.RuneLen(c)
	}
	return len(r.Data) + len(r.Metadata) + 2*units
}

func parseID(id *shared.UUID) ([16]byte, error) {
	switch v := id.GetValue().(type) {
	case *shared.UUID_Structured_:
		var out [16]byte
		binary.BigEndian.PutUint64(out[:8], uint64(v.Structured.GetMostSignificantBits()))  //nolint:gosec // same bits
		binary.BigEndian.PutUint64(out[8:], uint64(v.Structured.GetLeastSignificantBits())) //nolint:gosec // same bits
		return out, nil
	case *shared.UUID_String_:
		out, err := uuid.Parse(v.String_)
		if err != nil {
			return out, invalid("The event id is not a UUID.")
		}
		return out, nil
	default:
		return [16]byte{}, invalid("The event id is missing.")
	}
}

func structuredID(id [16]byte) *shared.UUID {
	return &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
		MostSignificantBits:  int64(binary.BigEndian.Uint64(id[:8])), //nolint:gosec // same bits
		LeastSignificantBits: int64(binary.BigEndian.Uint64(id[8:])), //nolint:gosec // same bits
	}}}
}

// toRevision reads a revision off the wire; those no event can have become the largest.
func toRevision(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

func appendResponse(q *storage.Request, res storage.Result) *streams.AppendResp {
	if res.Verdict == storage.WrongRevision {
		return &streams.AppendResp{Result: wrongExpected(q.Expected, res.Revision)}
	}
	ok := &streams.AppendResp_Success{}
	if res.Revision >= 0 {
		ok.CurrentRevisionOption = &streams.AppendResp_Success_CurrentRevision{CurrentRevision: uint64(res.Revision)}
	} else {
		ok.CurrentRevisionOption = &streams.AppendResp_Success_NoStream{NoStream: &shared.Empty{}}
	}
	if res.Position > 0 {
		ok.PositionOption = &streams.AppendResp_Success_Position{Position: &streams.AppendResp_Position{
			CommitPosition: res.Position, PreparePosition: res.Position,
		}}
	} else {
		ok.PositionOption = &streams.AppendResp_Success_NoPosition{NoPosition: &shared.Empty{}}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_Success_{Success: ok}}
}

// wrongExpected answers in the fields of old clients and of new ones.
func wrongExpected(expected, current int64) *streams.AppendResp_WrongExpectedVersion_ {
	type w = streams.AppendResp_WrongExpectedVersion
	none := &shared.Empty{}
	m := &w{}
	if current >= 0 {
		m.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: uint64(current)}
		m.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_CurrentRevision_20_6_0{CurrentRevision_20_6_0: uint64(current)}
	} else {
		m.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: none}
		m.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_NoStream_20_6_0{NoStream_20_6_0: none}
	}
	switch expected {
	case storage.Any:
		m.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: none}
		m.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_Any_20_6_0{Any_20_6_0: none}
	case storage.StreamExists:
		m.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: none}
		m.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_StreamExists_20_6_0{StreamExists_20_6_0: none}
	case storage.NoStream: // the old oneof has no word for it
		m.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: none}
	default:
		m.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: uint64(expected)}                      //nolint:gosec // not negative
		m.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: uint64(expected)} //nolint:gosec // not negative
	}
	return &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: m}
}

// remove runs a delete or a tombstone and returns the position of what it wrote.
func (s *streamsService) remove(ctx context.Context, q *storage.Request) (uint64, error) {
	if err := writable(q.Stream); err != nil {
		return 0, err
	}
	if storage.IsMetastream(q.Stream) {
		return 0, invalid("A metadata stream cannot be deleted.")
	}
	if q.Kind == storage.Tombstone && (q.Stream == configStream || strings.HasPrefix(q.Stream, groupStreams)) { // no group could go on
		return 0, invalid("What belongs to persistent subscriptions cannot be tombstoned.")
	}
	res, err := s.node.store.Write(ctx, q)
	if err != nil {
		return 0, err
	}
	switch res.Verdict {
	case storage.Deleted:
		return 0, streamDeleted(q.Stream)
	case storage.WrongRevision:
		return 0, wrongDelete(q, res.Revision)
	case storage.Written, storage.Repeated:
	}
	return res.Position, nil
}
