package graph_test

import (
	"testing"

	"aftercare/domain/catalog"
	"aftercare/projections"
	tickets "aftercare/projections/ticket"
	"aftercare/projections/timeline"
)

func TestAForgottenPersonIsSaidToBeForgotten(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	o := b.must("receiveTicket", map[string]any{"customer": "c-7", "title": "Call me", "name": "Ada"})
	if err := b.ring.Forget(t.Context(), "c-7"); err != nil {
		t.Fatal(err)
	}
	rebuild := projections.Rebuilder{Pool: b.pool, Log: b.store.Log(), Codec: catalog.Codec(), Opener: b.ring}
	if _, err := rebuild.Rebuild(t.Context(), tickets.View(), timeline.View()); err != nil {
		t.Fatal(err)
	}
	got := data[struct {
		Ticket struct {
			Title    struct{ Type, Subject string }
			Customer struct {
				ID   string
				Name struct{ Type string }
			}
			Timeline struct {
				Nodes []struct {
					Texts []struct {
						Text struct{ Type, Subject string }
					}
				}
			}
		}
	}](b, `query($id: ID!) { ticket(id: $id) {
		title { type: __typename ... on ForgottenText {subject} }
		customer { id name {type: __typename} }
		timeline(first: 1) {nodes {texts {text {type: __typename ... on ForgottenText {subject}}}}} } }`, map[string]any{"id": o.ID})
	if s := got.Ticket; s.Title.Type != "ForgottenText" || s.Title.Subject != "c-7" || s.Customer.ID != "c-7" ||
		s.Customer.Name.Type != "ForgottenText" {
		t.Errorf("got %+v", s)
	}
	if len(got.Ticket.Timeline.Nodes) != 1 || len(got.Ticket.Timeline.Nodes[0].Texts) != 2 {
		t.Fatalf("got timeline %+v", got.Ticket.Timeline)
	}
	for _, text := range got.Ticket.Timeline.Nodes[0].Texts {
		if text.Text.Type != "ForgottenText" || text.Text.Subject != "c-7" {
			t.Errorf("got %+v", text)
		}
	}
	if o := b.do("noteTicket", map[string]any{"ticketId": o.ID, "text": "again"}); o.Code != "person.forgotten" {
		t.Errorf("writing about a forgotten person: got %+v", o)
	}
}
