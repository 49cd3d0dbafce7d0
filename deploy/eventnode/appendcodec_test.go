package eventnode_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"aftercare/deploy/eventnode"
	"aftercare/deploy/eventnode/storage"
)

// TestAppendsAreDecodedAsTheGeneratedCodeDoes writes messages with the generated code and reads them by hand.
func TestAppendsAreDecodedAsTheGeneratedCodeDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		req := anAppend(t)
		b, err := proto.Marshal(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := eventnode.DecodeAppend(b)
		if err != nil {
			t.Fatal(err)
		}
		if o := req.GetOptions(); o != nil {
			want := int64(min(o.GetRevision(), math.MaxInt64))
			switch o.GetExpectedStreamRevision().(type) {
			case *streams.AppendReq_Options_NoStream:
				want = storage.NoStream
			case *streams.AppendReq_Options_Any:
				want = storage.Any
			case *streams.AppendReq_Options_StreamExists:
				want = storage.StreamExists
			}
			if !got.Options || got.Proposed || got.Stream != string(o.GetStreamIdentifier().GetStreamName()) || got.Expected != want {
				t.Errorf("got %+v, want %v", got, o)
			}
			return
		}
		p, r := req.GetProposedMessage(), got.Record
		kind, hasType := p.GetMetadata()["type"]
		content, hasContent := p.GetMetadata()["content-type"]
		if id, bad := idOf(p.GetId()); (got.Refused != nil) != (!hasType || !hasContent || bad) || !bad && id != r.ID {
			t.Errorf("got %+v, want %v", got, p)
		}
		if !got.Proposed || string(r.Type) != kind || (r.Flags&storage.FlagJSON != 0) != (content == "application/json") ||
			string(r.Data) != string(p.GetData()) || string(r.Metadata) != string(p.GetCustomMetadata()) {
			t.Errorf("got %+v, want %v", got, p)
		}
		if cut := rapid.IntRange(0, len(b)).Draw(t, "cut"); cut < len(b) {
			_, _ = eventnode.DecodeAppend(b[:cut]) // an error or a shorter message, but no panic
		}
	})
}

func anAppend(t *rapid.T) *streams.AppendReq {
	some := &shared.Empty{}
	if rapid.Bool().Draw(t, "options") {
		o := &streams.AppendReq_Options{StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(rapid.String().Draw(t, "stream"))}}
		switch rapid.IntRange(0, 3).Draw(t, "expected") {
		case 0:
			o.ExpectedStreamRevision = &streams.AppendReq_Options_Revision{Revision: rapid.Uint64().Draw(t, "revision")}
		case 1:
			o.ExpectedStreamRevision = &streams.AppendReq_Options_NoStream{NoStream: some}
		case 2:
			o.ExpectedStreamRevision = &streams.AppendReq_Options_Any{Any: some}
		case 3:
			o.ExpectedStreamRevision = &streams.AppendReq_Options_StreamExists{StreamExists: some}
		}
		return &streams.AppendReq{Content: &streams.AppendReq_Options_{Options: o}}
	}
	p := &streams.AppendReq_ProposedMessage{
		Metadata: rapid.MapOf(
			rapid.SampledFrom([]string{"type", "content-type", "created", ""}), rapid.SampledFrom([]string{"", "a.b.v1", "application/json", "型"}),
		).Draw(t, "metadata"),
		CustomMetadata: rapid.SliceOf(rapid.Byte()).Draw(t, "custom"), Data: rapid.SliceOf(rapid.Byte()).Draw(t, "data"),
	}
	switch rapid.IntRange(0, 3).Draw(t, "id") {
	case 0:
		p.Id = &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
			MostSignificantBits: rapid.Int64().Draw(t, "most"), LeastSignificantBits: rapid.Int64().Draw(t, "least"),
		}}}
	case 1:
		p.Id = &shared.UUID{Value: &shared.UUID_String_{String_: uuid.NewSHA1(uuid.Nil, p.GetData()).String()}}
	case 2:
		p.Id = &shared.UUID{Value: &shared.UUID_String_{String_: "none"}}
	}
	return &streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: p}}
}

// idOf returns the id, or that there is none to read.
func idOf(id *shared.UUID) (out [16]byte, bad bool) {
	switch v := id.GetValue().(type) {
	case *shared.UUID_Structured_:
		binary.BigEndian.PutUint64(out[:8], uint64(v.Structured.GetMostSignificantBits()))  //nolint:gosec // same bits
		binary.BigEndian.PutUint64(out[8:], uint64(v.Structured.GetLeastSignificantBits())) //nolint:gosec // same bits
		return out, false
	case *shared.UUID_String_:
		parsed, err := uuid.Parse(v.String_)
		return parsed, err != nil
	}
	return out, true
}
