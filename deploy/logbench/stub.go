package main

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	protobuf "google.golang.org/protobuf/proto"
)

// stub is a server that stores nothing. It acknowledges every append as soon as it has read it, and streams one event, encoded once,
// again and again: nothing that speaks this protocol to this client through this library does less.
type stub struct {
	streams.UnimplementedStreamsServer
	serverfeatures.UnimplementedServerFeaturesServer
	events  int // in $all
	message encoded
}

// encoded is a message as it is on the wire.
type encoded []byte

// passing is the standard codec that leaves what is encoded as it is.
type passing struct{ encoding.CodecV2 }

// Marshal implements encoding.CodecV2.
func (c passing) Marshal(v any) (mem.BufferSlice, error) {
	if b, ok := v.(encoded); ok {
		return mem.BufferSlice{mem.SliceBuffer(b)}, nil
	}
	return c.CodecV2.Marshal(v)
}

// serveStub serves until ctx ends.
func serveStub(ctx context.Context, events int, ready func(url string)) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &stub{events: events}
	if s.message, err = stubEvent(); err != nil {
		return err
	}
	g := grpc.NewServer(
		grpc.ForceServerCodecV2(passing{encoding.GetCodecV2(proto.Name)}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	)
	streams.RegisterStreamsServer(g, s)
	serverfeatures.RegisterServerFeaturesServer(g, s)
	var serving sync.WaitGroup
	served := make(chan error, 1)
	serving.Go(func() { served <- g.Serve(listener) })
	ready("esdb://" + listener.Addr().String() + "?tls=false")
	<-ctx.Done()
	g.Stop()
	serving.Wait()
	return <-served
}

// stubEvent encodes an event like those of the other contenders.
func stubEvent() (encoded, error) {
	position := uint64(1) << 30
	return protobuf.Marshal(&streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id: &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
				MostSignificantBits: 0x0123456789abcdef, LeastSignificantBits: 0x0123456789abcdef,
			}}},
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(streamName(1, 1))},
			StreamRevision:   1 << 20, PreparePosition: position, CommitPosition: position,
			Metadata:       map[string]string{"type": eventType, "created": "17672000000000000", "content-type": "application/json"},
			CustomMetadata: metadata, Data: payload,
		},
		Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: position},
	}}})
}

// GetSupportedMethods implements the service; clients ask for the version first.
func (s *stub) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	return &serverfeatures.SupportedMethods{EventStoreServerVersion: "24.10.0"}, nil
}

// Append implements the service.
func (s *stub) Append(stream streams.Streams_AppendServer) error {
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	return stream.SendAndClose(&streams.AppendResp{Result: &streams.AppendResp_Success_{Success: &streams.AppendResp_Success{
		CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{CurrentRevision: 1},
		PositionOption: &streams.AppendResp_Success_Position{Position: &streams.AppendResp_Position{
			CommitPosition: 1 << 30, PreparePosition: 1 << 30,
		}},
	}}})
}

// Read implements the service.
func (s *stub) Read(req *streams.ReadReq, stream streams.Streams_ReadServer) error {
	subscription := req.GetOptions().GetSubscription() != nil
	if subscription {
		if err := stream.Send(&streams.ReadResp{Content: &streams.ReadResp_Confirmation{
			Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: "stub"},
		}}); err != nil {
			return err
		}
	}
	for range s.events {
		if err := stream.SendMsg(s.message); err != nil {
			return err
		}
	}
	if !subscription {
		return nil
	}
	if err := stream.Send(&streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}
