package eventstore_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	"aftercare/commands/eventstore"
	"aftercare/commands/logtest"
	"aftercare/deploy/faultproxy/faultproxytest"
)

// The client pings every 10 s, and a gRPC server with its defaults ends an idle subscription on the third ping. The node must
// take pings as often as every second: four of them, a little more apart, on a connection with nothing but a subscription.
func TestAnIdleSubscriptionSurvivesPings(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", n.options.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()                                     //nolint:errcheck // the test is over
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second)) //nolint:forbidigo // a deadline of the network
	framer := subscribeByHand(t, conn)
	// next returns the next frame that is no formality.
	next := func() http2.Frame {
		t.Helper()
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				t.Fatal("read a frame: ", err)
			}
			switch f := frame.(type) {
			case *http2.GoAwayFrame:
				t.Fatalf("the node ended the connection: %v %s", f.ErrCode, f.DebugData())
			case *http2.SettingsFrame, *http2.WindowUpdateFrame, *http2.HeadersFrame:
			default:
				if p, ok := f.(*http2.PingFrame); ok && !p.IsAck() { // the node's own
					continue
				}
				return f
			}
		}
	}
	for range 2 { // the confirmation, and that it is caught up
		if _, ok := next().(*http2.DataFrame); !ok {
			t.Fatal("the subscription was not confirmed")
		}
	}
	for i := range 4 {
		<-time.After(1100 * time.Millisecond) // the least there is, and some slack
		if err := framer.WritePing(false, [8]byte{byte(i + 1)}); err != nil {
			t.Fatal(err)
		}
		if f, ok := next().(*http2.PingFrame); !ok || f.Data[0] != byte(i+1) {
			t.Fatalf("ping %d was not answered", i)
		}
	}
	log := openLog(t, n.url, logtest.Codec(), eventstore.Options{})
	if _, err := log.Append(t.Context(), "logtest-1", -1, counted(0)); err != nil {
		t.Fatal(err)
	}
	if f, ok := next().(*http2.DataFrame); !ok || !bytes.Contains(f.Data(), []byte("logtest-1")) {
		t.Error("the subscription does not go on")
	}
}

// subscribeByHand subscribes to $all, as the client does.
func subscribeByHand(t *testing.T, conn net.Conn) *http2.Framer {
	t.Helper()
	request, err := proto.Marshal(&streams.ReadReq{Options: &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{
			AllOption: &streams.ReadReq_Options_AllOptions_Start{Start: &shared.Empty{}},
		}},
		CountOption:  &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}},
		FilterOption: &streams.ReadReq_Options_NoFilter{NoFilter: &shared.Empty{}},
		UuidOption: &streams.ReadReq_Options_UUIDOption{
			Content: &streams.ReadReq_Options_UUIDOption_Structured{Structured: &shared.Empty{}},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var headers bytes.Buffer
	encoder := hpack.NewEncoder(&headers)
	for _, h := range [][2]string{
		{":method", "POST"},
		{":scheme", "http"},
		{":path", "/event_store.client.streams.Streams/Read"},
		{":authority", "node"},
		{"content-type", "application/grpc"},
		{"te", "trailers"},
	} {
		if err := encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}); err != nil {
			t.Fatal(err)
		}
	}
	message := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(request))) //nolint:gosec // a few bytes
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	for _, err := range []error{
		framer.WriteSettings(),
		framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: headers.Bytes(), EndHeaders: true}),
		framer.WriteData(1, true, append(message, request...)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return framer
}

// The same with the client itself takes longer than the third of its pings, so only the long run of the faults does it.
func TestAnIdleFollowSurvivesTheClientsPings(t *testing.T) {
	t.Parallel()
	if os.Getenv("AFTERCARE_TEST_FAULTS") == "" {
		t.Skip("takes 45 s: set AFTERCARE_TEST_FAULTS")
	}
	n := newNode(t)
	p := faultproxytest.Listen(t, n.options.Listen)
	log := openLog(t, through(n.url, p), logtest.Codec(), eventstore.Options{})
	followed := follow(t, log)
	fill(t, n, "logtest-1", 1)
	followed.wait(t, 1, 0)
	taken := p.Taken()
	<-time.After(45 * time.Second)
	if _, err := log.Append(t.Context(), "logtest-1", 0, counted(1)); err != nil {
		t.Fatal(err)
	}
	followed.wait(t, 1, 0)
	if p.Taken() > taken+1 {
		t.Errorf("%d connections were made meanwhile", p.Taken()-taken)
	}
}
