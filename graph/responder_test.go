package graph_test

import (
	"maps"
	"testing"
	"time"

	"aftercare/commands"
	"aftercare/domain"
	"aftercare/domain/ticket"
	"aftercare/graph/model"
)

// respondedV1 is an answer as programs stored it that knew no other.
type respondedV1 struct{ ticket.RespondedV1 }

func (respondedV1) EventType() string       { return ticket.TypeRespondedV1 }
func (e respondedV1) OccurredAt() time.Time { return e.At }

// TestAWishOfBeforeTheUpgradeIsNotCarriedOutAgain sends an automatic answer again of which a program of before the upgrade wrote the
// event. The hash is the one it wrote for this very wish under the key of the bench: it is never to be changed here.
func TestAWishOfBeforeTheUpgradeIsNotCarriedOutAgain(t *testing.T) {
	t.Parallel()
	const hash = "e11c6b8e0dc6c3dca4d11bfbf3651d48"
	b := newBench(t)
	open := b.must("receiveTicket", map[string]any{"customer": "c-1", "title": "It leaks"})
	id, err := model.ParseTicketID(open.ID)
	if err != nil {
		t.Fatal(err)
	}
	command := domain.DeriveUUID(domain.UUID{}, "before")
	written, err := b.log.Append(t.Context(), ticket.Category+"-"+string(id), commands.Expected(open.Revision), []commands.Proposed{{
		ID:       domain.DeriveUUID(command, "0"),
		Event:    respondedV1{ticket.RespondedV1{At: noon, Agent: "robot", Automatic: true}},
		Metadata: domain.Metadata{CommandID: command, CommandHash: hash},
	}})
	if err != nil {
		t.Fatal(err)
	}
	wish := map[string]any{
		"ticketId": open.ID, "commandId": command.String(), "agent": "robot", "message": "We have it", "automatic": true,
	}
	again := b.must("respondToTicket", wish)
	if !again.Repeated || again.Revision != int64(written.Revision) { //nolint:gosec // revisions are below 2^63
		t.Errorf("got %+v, want the receipt of revision %d", again, written.Revision)
	}
	wish["by"] = "AUTORESPONDER"
	if o := b.do("respondToTicket", wish); o.Code != "command.key-reused" {
		t.Errorf("another wish under the same id: got %+v", o)
	}
}

func TestAnAnswerSaysWhoGaveIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, tc := range map[string]struct {
		said map[string]any
		want ticket.Responder
	}{
		"nobody says":           {nil, ticket.Person},
		"nothing":               {map[string]any{"by": nil, "automatic": nil}, ticket.Person},
		"a person":              {map[string]any{"by": "PERSON"}, ticket.Person},
		"an assistant":          {map[string]any{"by": "ASSISTANT"}, ticket.Assistant},
		"an autoresponder":      {map[string]any{"by": "AUTORESPONDER"}, ticket.Autoresponder},
		"the old way":           {map[string]any{"automatic": true}, ticket.Autoresponder},
		"not, the old way":      {map[string]any{"automatic": false}, ticket.Person},
		"both: by goes first":   {map[string]any{"by": "PERSON", "automatic": true}, ticket.Person},
		"both, of one opinion":  {map[string]any{"by": "AUTORESPONDER", "automatic": true}, ticket.Autoresponder},
		"both, of two opinions": {map[string]any{"by": "ASSISTANT", "automatic": false}, ticket.Assistant},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := b.in(t)
			open := b.must("receiveTicket", map[string]any{})
			wish := map[string]any{"ticketId": open.ID}
			maps.Copy(wish, tc.said)
			b.must("respondToTicket", wish)
			id, err := model.ParseTicketID(open.ID)
			if err != nil {
				t.Fatal(err)
			}
			var got ticket.Responder
			for e, err := range b.log.Read(t.Context(), ticket.Category+"-"+string(id), 0) {
				if err != nil {
					t.Fatal(err)
				}
				if answer, ok := e.Event.(ticket.Responded); ok {
					got = answer.By
				}
			}
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
