package eventnode_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/projections"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"aftercare/deploy/eventnode"
)

func conn(tb testing.TB, n *eventnode.Node) *grpc.ClientConn {
	tb.Helper()
	return connTo(tb, n.Addr())
}

func connTo(tb testing.TB, addr string) *grpc.ClientConn {
	tb.Helper()
	cc, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = cc.Close() })
	return cc
}

func TestDiscoveryFindsTheAdvertisedNode(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	c := dial(t, strings.Replace(n.URL(), "esdb://", "esdb+discover://", 1))
	put(t, c, "s", esdb.NoStream{}, event("found"))
	version, err := c.GetServerVersion()
	if err != nil || version.Major != 24 || version.Minor != 10 {
		t.Errorf("got version %v and %v", version, err)
	}

	named := start(t, eventnode.Options{Advertise: "events.example:2113"})
	info, err := gossip.NewGossipClient(conn(t, named)).Read(t.Context(), &shared.Empty{})
	if err != nil || len(info.GetMembers()) != 1 {
		t.Fatalf("got %v and %v", info, err)
	}
	m := info.GetMembers()[0]
	if m.GetHttpEndPoint().GetAddress() != "events.example" || m.GetHttpEndPoint().GetPort() != 2113 ||
		m.GetState() != gossip.MemberInfo_Leader || !m.GetIsAlive() {
		t.Errorf("got %v", m)
	}
}

func TestWhatIsLeftOutSaysSo(t *testing.T) {
	t.Parallel()
	cc := conn(t, start(t, eventnode.Options{}))
	calls := map[string]func(context.Context) error{
		"Projections": func(ctx context.Context) error {
			_, err := projections.NewProjectionsClient(cc).Create(ctx, &projections.CreateReq{})
			return err
		},
	}
	for feature, call := range calls {
		t.Run(feature, func(t *testing.T) {
			t.Parallel()
			err := call(t.Context())
			if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), feature) {
				t.Errorf("got %v, want a refusal that names %s", err, feature)
			}
		})
	}
}

func TestOversizeAppendIsRefusedWhole(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{MaxAppendSize: 10_000})
	c := connect(t, n)
	batch := make([]esdb.EventData, 500)
	for i := range batch {
		batch[i] = event(strings.Repeat("x", 10_000))
	}
	_, err := c.AppendToStream(t.Context(), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, batch...)
	var e *esdb.Error
	if !errors.As(err, &e) || status.Code(e.Err()) != codes.InvalidArgument || !strings.Contains(err.Error(), "Maximum Append Size of 10000 Exceeded.") {
		t.Errorf("got %v, want the limit", err)
	}
	if _, err := readStream(t, c, "s", forwards()); code(err) != esdb.ErrorCodeResourceNotFound {
		t.Errorf("got %v, want nothing stored", err)
	}
}

// send makes a raw Append of one event and returns the error and its trailers.
func send(tb testing.TB, cc *grpc.ClientConn, stream string, m *streams.AppendReq_ProposedMessage) (metadata.MD, error) {
	tb.Helper()
	s, err := streams.NewStreamsClient(cc).Append(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	for _, req := range []*streams.AppendReq{
		{Content: &streams.AppendReq_Options_{Options: &streams.AppendReq_Options{
			StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte(stream)},
			ExpectedStreamRevision: &streams.AppendReq_Options_Any{Any: &shared.Empty{}},
		}}},
		{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: m}},
	} {
		if err := s.Send(req); err != nil {
			tb.Fatalf("the node ended the call before it had read it: %v", err)
		}
	}
	_, err = s.CloseAndRecv()
	return s.Trailer(), err
}

func TestNothingOfAnAppendIsLeftOutInSilence(t *testing.T) {
	t.Parallel()
	cc := conn(t, start(t, eventnode.Options{}))
	options := &streams.AppendReq{Content: &streams.AppendReq_Options_{Options: &streams.AppendReq_Options{
		StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte("s")},
		ExpectedStreamRevision: &streams.AppendReq_Options_Any{Any: &shared.Empty{}},
	}}}
	proposed := &streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: &streams.AppendReq_ProposedMessage{
		Id: stringID(), Metadata: map[string]string{"type": "noted", "content-type": "x"},
	}}}
	for name, messages := range map[string][]*streams.AppendReq{
		"nothing":                   {},
		"an event in front":         {proposed, options, proposed},
		"options twice":             {options, proposed, options, proposed},
		"a message without content": {options, proposed, {}},
	} {
		s, err := streams.NewStreamsClient(cc).Append(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			if err := s.Send(m); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.CloseAndRecv(); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: got %v and %v, want a refusal", name, got, err)
		}
	}
}

func TestBadAppends(t *testing.T) {
	t.Parallel()
	cc := conn(t, start(t, eventnode.Options{}))
	id := &shared.UUID{Value: &shared.UUID_String_{String_: uuid.NewString()}}
	good := map[string]string{"type": "noted", "content-type": "application/json"}
	for name, tc := range map[string]struct {
		stream    string
		message   *streams.AppendReq_ProposedMessage
		code      codes.Code
		exception string
	}{
		"good":            {"s", &streams.AppendReq_ProposedMessage{Id: id, Metadata: good}, codes.OK, ""},
		"no type":         {"s", &streams.AppendReq_ProposedMessage{Id: id, Metadata: map[string]string{"content-type": "x"}}, codes.InvalidArgument, "missing-required-metadata-property"},
		"no content type": {"s", &streams.AppendReq_ProposedMessage{Id: id, Metadata: map[string]string{"type": "x"}}, codes.InvalidArgument, "missing-required-metadata-property"},
		"no id":           {"s", &streams.AppendReq_ProposedMessage{Metadata: good}, codes.InvalidArgument, ""},
		"no name":         {"", &streams.AppendReq_ProposedMessage{Id: id, Metadata: good}, codes.Unknown, ""},
		"empty metaname":  {"$$", &streams.AppendReq_ProposedMessage{Id: id, Metadata: good}, codes.Unknown, ""},
		"$all":            {"$all", &streams.AppendReq_ProposedMessage{Id: id, Metadata: good}, codes.PermissionDenied, "access-denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trailers, err := send(t, cc, tc.stream, tc.message)
			if status.Code(err) != tc.code || strings.Join(trailers.Get("exception"), "") != tc.exception {
				t.Errorf("got %v with %v, want %v with %q", err, trailers, tc.code, tc.exception)
			}
		})
	}
}

