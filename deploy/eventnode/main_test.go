package eventnode_test

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"aftercare/deploy/eventnode"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(runChild(dir)) //nolint:forbidigo // this is the main of a child process
	}
	goleak.VerifyTestMain(m,
		// A closed client of v4.2.0 leaves these behind.
		goleak.IgnoreAnyFunction("github.com/EventStore/EventStore-Client-Go/v4/esdb.connectionStateMachine"))
}

// start runs a node until the test ends.
func start(tb testing.TB, o eventnode.Options) *eventnode.Node {
	tb.Helper()
	if o.Dir == "" {
		o.InMemory = true
	}
	n, err := eventnode.Open(o)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	ctx, stopped := context.WithoutCancel(tb.Context()), make(chan error, 1)
	go func() { stopped <- n.Run(ctx) }()
	tb.Cleanup(func() {
		if err := n.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
		if err := <-stopped; err != nil && !errors.Is(err, eventnode.ErrClosed) { // the test may end before Run begins
			tb.Errorf("run: %v", err)
		}
	})
	return n
}

// connect returns a client of n, closed when the test ends.
func connect(tb testing.TB, n *eventnode.Node) *esdb.Client {
	tb.Helper()
	return dial(tb, n.URL())
}

func dial(tb testing.TB, url string) *esdb.Client {
	tb.Helper()
	config, err := esdb.ParseConnectionString(url)
	if err != nil {
		tb.Fatalf("connection string: %v", err)
	}
	config.Logger = esdb.NoopLogging()
	c, err := esdb.NewClient(config)
	if err != nil {
		tb.Fatalf("client: %v", err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func node(tb testing.TB) *esdb.Client {
	tb.Helper()
	return connect(tb, start(tb, eventnode.Options{}))
}

// event returns a new event with data.
func event(data string) esdb.EventData {
	return esdb.EventData{EventID: uuid.New(), EventType: "noted", ContentType: esdb.ContentTypeBinary, Data: []byte(data)}
}

func events(data ...string) []esdb.EventData {
	out := make([]esdb.EventData, len(data))
	for i, d := range data {
		out[i] = event(d)
	}
	return out
}

// put appends and must succeed.
func put(tb testing.TB, c *esdb.Client, stream string, expected esdb.ExpectedRevision, ev ...esdb.EventData) *esdb.WriteResult {
	tb.Helper()
	res, err := c.AppendToStream(tb.Context(), stream, esdb.AppendToStreamOptions{ExpectedRevision: expected}, ev...)
	if err != nil {
		tb.Fatalf("append to %s: %v", stream, err)
	}
	return res
}

// code is the error code that the client sees, or -1 without an error.
func code(err error) esdb.ErrorCode {
	if err == nil {
		return -1
	}
	if e, ok := errors.AsType[*esdb.Error](err); ok {
		return e.Code()
	}
	return -2
}

type opened func() (*esdb.ReadStream, error)

// drain reads to the end and returns the events.
func drain(tb testing.TB, open opened) ([]*esdb.ResolvedEvent, error) {
	tb.Helper()
	stream, err := open()
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	var out []*esdb.ResolvedEvent
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, e)
	}
}

func readStream(tb testing.TB, c *esdb.Client, stream string, o esdb.ReadStreamOptions) ([]*esdb.ResolvedEvent, error) {
	tb.Helper()
	return drain(tb, func() (*esdb.ReadStream, error) { return c.ReadStream(tb.Context(), stream, o, 1<<40) })
}

func readAll(tb testing.TB, c *esdb.Client, o esdb.ReadAllOptions) []*esdb.ResolvedEvent {
	tb.Helper()
	out, err := drain(tb, func() (*esdb.ReadStream, error) { return c.ReadAll(tb.Context(), o, 1<<40) })
	if err != nil {
		tb.Fatalf("read all: %v", err)
	}
	return out
}

// texts are the data of events.
func texts(events []*esdb.ResolvedEvent) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = string(e.OriginalEvent().Data)
	}
	return out
}
