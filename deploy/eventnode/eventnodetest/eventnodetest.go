// Package eventnodetest is a server of the event store's protocol that answers as a test says: for what no real server does when
// asked.
package eventnodetest

import (
	"context"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// Stub is the server. Set OnAppend and OnRead, which answer such calls, before it starts, if it is to get any.
type Stub struct {
	streams.UnimplementedStreamsServer
	serverfeatures.UnimplementedServerFeaturesServer

	// OnAppend answers when the whole request was read.
	OnAppend func(streams.Streams_AppendServer) error
	OnRead   func(*streams.ReadReq, streams.Streams_ReadServer) error

	addr string

	mu     sync.Mutex
	leader string
}

// Start serves until the test ends.
func (s *Stub) Start(tb testing.TB) *Stub {
	tb.Helper()
	listener, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s.addr = listener.Addr().String()
	server := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}))
	streams.RegisterStreamsServer(server, s)
	gossip.RegisterGossipServer(server, gossiper{stub: s})
	serverfeatures.RegisterServerFeaturesServer(server, s)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	tb.Cleanup(func() {
		server.Stop()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
	})
	return s
}

// Addr returns host:port.
func (s *Stub) Addr() string { return s.addr }

// URL returns a connection string.
func (s *Stub) URL() string { return "esdb://" + s.addr + "?tls=false&gossipTimeout=1" }

// GetSupportedMethods implements the service: nothing but a version.
func (*Stub) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	return &serverfeatures.SupportedMethods{EventStoreServerVersion: "24.10.0"}, nil
}

// Append implements the service.
func (s *Stub) Append(stream streams.Streams_AppendServer) error {
	for {
		if _, err := stream.Recv(); err != nil {
			return s.OnAppend(stream)
		}
	}
}

// Read implements the service.
func (s *Stub) Read(request *streams.ReadReq, stream streams.Streams_ReadServer) error {
	return s.OnRead(request, stream)
}

// Lead makes gossip name a leader, or nobody when addr is "".
func (s *Stub) Lead(addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leader = addr
}

// gossiper is the stub's gossip, whose method has the name of another.
type gossiper struct {
	gossip.UnimplementedGossipServer
	stub *Stub
}

// Read implements the service.
func (g gossiper) Read(context.Context, *shared.Empty) (*gossip.ClusterInfo, error) {
	return g.stub.members(), nil
}

func (s *Stub) members() *gossip.ClusterInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leader == "" {
		return &gossip.ClusterInfo{Members: []*gossip.MemberInfo{{State: gossip.MemberInfo_Unknown, IsAlive: true, HttpEndPoint: &gossip.EndPoint{}}}}
	}
	host, port, _ := net.SplitHostPort(s.leader)
	number, _ := strconv.ParseUint(port, 10, 16)
	return &gossip.ClusterInfo{Members: []*gossip.MemberInfo{{
		State: gossip.MemberInfo_Leader, IsAlive: true, HttpEndPoint: &gossip.EndPoint{Address: host, Port: uint32(number)},
	}}}
}

// Confirmation is how a subscription begins.
func Confirmation() *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_Confirmation{Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: "1"}}}
}

// CaughtUp says that a subscription has seen everything.
func CaughtUp() *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}}
}

// Event is an event at a position of $all, the only one of its stream. Its payload is an empty object.
func Event(stream, eventType string, position uint64) *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id:               &shared.UUID{Value: &shared.UUID_String_{String_: "00000000-0000-0000-0000-000000000001"}},
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)},
			CommitPosition:   position,
			PreparePosition:  position,
			Metadata:         map[string]string{"type": eventType, "content-type": "application/json", "created": "0"},
			Data:             []byte("{}"), CustomMetadata: []byte("{}"),
		},
		Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: position},
	}}}
}
