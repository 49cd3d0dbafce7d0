package eventstore_test

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

// stub is a server that answers as a test says: for what no real server does when asked.
type stub struct {
	streams.UnimplementedStreamsServer
	serverfeatures.UnimplementedServerFeaturesServer

	addr     string
	appended func(streams.Streams_AppendServer) error
	read     func(*streams.ReadReq, streams.Streams_ReadServer) error

	mu     sync.Mutex
	leader string
}

// start serves until the test ends.
func (s *stub) start(t *testing.T) *stub {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	server := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}))
	streams.RegisterStreamsServer(server, s)
	gossip.RegisterGossipServer(server, gossiper{stub: s})
	serverfeatures.RegisterServerFeaturesServer(server, s)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *stub) url() string { return "esdb://" + s.addr + "?tls=false&gossipTimeout=1" }

func (*stub) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	return &serverfeatures.SupportedMethods{EventStoreServerVersion: "24.10.0"}, nil
}

func (s *stub) Append(stream streams.Streams_AppendServer) error {
	for {
		if _, err := stream.Recv(); err != nil {
			return s.appended(stream)
		}
	}
}

func (s *stub) Read(request *streams.ReadReq, stream streams.Streams_ReadServer) error {
	return s.read(request, stream)
}

// lead makes gossip name a leader, or nobody when addr is "".
func (s *stub) lead(addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leader = addr
}

// gossiper is the stub's gossip, whose method has the name of another.
type gossiper struct {
	gossip.UnimplementedGossipServer
	stub *stub
}

func (g gossiper) Read(context.Context, *shared.Empty) (*gossip.ClusterInfo, error) {
	return g.stub.members(), nil
}

func (s *stub) members() *gossip.ClusterInfo {
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
