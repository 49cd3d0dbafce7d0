package eventnode

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"

	"aftercare/deploy/eventnode/storage"
)

// Version is the server version that the node reports. Clients parse it as three numbers.
const Version = "24.10.0"

// maxMessage is how much larger than an append one message may be.
const maxMessage = 16 << 20

// Bounds of a connection.
const (
	maxStreams    = 10_000           // calls at once, each subscription is one
	streamWorkers = 64               // goroutines that take calls one after another, so that their stacks need not grow for each
	maxHeader     = 64 << 10         // bytes of the headers of a call
	pingTime      = 10 * time.Second // of silence before a client is asked whether it is there, and to answer
)

// newServer returns a gRPC server with the services of n.
func newServer(n *Node) *grpc.Server {
	s := grpc.NewServer(
		grpc.MaxRecvMsgSize(maxMessage+n.opts.MaxAppendSize),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingTime, Timeout: pingTime}),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeader),
		grpc.ConnectionTimeout(helloTime),
		grpc.ForceServerCodecV2(newWireCodec()),
		grpc.ChainStreamInterceptor(streamErrors, n.streamAuth),
	)
	r := registrar{s}
	registerStreams(r, &streamsService{node: n})
	gossip.RegisterGossipServer(r, &gossipService{node: n})
	serverfeatures.RegisterServerFeaturesServer(r, featuresService{})
	persistent.RegisterPersistentSubscriptionsServer(r, &persistentService{node: n})
	registerRefusals(s)
	return s
}

// registrar registers every call as a stream, as which it looks the same to clients: of others the server reads the
// request before anybody can ask for credentials.
type registrar struct{ *grpc.Server }

// RegisterService implements grpc.ServiceRegistrar.
func (r registrar) RegisterService(desc *grpc.ServiceDesc, service any) {
	mine := *desc
	mine.Methods, mine.Streams = nil, slices.Clone(desc.Streams)
	for _, m := range desc.Methods {
		handler := func(srv any, s grpc.ServerStream) error {
			res, err := m.Handler(srv, s.Context(), s.RecvMsg, nil)
			if err != nil {
				return err
			}
			return s.SendMsg(res)
		}
		mine.Streams = append(mine.Streams, grpc.StreamDesc{StreamName: m.MethodName, Handler: handler, ServerStreams: true}) // or it is not intercepted
	}
	r.Server.RegisterService(&mine, service)
}

func streamErrors(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	err := toWire(next(srv, stream))
	if wire, ok := errors.AsType[*wireError](err); ok {
		stream.SetTrailer(wire.trailers)
	}
	return err
}

type featuresService struct {
	serverfeatures.UnimplementedServerFeaturesServer
}

// GetSupportedMethods implements the service by naming what the node serves.
func (featuresService) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	const (
		streamsName = "event_store.client.streams.streams"
		groupsName  = "event_store.client.persistent_subscriptions.persistentsubscriptions"
	)
	method := func(service, name string, features ...string) *serverfeatures.SupportedMethod {
		return &serverfeatures.SupportedMethod{ServiceName: service, MethodName: name, Features: features}
	}
	return &serverfeatures.SupportedMethods{
		EventStoreServerVersion: Version,
		Methods: []*serverfeatures.SupportedMethod{
			method(streamsName, "read", "position", "events"),
			method(streamsName, "append"),
			method(streamsName, "batchappend", "deadline_duration"),
			method(streamsName, "delete"),
			method(streamsName, "tombstone"),
			method(groupsName, "create", "stream", "all"),
			method(groupsName, "update", "stream", "all"),
			method(groupsName, "delete", "stream", "all"),
			method(groupsName, "read", "stream", "all"),
			method(groupsName, "getinfo", "stream", "all"),
			method(groupsName, "replayparked", "stream", "all"),
			method(groupsName, "list", "stream", "all"),
			method(groupsName, "restartsubsystem", "stream", "all"),
			method("event_store.client.gossip.gossip", "read"),
			method("event_store.client.server_features.serverfeatures", "getsupportedmethods"),
		},
	}, nil
}

type gossipService struct {
	gossip.UnimplementedGossipServer
	node *Node
}

// Read implements the service: one member, which leads.
func (s *gossipService) Read(context.Context, *shared.Empty) (*gossip.ClusterInfo, error) {
	host, port, err := net.SplitHostPort(s.node.advertise())
	if err != nil {
		return nil, failure(codes.Internal, err.Error())
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, failure(codes.Internal, err.Error())
	}
	return &gossip.ClusterInfo{Members: []*gossip.MemberInfo{{
		InstanceId:   structuredID(s.node.store.ID()),
		TimeStamp:    storage.Ticks(s.node.opts.Now()),
		State:        gossip.MemberInfo_Leader,
		IsAlive:      true,
		HttpEndPoint: &gossip.EndPoint{Address: host, Port: uint32(number)},
	}}}, nil
}
