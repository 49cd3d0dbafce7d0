package feed_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"

	"aftercare/projections/feed"
)

// odd is a server that answers every read with what the client does not know.
type odd struct {
	streams.UnimplementedStreamsServer
	serverfeatures.UnimplementedServerFeaturesServer
}

func (odd) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	return &serverfeatures.SupportedMethods{EventStoreServerVersion: "24.10.0"}, nil
}

func (odd) Read(_ *streams.ReadReq, stream streams.Streams_ReadServer) error {
	return stream.Send(&streams.ReadResp{Content: &streams.ReadResp_FirstStreamPosition{FirstStreamPosition: 1}})
}

// The client panics on answers it does not expect, which ended the process.
func TestAPanicOfTheClientIsAnError(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	streams.RegisterStreamsServer(server, odd{})
	serverfeatures.RegisterServerFeaturesServer(server, odd{})
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	log := &feed.Log{URL: "esdb://" + listener.Addr().String() + "?tls=false"}
	if _, err := log.Head(t.Context()); err == nil || !strings.Contains(err.Error(), "client failed") {
		t.Errorf("got %v, want the client's failure", err)
	}
}
