package eventnode_test

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"aftercare/deploy/eventnode"
	"aftercare/deploy/eventnode/crashtest"
	"aftercare/deploy/eventnode/storage"
)

// batches is one call of BatchAppend.
type batches struct {
	testing.TB
	stream streams.Streams_BatchAppendClient
}

func openBatches(tb testing.TB, cc *grpc.ClientConn) batches {
	tb.Helper()
	s, err := streams.NewStreamsClient(cc).BatchAppend(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return batches{tb, s}
}

func (b batches) send(req *streams.BatchAppendReq) {
	b.Helper()
	if err := b.stream.Send(req); err != nil {
		b.Fatalf("send: %v", err)
	}
}

func (b batches) recv() *streams.BatchAppendResp {
	b.Helper()
	r, err := b.stream.Recv()
	if err != nil {
		b.Fatalf("receive: %v", err)
	}
	return r
}

// fails receives the failure of a batch and unpacks its details.
func (b batches) fails(correlation *shared.UUID) (*status.Status, any) {
	b.Helper()
	r := b.recv()
	if !proto.Equal(correlation, r.GetCorrelationId()) || r.GetError() == nil {
		b.Fatalf("got %v, want a failure of %v", r, correlation)
	}
	s := status.FromProto(r.GetError())
	if len(s.Details()) != 1 {
		b.Fatalf("got %v, want one detail", s)
	}
	return s, s.Details()[0]
}

func stringID() *shared.UUID {
	return &shared.UUID{Value: &shared.UUID_String_{String_: uuid.NewString()}}
}

func part(correlation *shared.UUID, o *streams.BatchAppendReq_Options, final bool, data ...string) *streams.BatchAppendReq {
	req := &streams.BatchAppendReq{CorrelationId: correlation, Options: o, IsFinal: final}
	for _, d := range data {
		req.ProposedMessages = append(req.ProposedMessages, &streams.BatchAppendReq_ProposedMessage{
			Id: stringID(), Metadata: map[string]string{"type": "noted", "content-type": "application/octet-stream"}, Data: []byte(d),
		})
	}
	return req
}

func toStream(name string) *streams.BatchAppendReq_Options {
	return &streams.BatchAppendReq_Options{
		StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte(name)},
		ExpectedStreamPosition: &streams.BatchAppendReq_Options_Any{Any: &emptypb.Empty{}},
	}
}

func at(name string, revision uint64) *streams.BatchAppendReq_Options {
	o := toStream(name)
	o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_StreamPosition{StreamPosition: revision}
	return o
}

