package eventstore_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"aftercare/commands"
	"aftercare/commands/eventstore"
	"aftercare/commands/logtest"
	"aftercare/deploy/eventnode/eventnodetest"
	"aftercare/deploy/faultproxy"
	"aftercare/deploy/faultproxy/faultproxytest"
	"aftercare/domain"
)

// The defects of the client, v4.2.0, that this package keeps to itself, each with a test named for what must not happen. That
// a failed discovery kills a client, and that callers hang on it, is in TestNobodyHangsWithoutAServer.

func counted(n int) []commands.Proposed {
	return []commands.Proposed{{ID: domain.DeriveUUID(domain.UUID{7}, strconv.Itoa(n)), Event: logtest.Counted{N: n}}}
}

// through is a URL with another address.
func through(url string, p *faultproxy.Proxy) string {
	_, rest, _ := strings.Cut(url, "?")
	return "esdb://" + p.Addr() + "?" + rest
}

// The client sends on a channel that Close closes: "panic: send on closed channel".
func TestClosingWithCallsInFlightDoesNotPanic(t *testing.T) {
	t.Parallel()
	const calls = 8
	arrived, answer := make(chan struct{}, calls), make(chan struct{})
	s := (&eventnodetest.Stub{OnAppend: func(streams.Streams_AppendServer) error {
		arrived <- struct{}{}
		<-answer
		return status.Error(codes.Unavailable, "Server Is Not Ready")
	}}).Start(t)
	log := openLog(t, s.URL(), logtest.Codec(), eventstore.Options{RetryFor: time.Millisecond, MaxConnections: calls})
	var calling sync.WaitGroup
	for n := range calls {
		calling.Go(func() {
			if _, err := log.Append(t.Context(), "logtest-1", commands.NoStream, counted(n)); !errors.Is(err, commands.ErrUnavailable) {
				t.Errorf("got %v, want unavailable", err)
			}
		})
	}
	for range calls {
		<-arrived
	}
	closed := make(chan error, 1)
	go func() { closed <- log.Close() }()
	close(answer)
	calling.Wait()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// The client connects again without closing what it had.
func TestAnOutageLeavesNoConnectionBehind(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	s := (&eventnodetest.Stub{OnAppend: func(streams.Streams_AppendServer) error {
		asked.Add(1)
		return status.Error(codes.Unavailable, "Server Is Too Busy")
	}}).Start(t)
	p := faultproxytest.Listen(t, s.Addr())
	log := openLog(t, through(s.URL(), p), logtest.Codec(), eventstore.Options{RetryFor: time.Second, MaxConnections: 1})
	if _, err := log.Append(t.Context(), "logtest-1", commands.NoStream, counted(0)); !errors.Is(err, commands.ErrUnavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	if asked.Load() < 3 {
		t.Errorf("the server was asked %d times, want it asked again", asked.Load())
	}
	faultproxytest.Vacated(t, p, 0)
}

// The client ignores the context while it looks for a server.
func TestADeadlineEndsACallThatConnects(t *testing.T) {
	t.Parallel()
	log := openLog(t, silent(t), logtest.Codec(), eventstore.Options{})
	began := time.Now() //nolint:forbidigo // the test measures
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := log.Append(ctx, "logtest-1", commands.NoStream, counted(0))
	if took := time.Since(began); took > 800*time.Millisecond || !errors.Is(err, context.DeadlineExceeded) { //nolint:forbidigo // see above
		t.Errorf("got %v after %v, want it at the deadline", err, took)
	}
}

// A caller that leaves while the client connects leaves an attempt behind. Were it free to, the next would begin another.
func TestAttemptsThatWereLeftCountAsConnections(t *testing.T) {
	t.Parallel()
	s := (&eventnodetest.Stub{}).Start(t)
	p := faultproxytest.Listen(t, s.Addr())
	p.Set(faultproxy.Faults{Silent: true})
	log := openLog(t, through(s.URL(), p), logtest.Codec(), eventstore.Options{MaxConnections: 2})
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if _, err := log.Append(ctx, "logtest-1", commands.NoStream, counted(0)); !errors.Is(err, commands.ErrUnavailable) {
			t.Errorf("got %v, want unavailable", err)
		}
		cancel()
	}
	if p.Taken() > 2 {
		t.Errorf("%d connections were made, want 2", p.Taken())
	}
}

// A store that is slow for everybody is told from one that is away.
func TestACallThatFindsNoConnectionFreeSaysSo(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	s := (&eventnodetest.Stub{OnAppend: func(stream streams.Streams_AppendServer) error {
		close(arrived)
		<-stream.Context().Done()
		return nil
	}}).Start(t)
	log := openLog(t, s.URL(), logtest.Codec(), eventstore.Options{MaxConnections: 1, RetryFor: time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = log.Append(ctx, "logtest-1", commands.NoStream, counted(0))
	}()
	<-arrived
	soon, done := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer done()
	_, err := log.Append(soon, "logtest-1", commands.NoStream, counted(1))
	if !errors.Is(err, commands.ErrUnavailable) || !strings.Contains(err.Error(), "one of 1 connections") {
		t.Errorf("got %v, want that the only connection is in use", err)
	}
	cancel()
	<-ended
}

// A call that got no answer says that its connection may be dead, and those beside it: none of them is tried again.
func TestOneSilenceIsEnough(t *testing.T) {
	t.Parallel()
	const connections = 6
	n := newNode(t)
	p := faultproxytest.Listen(t, n.options.Listen)
	log := openLog(t, through(n.url, p), logtest.Codec(), eventstore.Options{
		RetryFor: time.Millisecond, OperationTimeout: 2 * time.Second, MaxConnections: connections,
	})
	p.Set(faultproxy.Faults{Latency: 20 * time.Millisecond}) // so that each call needs a connection of its own
	var calling sync.WaitGroup
	for range connections {
		calling.Go(func() {
			for _, err := range log.Read(t.Context(), "logtest-1", 0) {
				t.Errorf("read: %v", err)
			}
		})
	}
	calling.Wait()
	if n := p.Open(); n != connections {
		t.Fatalf("%d connections are open, want %d", n, connections)
	}
	p.Set(faultproxy.Faults{})
	p.Strand()
	for attempt := range 2 {
		_, err := log.Append(t.Context(), "logtest-1", commands.NoStream, counted(0))
		if errors.Is(err, commands.ErrUnavailable) != (attempt == 0) {
			t.Errorf("append %d: %v, want only the first to fail", attempt, err)
		}
	}
}

// After a drop, the client's Recv returns at once and for ever, and its connection is not looked at.
func TestADroppedSubscriptionIsClosedAndMadeAgain(t *testing.T) {
	t.Parallel()
	const drops = 5
	var made atomic.Int64
	ended := make(chan struct{}, drops)
	s := (&eventnodetest.Stub{OnRead: func(_ *streams.ReadReq, stream streams.Streams_ReadServer) error {
		if err := stream.Send(eventnodetest.Confirmation()); err != nil {
			return err
		}
		if made.Add(1) <= drops {
			ended <- struct{}{}
			return status.Error(codes.Unavailable, "Server Is Not Ready")
		}
		if err := stream.Send(eventnodetest.CaughtUp()); err != nil {
			return err
		}
		<-stream.Context().Done()
		return nil
	}}).Start(t)
	p := faultproxytest.Listen(t, s.Addr())
	log := openLog(t, through(s.URL(), p), logtest.Codec(), eventstore.Options{})
	enough := errors.New("live")
	err := log.Follow(t.Context(), domain.Position{}, nil, func([]domain.Recorded, bool) error { return enough })
	if !errors.Is(err, enough) {
		t.Errorf("follow: %v", err)
	}
	if n := made.Load(); n != drops+1 || len(ended) != drops {
		t.Errorf("%d subscriptions were made, want %d", n, drops+1)
	}
	faultproxytest.Vacated(t, p, 1)
}

// The client wraps the errors of subscribing, which its own FromError does not look through.
func TestAWrappedRefusalIsUnderstood(t *testing.T) {
	t.Parallel()
	s := (&eventnodetest.Stub{OnRead: func(r *streams.ReadReq, _ streams.Streams_ReadServer) error {
		if r.GetOptions().GetSubscription() != nil {
			return status.Error(codes.InvalidArgument, "Trying to read from an invalid position.")
		}
		return nil // an empty log
	}}).Start(t)
	log := openLog(t, s.URL(), logtest.Codec(), eventstore.Options{})
	err := log.Follow(t.Context(), domain.Position{Commit: 7, Prepare: 7}, nil, func([]domain.Recorded, bool) error { return nil })
	if !errors.Is(err, eventstore.ErrReplaced) {
		t.Errorf("follow from a position of another log: %v, want %v", err, eventstore.ErrReplaced)
	}
}

// The client panics on answers it does not expect.
func TestAPanicOfTheClientIsAnError(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(*streams.ReadReq, streams.Streams_ReadServer) error{
		"unknown content": func(_ *streams.ReadReq, stream streams.Streams_ReadServer) error {
			return stream.Send(&streams.ReadResp{Content: &streams.ReadResp_FirstStreamPosition{FirstStreamPosition: 1}})
		},
		"a deleted stream without a name": func(_ *streams.ReadReq, stream streams.Streams_ReadServer) error {
			stream.SetTrailer(metadata.Pairs("exception", "stream-deleted"))
			return status.Error(codes.FailedPrecondition, "deleted")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := (&eventnodetest.Stub{OnRead: read}).Start(t)
			log := openLog(t, s.URL(), logtest.Codec(), eventstore.Options{RetryFor: time.Millisecond})
			var err error
			for _, err = range log.Read(t.Context(), "logtest-1", 0) {
				break
			}
			if !errors.Is(err, commands.ErrUnavailable) || !strings.Contains(err.Error(), "client failed") {
				t.Errorf("got %v, want the client's failure", err)
			}
		})
	}
}

// The client calls log.Fatalf on an event without its creation time. Nothing in the same process can keep it from that.
func TestAnEventWithoutItsCreationTimeEndsTheProcess(t *testing.T) {
	t.Parallel()
	const variable = "AFTERCARE_TEST_FATAL_URL"
	if url := os.Getenv(variable); url != "" {
		log := openLog(t, url, logtest.Codec(), eventstore.Options{})
		for r, err := range log.Read(t.Context(), "logtest-1", 0) {
			t.Logf("survived: %v, %v", r, err)
		}
		return
	}
	s := (&eventnodetest.Stub{OnRead: func(_ *streams.ReadReq, stream streams.Streams_ReadServer) error {
		return stream.Send(&streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
			Event: &streams.ReadResp_ReadEvent_RecordedEvent{
				Id:               &shared.UUID{Value: &shared.UUID_String_{String_: "00000000-0000-0000-0000-000000000001"}},
				StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte("logtest-1")},
				Metadata:         map[string]string{"type": "logtest-count.counted.v1", "content-type": "application/json"},
			},
			Position: &streams.ReadResp_ReadEvent_NoPosition{NoPosition: &shared.Empty{}},
		}}})
	}}).Start(t)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAnEventWithoutItsCreationTimeEndsTheProcess$", "-test.v") //nolint:gosec // this very program
	child.Env = append(os.Environ(), variable+"="+s.URL())
	out, err := child.CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 1 || !strings.Contains(string(out), "Failed to parse created date") || strings.Contains(string(out), "survived") {
		t.Errorf("the child ended with %v, want the client's exit; should it survive now, doc.go is out of date:\n%s", err, out)
	}
}

// A node that does not lead names the one that does, which a client of one address would else never find.
func TestTheLeaderThatANodeNamesIsFollowed(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	var asked atomic.Int64
	s := (&eventnodetest.Stub{OnAppend: func(stream streams.Streams_AppendServer) error {
		asked.Add(1)
		return notLeader(stream, n.options.Listen)
	}}).Start(t)
	log := openLog(t, s.URL(), logtest.Codec(), eventstore.Options{OperationTimeout: time.Second, RetryFor: 500 * time.Millisecond})
	for i := range 5 {
		if _, err := log.Append(t.Context(), "logtest-1", commands.Expected(i-1), counted(i)); err != nil {
			t.Fatalf("append %d: %v", i, err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("the node that does not lead was asked %d times, want once", asked.Load())
	}
}

func notLeader(stream streams.Streams_AppendServer, leader string) error {
	host, port, _ := net.SplitHostPort(leader)
	stream.SetTrailer(metadata.Pairs("exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", port))
	return status.Error(codes.NotFound, "Leader info available")
}
