package graph_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"aftercare/graph"
)

const watchQuery = `subscription($id: ID!, $since: Position) {
	ticketChanged(id: $id, since: $since) { position ticket { number priority revision timeline(last: 1) {nodes {type}} } } }`

// change is what a subscription tells.
type change struct {
	Data struct {
		TicketChanged struct {
			Position string
			Ticket   struct {
				Number, Priority string
				Revision         int64
				Timeline         struct{ Nodes []struct{ Type string } }
			}
		}
	}
	Errors []struct {
		Message    string
		Extensions map[string]any
	}
}

// events subscribes over SSE and returns what is told, until the test ends.
func (b *bench) events(variables map[string]any) <-chan change {
	b.Helper()
	body, err := json.Marshal(map[string]any{"query": watchQuery, "variables": variables})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.server.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	response, err := b.server.Client().Do(r) //nolint:bodyclose // it is closed when the test ends
	if err != nil {
		b.Fatal(err)
	}
	out, done := make(chan change), make(chan struct{})
	go func() {
		defer close(done)
		defer close(out)
		lines := bufio.NewScanner(response.Body)
		for lines.Scan() {
			payload, ok := strings.CutPrefix(lines.Text(), "data: ")
			var c change
			if !ok || json.Unmarshal([]byte(payload), &c) != nil {
				continue
			}
			select {
			case out <- c:
			case <-ctx.Done():
				return
			}
		}
	}()
	b.Cleanup(func() {
		cancel()
		<-done
		_ = response.Body.Close()
	})
	return out
}

func TestASubscriptionTellsEachChange(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	open := b.must("receiveTicket", map[string]any{"number": "SN-1", "priority": "low"})
	told := b.events(map[string]any{"id": open.ID})
	first := <-told
	if got := first.Data.TicketChanged; got.Ticket.Number != "SN-1" || got.Ticket.Revision != open.Revision || got.Position == "" {
		t.Fatalf("got %+v", first)
	}
	changed := b.must("changeTicketPriority", map[string]any{"ticketId": open.ID, "priority": "high"})
	second := <-told
	if got := second.Data.TicketChanged; got.Ticket.Priority != "high" || got.Ticket.Revision != changed.Revision ||
		len(got.Ticket.Timeline.Nodes) != 1 || got.Ticket.Timeline.Nodes[0].Type == "ticket.received.v1" {
		t.Errorf("got %+v", second)
	}
	b.must("receiveTicket", map[string]any{"number": "SN-2"}) // of another case, which is not told

	// A client that was away goes on from the position it has: what it missed comes first, what it knows does not.
	resumed := b.events(map[string]any{"id": open.ID, "since": first.Data.TicketChanged.Position})
	if got := (<-resumed).Data.TicketChanged; got.Ticket.Revision != changed.Revision {
		t.Errorf("resumed: got %+v", got)
	}
	current := b.events(map[string]any{"id": open.ID, "since": changed.Position})
	noted := b.must("noteTicket", map[string]any{"ticketId": open.ID, "text": "called"})
	if got := (<-current).Data.TicketChanged; got.Ticket.Revision != noted.Revision {
		t.Errorf("a client that had everything: got %+v, want only revision %d", got, noted.Revision)
	}
}

func TestASubscriptionToNothingIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	got := <-b.events(map[string]any{"id": "6b1f0c5e-2f4d-4c0e-9d55-616674657263"})
	if len(got.Errors) != 1 || got.Errors[0].Extensions["code"] != "ticket.unknown" {
		t.Errorf("got %+v", got)
	}
}

// line is a WebSocket to the API.
type line struct {
	testing.TB
	*websocket.Conn
}

type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func (b *bench) dial() line {
	b.Helper()
	c, response, err := websocket.Dial(b.Context(), b.server.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.CloseNow() })
	if response.Body != nil {
		_ = response.Body.Close()
	}
	return line{b.TB, c}
}

func (l line) send(messages ...string) {
	l.Helper()
	for _, m := range messages {
		if err := l.Write(l.Context(), websocket.MessageText, []byte(m)); err != nil {
			l.Fatal(err)
		}
	}
}