func TestBatchesArriveInParts(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{Dir: t.TempDir()})
	b := openBatches(t, conn(t, n))
	one, two := stringID(), stringID()
	b.send(part(one, toStream("a"), false, "a0"))
	b.send(part(two, toStream("b"), false, "b0", "b1"))
	b.send(part(one, nil, false, "a1", "a2"))
	b.send(part(two, nil, true, "b2"))
	b.send(part(one, nil, true))
	first, second := b.recv(), b.recv()
	if err := b.stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end", err)
	}
	c := connect(t, n)
	for _, tc := range []struct {
		correlation *shared.UUID
		got         *streams.BatchAppendResp
		stream      string
		want        []string
	}{
		{two, first, "b", []string{"b0", "b1", "b2"}}, // it was complete first
		{one, second, "a", []string{"a0", "a1", "a2"}},
	} {
		got, err := readStream(t, c, tc.stream, forwards())
		if diff := cmp.Diff(tc.want, texts(got)); diff != "" || err != nil {
			t.Fatalf("%s: %v\n%s", tc.stream, err, diff)
		}
		pos := got[2].OriginalEvent().Position
		want := &streams.BatchAppendResp{
			CorrelationId: tc.correlation, StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(tc.stream)},
			Result: &streams.BatchAppendResp_Success_{Success: &streams.BatchAppendResp_Success{
				CurrentRevisionOption: &streams.BatchAppendResp_Success_CurrentRevision{CurrentRevision: 2},
				PositionOption: &streams.BatchAppendResp_Success_Position{
					Position: &shared.AllStreamPosition{CommitPosition: pos.Commit, PreparePosition: pos.Prepare},
				},
			}},
		}
		if diff := cmp.Diff(want, tc.got, protocmp.Transform()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestRefusedBatches(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{MaxAppendSize: 1000})
	c, cc := connect(t, n), conn(t, n)
	put(t, c, "three", esdb.NoStream{}, events("0", "1", "2")...)
	if _, err := c.TombstoneStream(t.Context(), "gone", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Fatal(err)
	}
	exists := toStream("never")
	exists.ExpectedStreamPosition = &streams.BatchAppendReq_Options_StreamExists{StreamExists: &emptypb.Empty{}}
	none := toStream("three")
	none.ExpectedStreamPosition = &streams.BatchAppendReq_Options_NoStream{NoStream: &emptypb.Empty{}}
	unexpected := toStream("three")
	unexpected.ExpectedStreamPosition = nil
	past := toStream("three")
	past.DeadlineOption = &streams.BatchAppendReq_Options_Deadline_21_10_0{Deadline_21_10_0: timestamppb.New(time.Unix(0, 0))}
	noTime := toStream("three")
	noTime.DeadlineOption = &streams.BatchAppendReq_Options_Deadline{Deadline: durationpb.New(0)}
	soon := toStream("three")
	soon.DeadlineOption = &streams.BatchAppendReq_Options_Deadline{Deadline: durationpb.New(time.Millisecond)}
	untyped := part(nil, toStream("three"), true, "x")
	untyped.ProposedMessages[0].Metadata = nil
	empty := &emptypb.Empty{}
	for name, tc := range map[string]struct {
		req    *streams.BatchAppendReq
		code   codes.Code
		text   string
		detail any
	}{
		"wrong revision": {part(nil, at("three", 1), true, "x"), codes.AlreadyExists, "WrongExpectedVersion", &shared.WrongExpectedVersion{
			CurrentStreamRevisionOption:  &shared.WrongExpectedVersion_CurrentStreamRevision{CurrentStreamRevision: 2},
			ExpectedStreamPositionOption: &shared.WrongExpectedVersion_ExpectedStreamPosition{ExpectedStreamPosition: 1},
		}},
		"no stream": {part(nil, none, true, "x"), codes.AlreadyExists, "WrongExpectedVersion", &shared.WrongExpectedVersion{
			CurrentStreamRevisionOption:  &shared.WrongExpectedVersion_CurrentStreamRevision{CurrentStreamRevision: 2},
			ExpectedStreamPositionOption: &shared.WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: empty},
		}},
		"stream exists": {part(nil, exists, true, "x"), codes.AlreadyExists, "WrongExpectedVersion", &shared.WrongExpectedVersion{
			CurrentStreamRevisionOption:  &shared.WrongExpectedVersion_CurrentNoStream{CurrentNoStream: empty},
			ExpectedStreamPositionOption: &shared.WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: empty},
		}},
		"tombstoned": {part(nil, toStream("gone"), true, "x"), codes.NotFound, "StreamDeleted", &shared.StreamDeleted{
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte("gone")},
		}},
		"$all":     {part(nil, toStream("$all"), true, "x"), codes.PermissionDenied, "AccessDenied", &shared.AccessDenied{}},
		"large":    {part(nil, toStream("three"), false, strings.Repeat("x", 1000)), codes.InvalidArgument, "MaximumAppendSizeExceeded", &shared.MaximumAppendSizeExceeded{MaxAppendSize: 1000}},
		"expired":  {part(nil, past, true, "x"), codes.DeadlineExceeded, "Timeout", &shared.Timeout{}},
		"no time":  {part(nil, noTime, true, "x"), codes.DeadlineExceeded, "Timeout", &shared.Timeout{}},
		"half":     {part(nil, soon, false, "x"), codes.DeadlineExceeded, "Timeout", &shared.Timeout{}},
		"no type":  {untyped, codes.InvalidArgument, "BadRequest", &shared.BadRequest{Message: "Required metadata property is missing."}},
		"no name":  {part(nil, toStream(""), true, "x"), codes.InvalidArgument, "BadRequest", &shared.BadRequest{Message: "Exception was thrown by handler."}},
		"whatever": {part(nil, unexpected, true, "x"), codes.InvalidArgument, "BadRequest", &shared.BadRequest{Message: "The expected revision is missing."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBatches(t, cc)
			refused, next := stringID(), stringID()
			tc.req.CorrelationId = refused
			b.send(tc.req)
			s, detail := b.fails(refused)
			if s.Code() != tc.code || s.Message() != tc.text {
				t.Errorf("got %v %q, want %v %q", s.Code(), s.Message(), tc.code, tc.text)
			}
			if diff := cmp.Diff(tc.detail, detail, protocmp.Transform()); diff != "" {
				t.Errorf("details (-want +got):\n%s", diff)
			}
			b.send(part(refused, nil, true, "the rest"))
			b.send(part(next, toStream("other"), true, "x"))
			if r := b.recv(); !proto.Equal(r.GetCorrelationId(), next) || r.GetSuccess() == nil {
				t.Errorf("got %v, want that the next batch is stored and the rest of the refused one ignored", r)
			}
		})
	}
}

