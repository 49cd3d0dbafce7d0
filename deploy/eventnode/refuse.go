package eventnode

import (
	"context"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/projections"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
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
		mine.Streams = append(mine.Streams, grpc.StreamDesc{StreamName: m.MethodName, Handler: refusal})
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

// Update implements the service by refusing.
func (s *persistentService) Update(context.Context, *persistent.UpdateReq) (*persistent.UpdateResp, error) {
	return nil, refuse(persistentFeature)
}

// Read implements the service by refusing.
func (s *persistentService) Read(persistent.PersistentSubscriptions_ReadServer) error {
	return refuse(persistentFeature)
}

// GetInfo implements the service by refusing.
func (s *persistentService) GetInfo(context.Context, *persistent.GetInfoReq) (*persistent.GetInfoResp, error) {
	return nil, refuse(persistentFeature)
}

// ReplayParked implements the service by refusing.
func (s *persistentService) ReplayParked(context.Context, *persistent.ReplayParkedReq) (*persistent.ReplayParkedResp, error) {
	return nil, refuse(persistentFeature)
}

// List implements the service by refusing.
func (s *persistentService) List(context.Context, *persistent.ListReq) (*persistent.ListResp, error) {
	return nil, refuse(persistentFeature)
}

// RestartSubsystem implements the service by refusing.
func (s *persistentService) RestartSubsystem(context.Context, *shared.Empty) (*shared.Empty, error) {
	return nil, refuse(persistentFeature)
}