func TestBadReads(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	cc := conn(t, n)
	put(t, connect(t, n), "s", esdb.Any{}, events("0")...)
	none := &shared.Empty{}
	structured := &streams.ReadReq_Options_UUIDOption{Content: &streams.ReadReq_Options_UUIDOption_Structured{Structured: none}}
	all := &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_Start{Start: none}}}
	stream := &streams.ReadReq_Options_Stream{Stream: &streams.ReadReq_Options_StreamOptions{
		StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte("s")},
		RevisionOption:   &streams.ReadReq_Options_StreamOptions_End{End: none},
	}}
	count := &streams.ReadReq_Options_Count{Count: 1}
	subscription := &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}}
	noFilter := &streams.ReadReq_Options_NoFilter{NoFilter: none}
	filter := func(regex string, window, multiplier uint32) *streams.ReadReq_Options_Filter {
		return &streams.ReadReq_Options_Filter{Filter: &streams.ReadReq_Options_FilterOptions{
			Filter: &streams.ReadReq_Options_FilterOptions_EventType{EventType: &streams.ReadReq_Options_FilterOptions_Expression{Regex: regex}},
			Window: &streams.ReadReq_Options_FilterOptions_Max{Max: window}, CheckpointIntervalMultiplier: multiplier,
		}}
	}
	position := &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_Position{
		Position: &streams.ReadReq_Options_Position{CommitPosition: 64, PreparePosition: 65},
	}}}
	backwards := streams.ReadReq_Options_Backwards
	for name, tc := range map[string]struct {
		o    *streams.ReadReq_Options
		code codes.Code
	}{
		"good":                   {&streams.ReadReq_Options{StreamOption: all, CountOption: count, FilterOption: noFilter, UuidOption: structured}, codes.OK},
		"filtered count":         {&streams.ReadReq_Options{StreamOption: all, CountOption: count, FilterOption: filter("noted", 32, 1), UuidOption: structured}, codes.OK},
		"no form of ids":         {&streams.ReadReq_Options{StreamOption: all, CountOption: count, FilterOption: noFilter}, codes.InvalidArgument},
		"filtered stream":        {&streams.ReadReq_Options{StreamOption: stream, CountOption: count, FilterOption: filter("x", 32, 1), UuidOption: structured}, codes.InvalidArgument},
		"backwards subscription": {&streams.ReadReq_Options{StreamOption: all, CountOption: subscription, ReadDirection: backwards, FilterOption: noFilter, UuidOption: structured}, codes.InvalidArgument},
		"neither filter":         {&streams.ReadReq_Options{StreamOption: all, CountOption: count, UuidOption: structured}, codes.InvalidArgument},
		"count 0":                {&streams.ReadReq_Options{StreamOption: all, CountOption: &streams.ReadReq_Options_Count{}, FilterOption: noFilter, UuidOption: structured}, codes.Unknown},
		"bad pattern":            {&streams.ReadReq_Options{StreamOption: all, CountOption: count, FilterOption: filter("(", 32, 1), UuidOption: structured}, codes.InvalidArgument},
		"no window":              {&streams.ReadReq_Options{StreamOption: all, CountOption: subscription, FilterOption: filter("x", 0, 1), UuidOption: structured}, codes.InvalidArgument},
		"multiplier 0":           {&streams.ReadReq_Options{StreamOption: all, CountOption: subscription, FilterOption: filter("x", 32, 0), UuidOption: structured}, codes.Unknown},
		"prepare after commit":   {&streams.ReadReq_Options{StreamOption: position, CountOption: count, FilterOption: noFilter, UuidOption: structured}, codes.Unknown},
		"forwards from the end":  {&streams.ReadReq_Options{StreamOption: stream, CountOption: count, FilterOption: noFilter, UuidOption: structured}, codes.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := streams.NewStreamsClient(cc).Read(t.Context(), &streams.ReadReq{Options: tc.o})
			for err == nil {
				_, err = s.Recv()
			}
			if errors.Is(err, io.EOF) {
				err = nil
			}
			if status.Code(err) != tc.code {
				t.Errorf("got %v, want %v", err, tc.code)
			}
		})
	}
}

func TestConcurrentAppendsToOneStream(t *testing.T) {
	t.Parallel()
	c := node(t)
	const writers, each = 16, 50
	done := make(chan error, writers)
	for w := range writers {
		go func() {
			for i := range each {
				_, err := c.AppendToStream(t.Context(), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, events(fmt.Sprint(w, i), fmt.Sprint(w, i))...)
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	got, err := readStream(t, c, "s", forwards())
	if err != nil || len(got) != 2*writers*each {
		t.Fatalf("got %d events and %v, want %d", len(got), err, 2*writers*each)
	}
	for i, e := range got {
		if e.Event.EventNumber != uint64(i) {
			t.Fatalf("event %d has revision %d", i, e.Event.EventNumber)
		}
		if i%2 == 1 && string(e.Event.Data) != string(got[i-1].Event.Data) {
			t.Fatalf("an append was torn apart at revision %d", i)
		}
	}
}
