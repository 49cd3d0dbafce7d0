package projections_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/domain/codec"
	domainticket "aftercare/domain/ticket"
	"aftercare/projections"
	"aftercare/projections/postgres/pgtest"
	"aftercare/projections/satisfaction"
	"aftercare/projections/sla"
	"aftercare/projections/ticket"
	"aftercare/projections/timeline"
	"aftercare/projections/viewtest"
)

// shipped are the views of the program and the tables they fold into.
func shipped() map[string]projections.View {
	return map[string]projections.View{
		"ticket": ticket.View(), "entry": timeline.View(), "promise": sla.View(), "answer": satisfaction.View(),
	}
}

// TestViewsTakeRetiredTypesAsThoseOfToday finds a view that lists a type and forgets what it was called before.
func TestViewsTakeRetiredTypesAsThoseOfToday(t *testing.T) {
	t.Parallel()
	stored, retired := catalog.Codec(), 0
	for _, name := range stored.Names() {
		today := stored.Today(name)
		if today == name {
			continue
		}
		retired++
		for _, v := range shipped() {
			if v.Handles(name) != v.Handles(today) {
				t.Errorf("%s takes %s: %t, and %s: %t", v.Name(), today, v.Handles(today), name, v.Handles(name))
			}
		}
	}
	if retired == 0 {
		t.Error("no type is retired")
	}
}

// TestARetiredEventMakesTheRowsOfItsTwin folds the same case with answers as they are stored now and as they were.
func TestARetiredEventMakesTheRowsOfItsTwin(t *testing.T) {
	t.Parallel()
	history := func(old bool) []domain.Recorded {
		var h viewtest.History
		h.Case(1,
			domainticket.Received{At: viewtest.At(0), Number: "AC-1"},
			answer(t, old, 1, domainticket.Autoresponder),
			answer(t, old, 2, domainticket.Person),
			domainticket.Resolved{At: viewtest.At(3)},
		)
		for i := range h.Events {
			if _, answered := h.Events[i].Event.(domainticket.Responded); answered && old {
				h.Events[i].Type = domainticket.TypeRespondedV1
			}
		}
		return h.Events
	}
	for table, v := range shipped() {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.Pool(t)
			rows := func(old bool) string {
				viewtest.Live(t, pool, v, history(old))
				return strings.Join(viewtest.Rows(t, pool, v, table), "\n")
			}
			// Only the timeline shows under which name an event is stored.
			was := strings.ReplaceAll(rows(true), domainticket.TypeRespondedV1, domainticket.TypeResponded)
			if diff := cmp.Diff(rows(false), was); diff != "" {
				t.Errorf("rows (-today +retired):\n%s", diff)
			}
			if v.Name() == "ticket" && !strings.Contains(was, "AC-1") {
				t.Errorf("the case has no row: %q", was)
			}
		})
	}
}

// answer is an answer after some hours, as today's or as the retired type has it.
func answer(t *testing.T, old bool, hours float64, by domainticket.Responder) domain.Event {
	t.Helper()
	at := viewtest.At(hours)
	if !old {
		return domainticket.Responded{At: at, By: by, Agent: "anna"}
	}
	data := fmt.Sprintf(`{"at":%q,"agent":"anna","automatic":%t}`, at.Format("2006-01-02T15:04:05Z07:00"), by == domainticket.Autoresponder)
	r, err := catalog.Codec().Decode(t.Context(), nil, codec.Raw{Type: domainticket.TypeRespondedV1, Data: []byte(data), Metadata: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	return r.Event
}
