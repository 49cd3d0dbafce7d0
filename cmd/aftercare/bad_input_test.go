package main_test

import (
	"net/http"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aftercare/domain"
	"aftercare/projections/feed"
)

func TestBadInput(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a := p.up()
	log := &feed.Log{URL: p.instance().EventStoreURL}
	head := func() domain.Position {
		t.Helper()
		h, err := log.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return h.Position
	}

	opened := a.done("receiveTicket", map[string]any{"kind": "repair", "title": "The kettle leaks"})
	key := uuid.NewString()
	noted := a.done("noteTicket", map[string]any{"ticketId": opened.ID, "text": "Asked for a photo", "commandId": key})
	before := head()

	refusals := map[string]struct {
		mutation   string
		input      map[string]any
		kind, code string
	}{
		"against the wrong state": {"rateTicket", map[string]any{"ticketId": opened.ID, "score": 5}, "WrongState", "ticket.wrong-phase"},
		"stale revision": {
			"acknowledgeTicket", map[string]any{"ticketId": opened.ID, "expectedRevision": 0}, "Conflict", "revision.stale",
		},
		"a key with another body": {
			"noteTicket", map[string]any{"ticketId": opened.ID, "text": "Something else", "commandId": key}, "IdempotencyConflict", "command.key-reused",
		},
		"no such case": {
			"acknowledgeTicket", map[string]any{"ticketId": "00000000-0000-7000-8000-000000000000"}, "NotFound", "ticket.unknown",
		},
		"no id":            {"acknowledgeTicket", map[string]any{"ticketId": "nonsense"}, "InvalidInput", "id.malformed"},
		"a text too long":  {"noteTicket", map[string]any{"ticketId": opened.ID, "text": strings.Repeat("x", 200_000)}, "InvalidInput", "ticket.value-too-long"},
		"nothing to say":   {"noteTicket", map[string]any{"ticketId": opened.ID, "text": ""}, "InvalidInput", "ticket.value-missing"},
		"in the future":    {"acknowledgeTicket", map[string]any{"ticketId": opened.ID, "occurredAt": "2999-01-01T00:00:00Z"}, "InvalidInput", "occurred-at.future"},
		"a body too large": {"receiveTicket", map[string]any{"description": strings.Repeat("x", 2<<20)}, "error", "request.too-large"},
	}
	for name, refusal := range refusals {
		got := a.mutate(refusal.mutation, refusal.input)
		if got.Typename != refusal.kind || got.Code != refusal.code || got.Message == "" {
			t.Errorf("%s: got %+v, want a %s with %s", name, got, refusal.kind, refusal.code)
		}
	}
	large := a.ask("{ viewer { principal } }", map[string]any{"x": strings.Repeat("x", 2<<20)})
	if large.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of 2 MB: status %d, want 413", large.status)
	}
	if after := head(); after != before {
		t.Errorf("the log went from %v to %v", before, after)
	}
	// The same wish again is the first one's answer.
	again := a.done("noteTicket", map[string]any{"ticketId": opened.ID, "text": "Asked for a photo", "commandId": key})
	if !again.Repeated || again.Position != noted.Position || again.Revision != noted.Revision {
		t.Errorf("repeated: got %+v, want that of %+v", again, noted)
	}
	if diff := gocmp.Diff([]string{"ticket.received.v1", "ticket.noted.v1"}, a.types(opened.ID, noted.Position)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
