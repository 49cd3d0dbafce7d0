package eventnode_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"aftercare/deploy/eventnode"
)

// rawCodec sends bytes as they are.
type rawCodec struct{}

// Marshal implements encoding.Codec.
func (rawCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil } //nolint:forcetypeassert // nothing else is sent

// Unmarshal implements encoding.Codec.
func (rawCodec) Unmarshal(b []byte, v any) error {
	*v.(*[]byte) = bytes.Clone(b) //nolint:forcetypeassert // nothing else is received
	return nil
}

// Name implements encoding.Codec.
func (rawCodec) Name() string { return "proto" }

// calls are those that take something.
var calls = []string{
	streams.Streams_Append_FullMethodName,
	streams.Streams_Delete_FullMethodName,
	streams.Streams_Tombstone_FullMethodName,
	streams.Streams_Read_FullMethodName,
	streams.Streams_BatchAppend_FullMethodName,
	persistent.PersistentSubscriptions_Create_FullMethodName,
	persistent.PersistentSubscriptions_Update_FullMethodName,
	persistent.PersistentSubscriptions_Delete_FullMethodName,
	persistent.PersistentSubscriptions_Read_FullMethodName,
	persistent.PersistentSubscriptions_GetInfo_FullMethodName,
	persistent.PersistentSubscriptions_ReplayParked_FullMethodName,
	persistent.PersistentSubscriptions_List_FullMethodName,
}

// FuzzRequests sends anything as the messages of a call. The node must answer, live on, and keep a log that can be read.
func FuzzRequests(f *testing.F) {
	n := start(f, eventnode.Options{MaxAppendSize: 4096})
	cc := connTo(f, n.Addr())
	seedRequests(f)
	var last uint64
	f.Fuzz(func(t *testing.T, method byte, a, b, c []byte) {
		name := calls[int(method)%len(calls)]
		if err := sendBytes(t.Context(), cc, name, a, b, c); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		from := last
		err := readLog(t.Context(), cc, from, func(position uint64, _ fact, _ []byte) error {
			if position < last || position == last && position != from {
				return fmt.Errorf("%d follows %d", position, last)
			}
			last = position
			return nil
		})
		if err != nil {
			t.Fatalf("read the log from %d: %v", from, err)
		}
	})
}

// sendBytes makes a call and takes the first answer. An error says that there was none in time, or one that nobody may get.
func sendBytes(ctx context.Context, cc *grpc.ClientConn, method string, frames ...[]byte) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second) // a node that hangs, never reached otherwise
	defer cancel()
	switch method {
	case streams.Streams_Append_FullMethodName, streams.Streams_BatchAppend_FullMethodName,
		persistent.PersistentSubscriptions_Read_FullMethodName:
	default:
		frames = frames[:1]
	}
	desc := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	s, err := cc.NewStream(ctx, desc, method, grpc.ForceCodec(rawCodec{}))
	for _, b := range frames {
		if err == nil {
			err = s.SendMsg(b)
		}
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = s.CloseSend()
	}
	if err == nil {
		var answer []byte
		err = s.RecvMsg(&answer)
	}
	if code := status.Code(err); code == codes.DeadlineExceeded || code == codes.Unavailable || code == codes.DataLoss {
		return err
	}
	return nil
}

