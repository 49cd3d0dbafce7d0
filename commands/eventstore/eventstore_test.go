package eventstore_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"aftercare/commands"
	"aftercare/commands/eventstore"
	"aftercare/commands/logtest"
	"aftercare/deploy/eventnode"
	"aftercare/deploy/eventnode/eventnodetest"
	"aftercare/domain"
	"aftercare/domain/codec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is an event node that can be taken away and brought back at the same address.
type node struct {
	options eventnode.Options
	url     string
	stop    func()
}

func newNode(t *testing.T) *node {
	t.Helper()
	n := &node{options: eventnode.Options{Dir: t.TempDir(), NoSync: true}}
	n.start(t)
	t.Cleanup(func() { n.stop() })
	return n
}

func (n *node) start(t *testing.T) {
	t.Helper()
	running, err := eventnode.Open(n.options)
	if err != nil {
		t.Fatal(err)
	}
	n.options.Listen, n.url = running.Addr(), running.URL()
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background()) // the node outlives the test
	go func() { ended <- running.Run(ctx) }()
	n.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("node: %v", err)
		}
		n.stop = func() {}
	}
}

func openLog(t *testing.T, url string, c *codec.Codec, o eventstore.Options) *eventstore.Log {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	log, err := eventstore.Open(url, c, logtest.Sealer{}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return log
}

func TestConformanceOnTheEmbeddedNode(t *testing.T) {
	t.Parallel()
	for name, discover := range map[string]bool{"direct": false, "by gossip": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logtest.Run(t, func(t *testing.T) logtest.Subject {
				t.Helper()
				n := newNode(t)
				url := n.url
				if discover {
					url = strings.Replace(url, "esdb://", "esdb+discover://", 1)
				}
				return logtest.Subject{
					Open: func(t *testing.T, c *codec.Codec) commands.Log {
						t.Helper()
						return openLog(t, url, c, eventstore.Options{RetryFor: 200 * time.Millisecond})
					},
					Outage: func(t *testing.T) func() {
						t.Helper()
						n.stop()
						return func() { n.start(t) }
					},
					Limit: 1 << 20,
				}
			})
		})
	}
}

func TestConformanceOnARealServer(t *testing.T) {
	t.Parallel()
	url := os.Getenv("AFTERCARE_TEST_EVENTSTORE_URL")
	if url == "" {
		t.Skip("AFTERCARE_TEST_EVENTSTORE_URL names no server")
	}
	logtest.Run(t, func(*testing.T) logtest.Subject {
		return logtest.Subject{
			Open: func(t *testing.T, c *codec.Codec) commands.Log {
				t.Helper()
				return openLog(t, url, c, eventstore.Options{})
			},
			Limit: 1 << 20,
		}
	})
}

func TestAServersOwnLimitIsReported(t *testing.T) {
	t.Parallel()
	n := &node{options: eventnode.Options{InMemory: true, MaxAppendSize: 4096}}
	n.start(t)
	t.Cleanup(func() { n.stop() })
	log := openLog(t, n.url, logtest.Codec(), eventstore.Options{})
	_, err := log.Append(t.Context(), "logtest-1", commands.NoStream, []commands.Proposed{
		{ID: [16]byte{1}, Event: logtest.Noted{Text: strings.Repeat("x", 5000)}},
	})
	large, ok := errors.AsType[*commands.TooLargeError](err)
	if !ok || large.Limit != 4096 || large.Size <= 5000 {
		t.Errorf("got %v, want both sizes", err)
	}
}

// Servers word the limit of an event otherwise than that of an append.
func TestAServersLimitOfAnEventIsReported(t *testing.T) {
	t.Parallel()
	s := (&eventnodetest.Stub{OnAppend: func(streams.Streams_AppendServer) error {
		return status.Error(codes.InvalidArgument,
			"Event with Id: 00000007-0000-0000-0000-000000000000, Size: 5016, exceeds Maximum Append Event Size of 300.")
	}}).Start(t)
	log := openLog(t, s.URL(), logtest.Codec(), eventstore.Options{})
	_, err := log.Append(t.Context(), "logtest-1", commands.NoStream, counted(0))
	if large, ok := errors.AsType[*commands.TooLargeError](err); !ok || large.Limit != 300 {
		t.Errorf("got %v, want the limit", err)
	}
}

func TestOpenRefusesWhatIsNoAddress(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "http://localhost:2113", "esdb://", "esdb://host:port"} {
		if _, err := eventstore.Open(url, logtest.Codec(), logtest.Sealer{}, eventstore.Options{}); err == nil {
			t.Errorf("%q was taken", url)
		}
	}
}

