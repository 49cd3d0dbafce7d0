package eventnode

import (
	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/projections"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// registerRefusals answers the services that the node leaves out with their name, so that whoever
// meets one knows that it is left out on purpose.
func registerRefusals(s *grpc.Server) {
	refuseAll(s, &persistent.PersistentSubscriptions_ServiceDesc, "Persistent subscriptions")
	refuseAll(s, &projections.Projections_ServiceDesc, "Projections")
}

func refuseAll(s *grpc.Server, desc *grpc.ServiceDesc, feature string) {
	refusal := func(any, grpc.ServerStream) error { return refuse(feature) }
	mine := grpc.ServiceDesc{ServiceName: desc.ServiceName, Metadata: desc.Metadata}
	for _, m := range desc.Methods {
		mine.Streams = append(mine.Streams, grpc.StreamDesc{StreamName: m.MethodName, Handler: refusal})
	}
	for _, m := range desc.Streams {
		m.Handler = refusal
		mine.Streams = append(mine.Streams, m)
	}
	s.RegisterService(&mine, nil)
}

func refuse(feature string) error {
	return failure(codes.Unimplemented, feature+" are not implemented by this node.")
}

// BatchAppend implements the service by refusing: the official Go client does not use it.
func (s *streamsService) BatchAppend(streams.Streams_BatchAppendServer) error {
	return refuse("Batch appends")
}
