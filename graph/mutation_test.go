package graph_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/graph"
)

// outcome is what a mutation answers, whichever it is.
type outcome struct {
	Type             string `json:"__typename"`
	ID               string
	Position         string
	Revision         int64
	CommandID        string
	Repeated         bool
	ClientMutationID *string
	Ticket           *shown
	Code             string
	Message          string
	Retryable        bool
	Params           []struct{ Name, Value string }
}

type shown struct {
	ID       string
	Number   string
	Phase    string
	Priority *string
	Revision int64
	Title    *struct {
		Type          string `json:"__typename"`
		Text, Subject string
	}
}

const outcomeFields = `__typename
	... on TicketChanged {
		id position revision commandId repeated clientMutationId
		ticket { id number phase priority revision title { __typename ... on ClearText { text } ... on ForgottenText { subject } } }
	}
	... on Problem { code message params { name value } }
	... on Unavailable { retryable }`

// do sends one mutation with an input.
func (b *bench) do(mutation string, input map[string]any) outcome {
	b.Helper()
	document := fmt.Sprintf("mutation M($input: %sInput!) { it: %s(input: $input) { %s } }",
		strings.ToUpper(mutation[:1])+mutation[1:], mutation, outcomeFields)
	return data[struct{ It outcome }](b, document, map[string]any{"input": input}).It
}

// must is do for a mutation that has to succeed.
func (b *bench) must(mutation string, input map[string]any) outcome {
	b.Helper()
	o := b.do(mutation, input)
	if o.Type != "TicketChanged" {
		b.Fatalf("%s was refused: %+v", mutation, o)
	}
	return o
}

func TestAWishIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	now := noon
	b := newBench(t, func(c *graph.Config) { c.Now = func() time.Time { now = now.Add(time.Second); return now } })
	wish := map[string]any{
		"commandId": "0192d3a0-0000-7000-8000-000000000001", "customer": "c-1", "title": "It leaks", "priority": "high",
		"clientMutationId": "m1",
	}
	first := b.must("receiveTicket", wish)
	if first.Repeated || first.Ticket == nil || first.Ticket.Title.Text != "It leaks" || first.Ticket.Revision != first.Revision ||
		*first.ClientMutationID != "m1" {
		t.Errorf("got %+v, ticket %+v", first, first.Ticket)
	}
	again := b.must("receiveTicket", wish) // our clock has gone on, and the wish does not say when it happened
	want := first
	want.Repeated = true
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("the second answer differs (-want +got):\n%s", diff)
	}
	wish["title"] = "Something else"
	if o := b.do("receiveTicket", wish); o.Type != "IdempotencyConflict" || o.Code != "command.key-reused" {
		t.Errorf("another wish under the same id: got %+v", o)
	}
}

func TestRefusalsAreTyped(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	open := b.must("receiveTicket", map[string]any{"priority": "low"})
	nobody := domain.DeriveUUID(domain.UUID{}, "nobody").String()
	tests := map[string]struct {
		mutation   string
		input      map[string]any
		kind, code string
	}{
		"a case that is not there": {"acknowledgeTicket", map[string]any{"ticketId": nobody}, "NotFound", "ticket.unknown"},
		"an id that is none":       {"acknowledgeTicket", map[string]any{"ticketId": "x"}, "InvalidInput", "id.malformed"},
		"a stale revision": {
			"acknowledgeTicket", map[string]any{"ticketId": open.ID, "expectedRevision": open.Revision + 7}, "Conflict", "revision.stale",
		},
		"the future": {
			"acknowledgeTicket", map[string]any{"ticketId": open.ID, "occurredAt": "2026-03-02T12:00:01Z"}, "InvalidInput", "occurred-at.future",
		},
		"the wrong state": {"closeTicket", map[string]any{"ticketId": open.ID}, "WrongState", "ticket.not-resolved"},
		"a revision below zero": {
			"acknowledgeTicket", map[string]any{"ticketId": open.ID, "expectedRevision": -1}, "InvalidInput", "number.malformed",
		},
		"before the case was there": {
			"acknowledgeTicket", map[string]any{"ticketId": open.ID, "occurredAt": "2020-01-01T00:00:00Z"}, "InvalidInput", "ticket.before-received",
		},
		"an attribute given twice": {
			"receiveTicket",
			map[string]any{"attributes": []map[string]any{{"name": "a", "value": "1"}, {"name": "a", "value": "2"}}},
			"InvalidInput", "attribute.repeated",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := b.in(t).do(tt.mutation, tt.input)
			if o.Type != tt.kind || o.Code != tt.code || o.Message == "" || o.Message == o.Code {
				t.Errorf("got %+v, want %s %s", o, tt.kind, tt.code)
			}
		})
	}
}

func TestARefusedWishChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	open := b.must("receiveTicket", map[string]any{"priority": "low"})
	for range 2 {
		if o := b.do("closeTicket", map[string]any{"ticketId": open.ID}); o.Type != "WrongState" {
			t.Errorf("got %+v", o)
		}
	}
	if got := b.must("acknowledgeTicket", map[string]any{"ticketId": open.ID, "expectedRevision": open.Revision}); got.Revision <= open.Revision {
		t.Errorf("got %+v after %+v", got, open)
	}
}

func TestStoreDownIsRetryable(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	open := b.must("receiveTicket", map[string]any{})
	b.store.Stop()
	for _, o := range []outcome{
		b.do("receiveTicket", map[string]any{}),
		b.do("noteTicket", map[string]any{"ticketId": open.ID, "text": "words, for which the customer is looked up"}),
	} {
		if o.Type != "Unavailable" || !o.Retryable || o.Code != "store.unavailable" {
			t.Errorf("got %+v", o)
		}
	}
}

func TestWordsAreSealedForTheCustomerOfTheCase(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	open := b.must("receiveTicket", map[string]any{"customer": "c-9", "title": "Mine"})
	b.must("noteTicket", map[string]any{"ticketId": open.ID, "text": "She called"})
	orphan := b.must("receiveTicket", map[string]any{"title": "Nobody's"})
	for id, want := range map[string]string{open.Ticket.ID: "c-9", orphan.Ticket.ID: ""} {
		subjects := b.subjects(id)
		if want == "" {
			want = "ticket-" + b.uuid(id)
		}
		if diff := cmp.Diff([]string{want}, slices.Compact(subjects)); diff != "" {
			t.Errorf("sealed for (-want +got):\n%s", diff)
		}
	}
}

// subjects returns whose keys the texts of a case are sealed with, as the store has them.
func (b *bench) subjects(id string) []string {
	b.Helper()
	var found []string
	for e, err := range b.log.Read(b.Context(), "ticket-"+b.uuid(id), 0) {
		if err != nil {
			b.Fatal(err)
		}
		raw, err := json.Marshal(e.Event)
		if err != nil {
			b.Fatal(err)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(raw, &fields); err != nil {
			b.Fatal(err)
		}
		for _, f := range fields {
			var sealed struct{ Subject, Sealed string }
			if json.Unmarshal(f, &sealed) == nil && sealed.Sealed != "" {
				found = append(found, sealed.Subject)
			}
		}
	}
	return found
}

func (b *bench) uuid(id string) string {
	b.Helper()
	return data[struct{ Ticket struct{ UUID string } }](b, "query($id: ID!) {ticket(id: $id) {uuid}}", map[string]any{"id": id}).Ticket.UUID
}