// receive returns the next message, which must be of the kind, pings aside.
func (l line) receive(kind string) message {
	l.Helper()
	for {
		var m message
		if err := wsjson.Read(l.Context(), l.Conn, &m); err != nil {
			l.Fatal(err)
		}
		if m.Type == kind {
			return m
		}
		if m.Type != "ping" && m.Type != "pong" {
			l.Fatalf("got %s %s, want %s", m.Type, m.Payload, kind)
		}
	}
}

func TestSubscriptionOverWebSocket(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	open := b.must("receiveTicket", map[string]any{"number": "SN-1", "priority": "low"})
	l := b.dial()
	l.send(`{"type":"connection_init"}`)
	l.receive("connection_ack")
	payload, err := json.Marshal(map[string]any{"query": watchQuery, "variables": map[string]any{"id": open.ID}})
	if err != nil {
		t.Fatal(err)
	}
	l.send(`{"id":"1","type":"subscribe","payload":` + string(payload) + `}`)
	for _, want := range []string{"low", "high"} {
		var got change
		if err := json.Unmarshal(l.receive("next").Payload, &got); err != nil {
			t.Fatal(err)
		}
		if got.Data.TicketChanged.Ticket.Priority != want || got.Data.TicketChanged.Position == "" {
			t.Errorf("got %+v, want priority %s", got, want)
		}
		if want == "low" {
			b.must("changeTicketPriority", map[string]any{"ticketId": open.ID, "priority": "high"})
		}
	}
	l.send(`{"id":"1","type":"complete"}`, `{"type":"ping"}`)
	l.receive("pong")
}

func TestTheProtocolOfWebSocketsIsKept(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	o := b.must("receiveTicket", map[string]any{})
	begin, watch := `{"type":"connection_init"}`, `{"id":"1","type":"subscribe","payload":{"query":"subscription {ticketChanged(id: \"`+o.ID+`\") {position}}"}}`
	for name, tt := range map[string]struct {
		messages []string
		code     websocket.StatusCode
	}{
		"no JSON":                  {[]string{begin, `{`}, 4400},
		"an unknown message":       {[]string{begin, `{"type":"shout"}`}, 4400},
		"a message of the server":  {[]string{begin, `{"id":"1","type":"next","payload":{}}`}, 4400},
		"subscribing without id":   {[]string{begin, `{"type":"subscribe","payload":{"query":"{viewer{principal}}"}}`}, 4400},
		"subscribing before begin": {[]string{watch}, 4401},
		"one id twice":             {[]string{begin, watch, watch}, 4409},
		"beginning twice":          {[]string{begin, begin}, 4429},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := b.in(t).dial()
			for i, m := range tt.messages {
				l.send(m)
				if i == 0 && m == begin {
					l.receive("connection_ack")
				}
			}
			for {
				_, _, err := l.Read(t.Context())
				if err == nil {
					continue
				}
				if got := websocket.CloseStatus(err); got != tt.code {
					t.Errorf("closed with %d, want %d: %v", got, tt.code, err)
				}
				return
			}
		})
	}
}

func TestAWebSocketThatNeverBeginsIsClosed(t *testing.T) {
	t.Parallel()
	l := bare(t, func(c *graph.Config) { c.InitTimeout = time.Millisecond }).dial()
	_, _, err := l.Read(t.Context())
	if got := websocket.CloseStatus(err); got != 4408 {
		t.Errorf("closed with %d: %v", got, err)
	}
}

func TestAnOperationEndsOnceOverWebSocket(t *testing.T) {
	t.Parallel()
	l := bare(t).dial()
	l.send(`{"type":"connection_init"}`)
	l.receive("connection_ack")
	l.send(`{"id":"1","type":"subscribe","payload":{"query":"{nothing}"}}`)
	l.receive("error")
	l.send(`{"id":"1","type":"subscribe","payload":{"query":"{viewer {principal}}"}}`) // no "complete" came between
	l.receive("next")
	l.receive("complete")
}

func TestAWebSocketOfAnotherOriginIsRefused(t *testing.T) {
	t.Parallel()
	b := bare(t)
	c, response, err := websocket.Dial(t.Context(), b.server.URL+"/graphql", &websocket.DialOptions{
		Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"Origin": {"https://evil.example"}},
	})
	if err == nil {
		_ = c.CloseNow()
		t.Fatal("it was let in")
	}
	if response != nil && response.Body != nil {
		_ = response.Body.Close()
	}
}
