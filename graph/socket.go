package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql/handler/transport"
)

// subprotocol is the one we speak. The library would also speak its predecessor, which nothing needs.
const subprotocol = "graphql-transport-ws"

// Close codes of graphql-transport-ws.
const (
	closeBadMessage   = 4400
	closeUnauthorized = 4401
	closeInitTimeout  = 4408
	closeIDTaken      = 4409
	closeSecondInit   = 4429
)

// sockets accepts WebSockets whose connections keep to the protocol where the library does not: it closes with the codes
// that clients go by, and tells nothing more about an operation that has ended.
type sockets struct{}

// Accept implements transport.WebsocketImplementation.
func (sockets) Accept(w http.ResponseWriter, r *http.Request, o transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	o.Subprotocols = []string{subprotocol}
	conn, err := transport.CoderWebsocketImplementation{}.Accept(w, r, o)
	if err != nil {
		return nil, err
	}
	return &socket{WebsocketConn: conn, running: map[string]bool{}}, nil
}

type socket struct {
	transport.WebsocketConn

	mu           sync.Mutex
	begun, ready bool
	running      map[string]bool
}

type envelope struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

// NextReader passes messages on that the protocol allows now. Others end the connection.
func (s *socket) NextReader() (int, io.Reader, error) {
	kind, r, err := s.WebsocketConn.NextReader()
	if err != nil {
		return kind, nil, err
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return kind, nil, err
	}
	if code, why := s.judge(raw); code != 0 {
		return kind, nil, errors.Join(transport.ErrWebsocketClosed, s.WriteClose(code, why))
	}
	return kind, bytes.NewReader(raw), nil
}

// judge returns the code to close with, 0 when the message is allowed.
func (s *socket) judge(raw []byte) (code int, why string) {
	var m envelope
	if json.Unmarshal(raw, &m) != nil {
		return closeBadMessage, "Invalid message received"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m.Type {
	case "connection_init":
		if s.begun {
			return closeSecondInit, "Too many initialisation requests"
		}
		s.begun = true
	case "subscribe":
		switch {
		case !s.ready:
			return closeUnauthorized, "Unauthorized"
		case m.ID == "" || len(m.Payload) == 0:
			return closeBadMessage, "Invalid message received"
		case s.running[m.ID]:
			return closeIDTaken, "Subscriber for " + strings.ToValidUTF8(m.ID[:min(len(m.ID), 40)], "") + " already exists"
		}
		s.running[m.ID] = true
	case "complete":
		delete(s.running, m.ID)
	case "ping", "pong":
	default:
		return closeBadMessage, "Invalid message received"
	}
	return 0, ""
}

// WriteJSON leaves out what concerns an operation that has ended, such as "complete" after "error".
func (s *socket) WriteJSON(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var m envelope
	if err := json.Unmarshal(raw, &m); err != nil {
		return err
	}
	s.mu.Lock()
	s.ready = s.ready || m.Type == "connection_ack"
	left := m.ID == "" || s.running[m.ID]
	if m.Type == "error" || m.Type == "complete" {
		delete(s.running, m.ID)
	}
	s.mu.Unlock()
	if !left {
		return nil
	}
	return s.WebsocketConn.WriteJSON(json.RawMessage(raw))
}

// WriteClose gives a client that did not begin in time the code for that.
func (s *socket) WriteClose(code int, message string) error {
	s.mu.Lock()
	if code == transport.WebsocketCloseProtocolError && !s.begun {
		code, message = closeInitTimeout, "Connection initialisation timeout"
	}
	s.mu.Unlock()
	return s.WebsocketConn.WriteClose(code, message)
}

// SetReadLimit implements transport.WebsocketReadLimiter.
func (s *socket) SetReadLimit(limit int64) {
	if c, ok := s.WebsocketConn.(transport.WebsocketReadLimiter); ok {
		c.SetReadLimit(limit)
	}
}

// SetReadDeadline implements transport.WebsocketReadDeadliner.
func (s *socket) SetReadDeadline(t time.Time) error {
	if c, ok := s.WebsocketConn.(transport.WebsocketReadDeadliner); ok {
		return c.SetReadDeadline(t)
	}
	return nil
}

// speaks reports whether a client that opens a WebSocket offers our protocol.
func speaks(r *http.Request) bool {
	for _, header := range r.Header.Values("Sec-Websocket-Protocol") {
		for offered := range strings.SplitSeq(header, ",") {
			if strings.TrimSpace(offered) == subprotocol {
				return true
			}
		}
	}
	return false
}