func seedRequests(f *testing.F) {
	f.Helper()
	wire := func(m proto.Message) []byte {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		return b
	}
	none, name := &shared.Empty{}, &shared.StreamIdentifier{StreamName: []byte("s")}
	id := &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{MostSignificantBits: 1, LeastSignificantBits: -2}}}
	meta := map[string]string{"type": "noted", "content-type": "application/json"}
	options := wire(&streams.AppendReq{Content: &streams.AppendReq_Options_{Options: &streams.AppendReq_Options{
		StreamIdentifier: name, ExpectedStreamRevision: &streams.AppendReq_Options_Any{Any: none},
	}}})
	event := wire(&streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: &streams.AppendReq_ProposedMessage{
		Id: id, Metadata: meta, Data: []byte(`{"$tb":3}`), CustomMetadata: []byte("{}"),
	}}})
	f.Add(byte(0), options, event, event)
	f.Add(byte(0), event, options, []byte{})
	f.Add(byte(1), wire(&streams.DeleteReq{Options: &streams.DeleteReq_Options{
		StreamIdentifier: name, ExpectedStreamRevision: &streams.DeleteReq_Options_Revision{Revision: 1 << 63},
	}}), []byte{}, []byte{})
	f.Add(byte(2), wire(&streams.TombstoneReq{Options: &streams.TombstoneReq_Options{
		StreamIdentifier: name, ExpectedStreamRevision: &streams.TombstoneReq_Options_StreamExists{StreamExists: none},
	}}), []byte{}, []byte{})
	for _, all := range []bool{true, false} {
		o := &streams.ReadReq_Options{
			CountOption: &streams.ReadReq_Options_Count{Count: 3},
			UuidOption:  &streams.ReadReq_Options_UUIDOption{Content: &streams.ReadReq_Options_UUIDOption_String_{String_: none}},
		}
		if all {
			o.StreamOption = &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{
				AllOption: &streams.ReadReq_Options_AllOptions_Position{Position: &streams.ReadReq_Options_Position{CommitPosition: 64, PreparePosition: 64}},
			}}
			o.FilterOption = &streams.ReadReq_Options_Filter{Filter: &streams.ReadReq_Options_FilterOptions{
				Filter:                       &streams.ReadReq_Options_FilterOptions_EventType{EventType: &streams.ReadReq_Options_FilterOptions_Expression{Regex: "^n"}},
				Window:                       &streams.ReadReq_Options_FilterOptions_Max{Max: 32},
				CheckpointIntervalMultiplier: 1,
			}}
			o.CountOption = &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}}
		} else {
			o.StreamOption = &streams.ReadReq_Options_Stream{Stream: &streams.ReadReq_Options_StreamOptions{
				StreamIdentifier: name, RevisionOption: &streams.ReadReq_Options_StreamOptions_Revision{Revision: 1},
			}}
			o.ReadDirection = streams.ReadReq_Options_Backwards
			o.FilterOption = &streams.ReadReq_Options_NoFilter{NoFilter: none}
		}
		f.Add(byte(3), wire(&streams.ReadReq{Options: o}), []byte{}, []byte{})
	}
	f.Add(byte(4), wire(&streams.BatchAppendReq{
		CorrelationId: id, IsFinal: true,
		Options: &streams.BatchAppendReq_Options{
			StreamIdentifier: name, ExpectedStreamPosition: &streams.BatchAppendReq_Options_StreamPosition{StreamPosition: 4},
		},
		ProposedMessages: []*streams.BatchAppendReq_ProposedMessage{{Id: id, Metadata: meta, Data: []byte("x")}},
	}), []byte{}, []byte{})
	group := &persistent.CreateReq_Options{
		StreamOption: &persistent.CreateReq_Options_All{All: &persistent.CreateReq_AllOptions{
			AllOption:    &persistent.CreateReq_AllOptions_Start{Start: none},
			FilterOption: &persistent.CreateReq_AllOptions_NoFilter{NoFilter: none},
		}},
		GroupName: "g",
		Settings: &persistent.CreateReq_Settings{
			MaxRetryCount: 1, MinCheckpointCount: 1, MaxCheckpointCount: 2, LiveBufferSize: 10, ReadBatchSize: 5, HistoryBufferSize: 10,
			MessageTimeout:  &persistent.CreateReq_Settings_MessageTimeoutMs{MessageTimeoutMs: 10},
			CheckpointAfter: &persistent.CreateReq_Settings_CheckpointAfterMs{CheckpointAfterMs: 10},
		},
	}
	f.Add(byte(5), wire(&persistent.CreateReq{Options: group}), []byte{}, []byte{})
	f.Add(byte(8), wire(&persistent.ReadReq{Content: &persistent.ReadReq_Options_{Options: &persistent.ReadReq_Options{
		StreamOption: &persistent.ReadReq_Options_All{All: none}, GroupName: "g", BufferSize: 2,
		UuidOption: &persistent.ReadReq_Options_UUIDOption{Content: &persistent.ReadReq_Options_UUIDOption_Structured{Structured: none}},
	}}}), wire(&persistent.ReadReq{Content: &persistent.ReadReq_Nack_{Nack: &persistent.ReadReq_Nack{
		Ids: []*shared.UUID{id}, Action: persistent.ReadReq_Nack_Park,
	}}}), []byte{0x12, 0x00})
	f.Add(byte(10), wire(&persistent.ReplayParkedReq{Options: &persistent.ReplayParkedReq_Options{
		GroupName: "g", StreamOption: &persistent.ReplayParkedReq_Options_All{All: none},
		StopAtOption: &persistent.ReplayParkedReq_Options_StopAt{StopAt: 1},
	}}), []byte{}, []byte{})
}