func TestABatchWithoutACorrelationIsRefused(t *testing.T) {
	t.Parallel()
	b := openBatches(t, conn(t, start(t, eventnode.Options{})))
	b.send(part(nil, toStream("s"), true, "x"))
	if s, _ := b.fails(nil); s.Code() != codes.InvalidArgument {
		t.Errorf("got %v", s)
	}
}

func TestARepeatedBatchIsTheSameAppend(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	b := openBatches(t, conn(t, n))
	for name, o := range map[string]*streams.BatchAppendReq_Options{"weak": toStream("weak"), "strong": toStream("strong")} {
		if name == "strong" {
			o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_NoStream{NoStream: &emptypb.Empty{}}
		}
		req := part(stringID(), o, true, "0", "1")
		b.send(req)
		first := b.recv()
		b.send(part(stringID(), toStream(name), true, "2"))
		b.recv()
		b.send(req)
		if diff := cmp.Diff(first, b.recv(), protocmp.Transform()); diff != "" || first.GetSuccess() == nil {
			t.Errorf("%s: the repeated batch (-first +second):\n%s", name, diff)
		}
		if got, err := readStream(t, connect(t, n), name, forwards()); err != nil || len(got) != 3 {
			t.Errorf("%s: got %d events and %v, want 3", name, len(got), err)
		}
	}
}

// startFaulty runs a node that asks fault before every write but the first, which makes the log.
func startFaulty(tb testing.TB, fault func() error) *eventnode.Node {
	tb.Helper()
	var made atomic.Bool
	return start(tb, eventnode.Options{Files: crashtest.Faulty(func(_ string, op crashtest.Op, _ int) (int, error) {
		if op != crashtest.Write || made.CompareAndSwap(false, true) {
			return -1, nil
		}
		return -1, fault()
	})})
}

// TestTheNextBatchesAreReadWhileEarlierOnesAreWritten stops the disk, sends batches that depend on each other, and
// sees the refusal of one behind them before the disk goes on.
func TestTheNextBatchesAreReadWhileEarlierOnesAreWritten(t *testing.T) {
	t.Parallel()
	disk := make(chan struct{})
	n := startFaulty(t, func() error { <-disk; return nil })
	b := openBatches(t, conn(t, n))
	const count = 300
	var sent []*shared.UUID
	for i := range count {
		o := at("s", uint64(i-1)) //nolint:gosec // the first is replaced
		if i == 0 {
			o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_NoStream{NoStream: &emptypb.Empty{}}
		}
		sent = append(sent, stringID())
		b.send(part(sent[i], o, true, strconv.Itoa(i)))
	}
	bad := stringID()
	b.send(part(bad, toStream("$all"), true, "x"))
	b.fails(bad)
	close(disk)
	for i, id := range sent {
		r := b.recv()
		if !proto.Equal(id, r.GetCorrelationId()) || r.GetSuccess().GetCurrentRevision() != uint64(i) {
			t.Fatalf("answer %d: got %v", i, r)
		}
	}
}

func TestABatchTimesOutWhileItIsWritten(t *testing.T) {
	t.Parallel()
	disk := make(chan struct{})
	n := startFaulty(t, func() error { <-disk; return nil })
	b := openBatches(t, conn(t, n))
	slow, soon := stringID(), stringID()
	b.send(part(slow, toStream("s"), true, "0"))
	o := toStream("s")
	o.DeadlineOption = &streams.BatchAppendReq_Options_Deadline{Deadline: durationpb.New(time.Millisecond)}
	b.send(part(soon, o, true, "1"))
	if s, _ := b.fails(soon); s.Code() != codes.DeadlineExceeded {
		t.Errorf("got %v, want a timeout", s)
	}
	close(disk)
	if r := b.recv(); !proto.Equal(slow, r.GetCorrelationId()) || r.GetSuccess() == nil {
		t.Errorf("got %v, want the success of the first", r)
	}
}