// A server that was never there, asked by many at once: the client's own behaviour is that some never return.
func TestNobodyHangsWithoutAServer(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.stop()
	log := openLog(t, n.url, logtest.Codec(), eventstore.Options{RetryFor: 100 * time.Millisecond, MaxConnections: 4})
	const callers = 32
	errs := make(chan error, callers)
	for range callers {
		go func() {
			var err error
			for _, err = range log.Read(t.Context(), "logtest-1", 0) {
				break
			}
			errs <- err
		}()
	}
	for range callers {
		if err := <-errs; !errors.Is(err, commands.ErrUnavailable) {
			t.Errorf("got %v, want unavailable", err)
		}
	}
	n.start(t)
	for _, err := range log.Read(t.Context(), "logtest-1", 0) {
		t.Errorf("after the server came: %v", err)
	}
}

// A server that accepts connections and never answers.
func TestASilentServerIsUnavailableInTime(t *testing.T) {
	t.Parallel()
	log := openLog(t, silent(t), logtest.Codec(), eventstore.Options{RetryFor: time.Millisecond, OperationTimeout: 50 * time.Millisecond})
	_, err := log.Append(t.Context(), "logtest-1", commands.NoStream, []commands.Proposed{{ID: [16]byte{1}, Event: logtest.Counted{}}})
	if !errors.Is(err, commands.ErrUnavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	for _, err := range log.Read(ctx, "logtest-1", 0) {
		if !errors.Is(err, commands.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want unavailable by the caller's deadline", err)
		}
	}
}

func TestACallInAnOutageWaitsForItsEnd(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	log := openLog(t, n.url, logtest.Codec(), eventstore.Options{RetryFor: time.Minute})
	event := []commands.Proposed{{ID: [16]byte{1}, Event: logtest.Counted{N: 1}}}
	want, err := log.Append(t.Context(), "logtest-1", commands.NoStream, event)
	if err != nil {
		t.Fatal(err)
	}
	n.stop()
	answer := make(chan error, 1)
	go func() {
		got, err := log.Append(t.Context(), "logtest-1", commands.NoStream, event)
		if err == nil && got != want {
			t.Errorf("the same append: %+v, want %+v", got, want)
		}
		answer <- err
	}()
	n.start(t)
	if err := <-answer; err != nil {
		t.Errorf("append during the outage: %v", err)
	}
}

func TestClosingEndsFollowing(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	for name, url := range map[string]string{"live": n.url, "connecting": silent(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := openLog(t, url, logtest.Codec(), eventstore.Options{OperationTimeout: time.Second})
			live, ended := make(chan struct{}), make(chan error, 1)
			go func() {
				ended <- log.Follow(t.Context(), domain.Position{}, nil, func([]domain.Recorded, bool) error {
					close(live)
					return nil
				})
			}()
			if url == n.url {
				<-live
			}
			if err := log.Close(); err != nil {
				t.Error(err)
			}
			if err := <-ended; err == nil || errors.Is(err, context.Canceled) {
				t.Errorf("follow ended with %v, want that the log is closed", err)
			}
		})
	}
}

func TestAClosedLogRefuses(t *testing.T) {
	t.Parallel()
	log := openLog(t, newNode(t).url, logtest.Codec(), eventstore.Options{})
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := log.Append(t.Context(), "logtest-1", commands.NoStream, []commands.Proposed{{ID: [16]byte{1}, Event: logtest.Counted{}}})
	if err == nil || errors.Is(err, commands.ErrUnavailable) {
		t.Errorf("got %v, want a refusal for good", err)
	}
}

func TestAnEventWithoutAnIDIsRefused(t *testing.T) {
	t.Parallel()
	log := openLog(t, newNode(t).url, logtest.Codec(), eventstore.Options{})
	if _, err := log.Append(t.Context(), "logtest-1", commands.NoStream, []commands.Proposed{{Event: logtest.Counted{N: 1}}}); err == nil {
		t.Error("an event without an id was appended")
	}
	for e, err := range log.Read(t.Context(), "logtest-1", 0) {
		t.Errorf("got %v, %v, want no events", e, err)
	}
}

func TestABatchOfAFollowIsBoundedByItsSize(t *testing.T) {
	t.Parallel()
	const events, size, most = 30, 900 << 10, 6
	log := openLog(t, newNode(t).url, logtest.Codec(), eventstore.Options{})
	for n := range events {
		large := commands.Proposed{ID: domain.DeriveUUID(domain.UUID{8}, strconv.Itoa(n)), Event: logtest.Noted{N: n, Text: strings.Repeat("x", size)}}
		if _, err := log.Append(t.Context(), "logtest-1", commands.Expected(n-1), []commands.Proposed{large}); err != nil {
			t.Fatal(err)
		}
	}
	enough := errors.New("all came")
	came := 0
	err := log.Follow(t.Context(), domain.Position{}, nil, func(batch []domain.Recorded, live bool) error {
		if came += len(batch); len(batch) > most {
			t.Errorf("a batch has %d MiB", len(batch)*size>>20)
		}
		if live && came == events {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Errorf("follow: %v", err)
	}
}
