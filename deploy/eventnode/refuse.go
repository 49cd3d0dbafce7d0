package eventnode

import (
	"github.com/EventStore/EventStore-Client-Go/v4/protos/projections"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// refuse answers a call that the node leaves out with the name of the feature, so that whoever
// meets it knows that it is left out on purpose.
func refuse(feature string) error {
	return failure(codes.Unimplemented, feature+" are not implemented by this node.")
}

// refuseAll registers a service all calls of which are refused.
func refuseAll(s *grpc.Server, desc *grpc.ServiceDesc, feature string) {
	refusal := func(any, grpc.ServerStream) error { return refuse(feature) }
	mine := grpc.ServiceDesc{ServiceName: desc.ServiceName, Metadata: desc.Metadata}
	for _, m := range desc.Methods {
		mine.Streams = append(mine.Streams, grpc.StreamDesc{StreamName: m.MethodName, Handler: refusal, ServerStreams: true}) // or it is not intercepted
	}
	for _, m := range desc.Streams {
		m.Handler = refusal
		mine.Streams = append(mine.Streams, m)
	}
	s.RegisterService(&mine, nil)
}

func registerRefusals(s *grpc.Server) {
	refuseAll(s, &projections.Projections_ServiceDesc, "Projections")
}
