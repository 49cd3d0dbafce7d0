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

func TestSubscriptionOverWebSocket(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	open := b.must("receiveTicket", map[string]any{"number": "SN-1", "priority": "low"})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, response, err := websocket.Dial(ctx, b.server.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	if response.Body != nil {
		defer func() { _ = response.Body.Close() }()
	}
	type message struct {
		ID      string          `json:"id,omitempty"`
		Type    string          `json:"type"`
		Payload json.RawMessage `json:"payload,omitempty"`
	}
	send := func(m message) {
		t.Helper()
		if err := wsjson.Write(ctx, c, m); err != nil {
			t.Fatal(err)
		}
	}
	receive := func(kind string) (m message) {
		t.Helper()
		for {
			if err := wsjson.Read(ctx, c, &m); err != nil {
				t.Fatal(err)
			}
			if m.Type == kind {
				return m
			}
			if m.Type != "ping" && m.Type != "pong" {
				t.Fatalf("got %s %s, want %s", m.Type, m.Payload, kind)
			}
		}
	}
	send(message{Type: "connection_init"})
	receive("connection_ack")
	payload, err := json.Marshal(map[string]any{"query": watchQuery, "variables": map[string]any{"id": open.ID}})
	if err != nil {
		t.Fatal(err)
	}
	send(message{ID: "1", Type: "subscribe", Payload: payload})
	for _, want := range []string{"low", "high"} {
		var got change
		if err := json.Unmarshal(receive("next").Payload, &got); err != nil {
			t.Fatal(err)
		}
		if got.Data.TicketChanged.Ticket.Priority != want || got.Data.TicketChanged.Position == "" {
			t.Errorf("got %+v, want priority %s", got, want)
		}
		if want == "low" {
			b.must("changeTicketPriority", map[string]any{"ticketId": open.ID, "priority": "high"})
		}
	}
	send(message{ID: "1", Type: "complete"})
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
