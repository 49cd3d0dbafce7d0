package eventnode_test

import (
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"aftercare/deploy/eventnode"
)

func identifier(stream string) *shared.StreamIdentifier {
	return &shared.StreamIdentifier{StreamName: []byte(stream)}
}

// fromStart lets an update start a group of "s" at the beginning.
var fromStart = &persistent.UpdateReq_Options_Stream{Stream: &persistent.UpdateReq_StreamOptions{
	StreamIdentifier: identifier("s"),
	RevisionOption:   &persistent.UpdateReq_StreamOptions_Start{Start: &shared.Empty{}},
}}

// createRequest asks for a group with settings that are fine, or that change leaves.
func createRequest(stream, group string, change func(*persistent.CreateReq_Settings)) *persistent.CreateReq {
	s := &persistent.CreateReq_Settings{
		HistoryBufferSize: 500, ReadBatchSize: 20, LiveBufferSize: 500, MaxRetryCount: 10, ConsumerStrategy: "RoundRobin",
		MessageTimeout: &persistent.CreateReq_Settings_MessageTimeoutTicks{MessageTimeoutTicks: 300_000_000},
	}
	if change != nil {
		change(s)
	}
	return &persistent.CreateReq{Options: &persistent.CreateReq_Options{
		GroupName: group, Settings: s,
		StreamOption: &persistent.CreateReq_Options_Stream{Stream: &persistent.CreateReq_StreamOptions{
			StreamIdentifier: identifier(stream),
			RevisionOption:   &persistent.CreateReq_StreamOptions_Start{Start: &shared.Empty{}},
		}},
	}}
}

func createAllRequest(group string, commit, prepare uint64) *persistent.CreateReq {
	r := createRequest("", group, nil)
	r.Options.StreamOption = &persistent.CreateReq_Options_All{All: &persistent.CreateReq_AllOptions{
		AllOption: &persistent.CreateReq_AllOptions_Position{
			Position: &persistent.CreateReq_Position{CommitPosition: commit, PreparePosition: prepare},
		},
		FilterOption: &persistent.CreateReq_AllOptions_NoFilter{NoFilter: &shared.Empty{}},
	}}
	return r
}

// failure is an error as clients see it.
type failure struct {
	Code                             codes.Code
	Exception, Stream, Group, Reason string
}

func failed(err error, trailers metadata.MD) failure {
	first := func(key string) string { return strings.Join(trailers.Get(key), "|") }
	return failure{status.Code(err), first("exception"), first("stream-name"), first("group-name"), first("reason")}
}