func TestABatchThatDoesNotFitTheDisk(t *testing.T) {
	t.Parallel()
	b := openBatches(t, conn(t, startFaulty(t, func() error { return syscall.ENOSPC })))
	id := stringID()
	b.send(part(id, toStream("s"), true, "0"))
	s, detail := b.fails(id)
	if _, ok := detail.(*shared.Timeout); !ok || s.Code() != codes.DeadlineExceeded || !strings.Contains(s.Message(), "not stored, may be sent again") {
		t.Errorf("got %v with %T, want a timeout that says that nothing was stored", s, detail)
	}
}

func TestIncompleteBatchesAreBounded(t *testing.T) {
	t.Parallel()
	n := start(t, eventnode.Options{})
	for name, tc := range map[string]struct {
		data string
		fit  int
	}{
		"by number": {"x", 1024},
		"by size":   {strings.Repeat("x", 1<<20-100), 31},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBatches(t, conn(t, n))
			var ids []*shared.UUID
			for range tc.fit + 1 {
				ids = append(ids, stringID())
				b.send(part(ids[len(ids)-1], toStream(name), false, tc.data))
			}
			s, _ := b.fails(ids[tc.fit])
			if s.Code() != codes.InvalidArgument {
				t.Errorf("got %v", s)
			}
			for _, id := range ids[:tc.fit] {
				b.send(part(id, nil, true))
			}
			for i, id := range ids[:tc.fit] {
				if r := b.recv(); !proto.Equal(id, r.GetCorrelationId()) || r.GetSuccess().GetCurrentRevision() != uint64(i) {
					t.Fatalf("answer %d: got %v", i, r)
				}
			}
		})
	}
}

func TestABatchOfTooManyEventsIsRefusedBeforeItEnds(t *testing.T) {
	t.Parallel()
	b := openBatches(t, conn(t, start(t, eventnode.Options{})))
	id := stringID()
	b.send(part(id, toStream("s"), false, make([]string, storage.MaxEvents)...)) // without data
	b.send(part(id, nil, false, ""))
	if s, detail := b.fails(id); s.Code() != codes.InvalidArgument || !strings.Contains(detail.(*shared.BadRequest).GetMessage(), "at most") { //nolint:forcetypeassert // fails the test
		t.Errorf("got %v", s)
	}
}

func TestAStoppingNodeAnswersTheBatchesItHas(t *testing.T) {
	t.Parallel()
	writing, disk := make(chan struct{}, 1), make(chan struct{})
	n := startFaulty(t, func() error {
		writing <- struct{}{}
		<-disk
		return nil
	})
	b := openBatches(t, conn(t, n))
	id := stringID()
	b.send(part(id, toStream("s"), true, "0"))
	<-writing
	closed := make(chan error, 1)
	go func() { closed <- n.Close() }()
	close(disk)
	if r := b.recv(); !proto.Equal(id, r.GetCorrelationId()) || r.GetSuccess() == nil {
		t.Errorf("got %v, want success", r)
	}
	if _, err := b.stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("got %v, want that the node is unavailable", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestBatchAppendIsListed(t *testing.T) {
	t.Parallel()
	methods, err := serverfeatures.NewServerFeaturesClient(conn(t, start(t, eventnode.Options{}))).GetSupportedMethods(t.Context(), &shared.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range methods.GetMethods() {
		if m.GetServiceName() == "event_store.client.streams.streams" && m.GetMethodName() == "batchappend" {
			if diff := cmp.Diff([]string{"deadline_duration"}, m.GetFeatures()); diff != "" {
				t.Error(diff)
			}
			return
		}
	}
	t.Error("it is not")
}

// FuzzBatches sends what nobody should: the node answers or refuses, and goes on.
func FuzzBatches(f *testing.F) {
	good, err := proto.Marshal(part(stringID(), toStream("s"), true, "x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.Repeat([]byte{0x20, 0x01}, 3))
	n := start(f, eventnode.Options{})
	cc := conn(f, n)
	f.Fuzz(func(t *testing.T, message []byte) {
		req := &streams.BatchAppendReq{}
		if proto.Unmarshal(message, req) != nil {
			t.Skip()
		}
		b := openBatches(t, cc)
		b.send(req)
		last := stringID()
		b.send(part(last, toStream("last"), true, "x"))
		for answered := false; !answered; {
			answered = proto.Equal(b.recv().GetCorrelationId(), last)
		}
	})
}