// connectTo opens a call of Read for a group of the stream "s" and returns its first answer.
func connectTo(tb testing.TB, cc *grpc.ClientConn, group string) (persistent.PersistentSubscriptions_ReadClient, *persistent.ReadResp, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	tb.Cleanup(cancel)
	call, err := persistent.NewPersistentSubscriptionsClient(cc).Read(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	err = call.Send(&persistent.ReadReq{Content: &persistent.ReadReq_Options_{Options: &persistent.ReadReq_Options{
		GroupName: group, BufferSize: 10,
		StreamOption: &persistent.ReadReq_Options_StreamIdentifier{StreamIdentifier: identifier("s")},
		UuidOption: &persistent.ReadReq_Options_UUIDOption{
			Content: &persistent.ReadReq_Options_UUIDOption_String_{String_: &shared.Empty{}},
		},
	}}})
	if err != nil {
		tb.Fatal(err)
	}
	first, err := call.Recv()
	return call, first, err
}

func TestRequestsThatAreRefusedSayWhy(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	cc := conn(t, n)
	c := persistent.NewPersistentSubscriptionsClient(cc)
	put(t, connect(t, n), "s", esdb.Any{}, events("0", "1")...)
	if _, err := c.Create(t.Context(), createRequest("s", "g", func(s *persistent.CreateReq_Settings) { s.MaxSubscriberCount = 1 })); err != nil {
		t.Fatal(err)
	}
	if _, first, err := connectTo(t, cc, "g"); err != nil || first.GetSubscriptionConfirmation().GetSubscriptionId() != "s::g" {
		t.Fatalf("got %v and %v, want a confirmation of s::g", first, err)
	}
	create := func(r *persistent.CreateReq) func(...grpc.CallOption) error {
		return func(o ...grpc.CallOption) error { _, err := c.Create(t.Context(), r, o...); return err }
	}
	set := func(change func(*persistent.CreateReq_Settings)) func(...grpc.CallOption) error {
		return create(createRequest("s", "bad", change))
	}
	const fails = "persistent-subscription-failed"
	for name, tc := range map[string]struct {
		call func(...grpc.CallOption) error
		want failure
	}{
		"it exists": {create(createRequest("s", "g", nil)), failure{codes.AlreadyExists, "persistent-subscription-exists", "s", "g", ""}},
		"a batch as large as the buffer": {
			set(func(s *persistent.CreateReq_Settings) { s.ReadBatchSize = 500 }),
			failure{codes.Internal, fails, "s", "bad", "ReadBatchSize may not be greater than or equal to BufferSize"},
		},
		"an unknown strategy": {
			set(func(s *persistent.CreateReq_Settings) { s.ConsumerStrategy = "Best" }),
			failure{codes.Internal, fails, "s", "bad", "Consumer strategy Best does not exist."},
		},
		"no stream":      {create(createRequest("", "bad", nil)), failure{codes.Internal, fails, "", "bad", "Bad stream name."}},
		"$all as stream": {create(createRequest("$all", "bad", nil)), failure{codes.Internal, fails, "$all", "bad", "Persistent subscriptions to $all are only supported over gRPC through gRPC clients"}},
		"a start behind the end": {
			create(createAllRequest("bad", 1<<40, 1<<40)),
			failure{codes.Internal, fails, "$all", "bad", "Invalid Start From position: commit position must be less than or equal to the last commit position in the transaction file."},
		},
		"prepare behind commit": {
			create(createAllRequest("bad", 64, 65)),
			failure{codes.Internal, fails, "$all", "bad", "Invalid Start From position: prepare position must be less than or equal to the commit position."},
		},
		"no event there": {
			create(createAllRequest("bad", 66, 66)),
			failure{codes.Internal, fails, "$all", "bad", "Invalid Start From position: no event stands there."},
		},
		"update what is not there": {
			func(o ...grpc.CallOption) error {
				_, err := c.Update(t.Context(), &persistent.UpdateReq{Options: &persistent.UpdateReq_Options{
					StreamOption: fromStart, GroupName: "none", Settings: &persistent.UpdateReq_Settings{HistoryBufferSize: 10},
				}}, o...)
				return err
			},
			failure{codes.NotFound, "persistent-subscription-does-not-exist", "s", "none", ""},
		},
		"replay to a negative revision": {
			func(o ...grpc.CallOption) error {
				_, err := c.ReplayParked(t.Context(), &persistent.ReplayParkedReq{Options: &persistent.ReplayParkedReq_Options{
					StreamOption: &persistent.ReplayParkedReq_Options_StreamIdentifier{StreamIdentifier: identifier("s")},
					GroupName:    "g", StopAtOption: &persistent.ReplayParkedReq_Options_StopAt{StopAt: -1},
				}}, o...)
				return err
			},
			failure{codes.Internal, fails, "s", "g", "Cannot stop replaying parked message at a negative version."},
		},
		"groups of a stream without any": {
			func(o ...grpc.CallOption) error {
				_, err := c.List(t.Context(), &persistent.ListReq{Options: &persistent.ListReq_Options{
					ListOption: &persistent.ListReq_Options_ListForStream{ListForStream: &persistent.ListReq_StreamOption{
						StreamOption: &persistent.ListReq_StreamOption_Stream{Stream: identifier("lonely")},
					}},
				}}, o...)
				return err
			},
			failure{codes.NotFound, "persistent-subscription-does-not-exist", "lonely", "", ""},
		},
	} {
		var trailers metadata.MD
		err := tc.call(grpc.Trailer(&trailers))
		if diff := cmp.Diff(tc.want, failed(err, trailers)); diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	call, _, err := connectTo(t, cc, "g")
	if diff := cmp.Diff(failure{codes.FailedPrecondition, "maximum-subscribers-reached", "s", "g", ""}, failed(err, call.Trailer())); diff != "" {
		t.Errorf("a consumer too many (-want +got):\n%s", diff)
	}
	call, _, err = connectTo(t, cc, "none")
	if diff := cmp.Diff(failure{codes.NotFound, "persistent-subscription-does-not-exist", "s", "none", ""}, failed(err, call.Trailer())); diff != "" {
		t.Errorf("a group that is not there (-want +got):\n%s", diff)
	}
}

func TestConsumersAreToldWhyTheyAreDropped(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	cc := conn(t, n)
	c := persistent.NewPersistentSubscriptionsClient(cc)
	drop := map[string]func() error{
		"updated": func() error {
			_, err := c.Update(t.Context(), &persistent.UpdateReq{Options: &persistent.UpdateReq_Options{
				StreamOption: fromStart, GroupName: "updated", Settings: &persistent.UpdateReq_Settings{HistoryBufferSize: 10},
			}})
			return err
		},
		"deleted": func() error {
			_, err := c.Delete(t.Context(), &persistent.DeleteReq{Options: &persistent.DeleteReq_Options{
				StreamOption: &persistent.DeleteReq_Options_StreamIdentifier{StreamIdentifier: identifier("s")}, GroupName: "deleted",
			}})
			return err
		},
	}
	for group, want := range map[string]failure{
		"updated": {codes.Canceled, "persistent-subscription-dropped", "s", "updated", ""},
		"deleted": {codes.NotFound, "persistent-subscription-does-not-exist", "s", "deleted", ""},
	} {
		if _, err := c.Create(t.Context(), createRequest("s", group, nil)); err != nil {
			t.Fatal(err)
		}
		call, _, err := connectTo(t, cc, group)
		if err != nil {
			t.Fatal(err)
		}
		if err := drop[group](); err != nil {
			t.Fatalf("%s: %v", group, err)
		}
		_, err = call.Recv()
		if diff := cmp.Diff(want, failed(err, call.Trailer())); diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", group, err, diff)
		}
	}
}

func TestRequestsOfOldClientsAreUnderstood(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	cc := conn(t, n)
	put(t, connect(t, n), "s", esdb.Any{}, events(numbers(0, 4)...)...)
	r := createRequest("", "g", func(s *persistent.CreateReq_Settings) {
		s.ConsumerStrategy, s.Revision = "", 2 //nolint:staticcheck // this is what they send
	})
	r.Options.StreamOption = nil
	r.Options.StreamIdentifier = identifier("s") //nolint:staticcheck // as above
	if _, err := persistent.NewPersistentSubscriptionsClient(cc).Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	call, _, err := connectTo(t, cc, "g")
	if err != nil {
		t.Fatal(err)
	}
	first, err := call.Recv()
	if err != nil || first.GetEvent().GetEvent().GetStreamRevision() != 2 || first.GetEvent().GetEvent().GetId().GetString_() == "" {
		t.Errorf("got %v and %v, want revision 2 with an id as text", first, err)
	}
	if i := info(t, connect(t, n), "s"); i.Settings.ConsumerStrategyName != esdb.ConsumerStrategyDispatchToSingle {
		t.Errorf("got strategy %s, want the default of old clients", i.Settings.ConsumerStrategyName)
	}
}

func TestCorrelatedEventsStayWithTheirConsumer(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	cc := conn(t, n)
	c := connect(t, n)
	correlations := []string{"red", "green", "blue", "white", "black"}
	var all []esdb.EventData
	for _, id := range append(correlations, correlations...) {
		e := event(id)
		e.Metadata = []byte(`{"$causationId":"x","$correlationId":"` + id + `"}`)
		all = append(all, e)
	}
	put(t, c, "s", esdb.Any{}, all...)
	r := createRequest("s", "g", func(s *persistent.CreateReq_Settings) { s.ConsumerStrategy = "PinnedByCorrelation" })
	if _, err := persistent.NewPersistentSubscriptionsClient(cc).Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	// The second consumer takes over its share, though the first still has events of it in hand.
	a := consume(t, c, "s", "g", 5)
	a.wants(correlations...)
	b := consume(t, c, "s", "g", 10)
	owned := map[string]bool{}
	got, _ := b.take(2)
	for _, id := range got {
		owned[id] = true
	}
	if len(owned) != 2 {
		t.Fatalf("the second consumer got %v, want its share of two correlations", got)
	}
	if i := info(t, c, "s"); i.Stats.TotalInFlightMessages != 7 || i.Stats.ReadBufferCount != 3 {
		t.Errorf("%d in flight and %d waiting, want 7 and 3", i.Stats.TotalInFlightMessages, i.Stats.ReadBufferCount)
	}
}

func TestAnAnswerThatMakesNoSenseEndsTheConsumer(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	cc := conn(t, n)
	if _, err := persistent.NewPersistentSubscriptionsClient(cc).Create(t.Context(), createRequest("s", "g", nil)); err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*persistent.ReadReq{
		"no content": {},
		"no id":      {Content: &persistent.ReadReq_Ack_{Ack: &persistent.ReadReq_Ack{Ids: []*shared.UUID{{}}}}},
		"no action":  {Content: &persistent.ReadReq_Nack_{Nack: &persistent.ReadReq_Nack{Action: 99}}},
	} {
		call, _, err := connectTo(t, cc, "g")
		if err != nil {
			t.Fatal(err)
		}
		if err := call.Send(m); err != nil {
			t.Fatal(err)
		}
		if _, err := call.Recv(); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: got %v, want INVALID_ARGUMENT", name, err)
		}
	}
}

func TestNamesThatAreNotTextBreakNothing(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	cc, c := conn(t, n), connect(t, n)
	if _, err := persistent.NewPersistentSubscriptionsClient(cc).Create(t.Context(), createRequest("\xff", "g", nil)); status.Code(err) != codes.Internal {
		t.Errorf("a group of a stream with such a name: got %v, want a refusal", err)
	}
	group(t, c, "s", "g", esdb.Start{}, nil)
	listens(t, n, "s", "caf\xe9")
	if i := info(t, c, "s"); len(i.Connections) != 1 || i.Connections[0].ConnectionName != "caf\uFFFD" {
		t.Errorf("got %v, want one consumer and its name", i.Connections)
	}
	if got := get(t, browser(t, nil), http.MethodGet, "http://"+n.Addr()+"/metrics", "", ""); got.status != http.StatusOK {
		t.Errorf("metrics: got %v", got)
	}
}

// listens lets a client that sends whatever it likes consume the group "g" of a stream.
func listens(tb testing.TB, n *eventnode.Node, stream, name string) {
	tb.Helper()
	m, err := proto.Marshal(&persistent.ReadReq{Content: &persistent.ReadReq_Options_{Options: &persistent.ReadReq_Options{
		StreamOption: &persistent.ReadReq_Options_StreamIdentifier{StreamIdentifier: identifier(stream)}, GroupName: "g", BufferSize: 1,
	}}})
	if err != nil {
		tb.Fatal(err)
	}
	body, said := io.Pipe()
	ctx, cancel := context.WithCancel(tb.Context())
	address := "http://" + n.Addr() + persistent.PersistentSubscriptions_Read_FullMethodName
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, body)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}, "Connection-Name": {name}}
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	go func() { _, _ = said.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))), m...)) }() //nolint:gosec // small
	res, err := transport.RoundTrip(req)                                                                      // the group has confirmed
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		cancel()
		_ = res.Body.Close()
		transport.CloseIdleConnections()
	})
}
