package ticket_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/domain/seal"
	domainticket "aftercare/domain/ticket"
	"aftercare/projections/facet"
	"aftercare/projections/page"
	"aftercare/projections/ticket"
	"aftercare/projections/viewtest"
)

// seven are cases of which each field tells one apart; cases 3 and 4 arrive together.
func seven(t *testing.T) *pgxpool.Pool {
	t.Helper()
	var h viewtest.History
	for n, e := range []domainticket.Received{
		{At: at(1), Number: "AC-1", Details: domainticket.Details{Priority: "3"}, Title: seal.New("li", "The boiler is cold")},
		{At: at(2), Number: "AC-2", Details: domainticket.Details{Priority: "1", Team: "one"}, Description: seal.New("li", "cold water, hot kettle")},
		{At: at(3), Number: "AC-3", Details: domainticket.Details{Priority: "2", Attributes: map[string]string{"again": "0"}}},
		{At: at(3), Number: "AC-4", Details: domainticket.Details{Priority: "2", Attributes: map[string]string{"again": "2"}}},
		{At: at(5), Number: "BD-5", Source: &domainticket.Source{System: "old", Key: "ac-77_1"}, Title: seal.New("li", "热水器不工作")},
		{At: at(6), Number: "BD-6", Customer: "li", Details: domainticket.Details{Kind: "complaint", Channel: "web"}},
		{At: at(7), Number: "BD-7", Details: domainticket.Details{Category: "c", Subcategory: "s", Product: "p", Location: "l", Agent: "anna"}},
	} {
		h.Case(n+1, e)
	}
	h.Case(1, domainticket.Noted{At: at(100)})
	h.Case(7, domainticket.StatusRecorded{At: at(8), Seq: 1, Status: "Queued"}, domainticket.Resolved{At: at(9)})
	return given(t, h)
}

func numbers(rows []ticket.Row) []string {
	var all []string
	for _, r := range rows {
		all = append(all, r.Number)
	}
	return all
}

func TestAFilterChoosesCases(t *testing.T) {
	t.Parallel()
	pool := seven(t)
	for name, c := range map[string]struct {
		filter facet.Filter
		want   []string
	}{
		"nothing":       {facet.Filter{}, []string{"AC-1", "AC-2", "AC-3", "AC-4", "BD-5", "BD-6", "BD-7"}},
		"ids":           {facet.Filter{IDs: []domain.UUID{viewtest.ID(2), viewtest.ID(9)}}, []string{"AC-2"}},
		"source":        {facet.Filter{Sources: []string{"old"}}, []string{"BD-5"}},
		"priorities":    {facet.Filter{Priorities: []string{"1", "3"}}, []string{"AC-1", "AC-2"}},
		"not known":     {facet.Filter{Priorities: []string{""}}, []string{"BD-5", "BD-6", "BD-7"}},
		"team":          {facet.Filter{Teams: []string{"one"}}, []string{"AC-2"}},
		"kind, channel": {facet.Filter{Kinds: []string{"complaint"}, Channels: []string{"web"}}, []string{"BD-6"}},
		"the rest": {facet.Filter{
			Categories: []string{"c"}, Subcategories: []string{"s"}, Products: []string{"p"}, Locations: []string{"l"}, Agents: []string{"anna"},
			Statuses: []string{"Queued"}, Phases: []domainticket.Phase{domainticket.Done},
		}, []string{"BD-7"}},
		"customer":      {facet.Filter{Customers: []string{"li"}}, []string{"BD-6"}},
		"attribute":     {facet.Filter{Attributes: []facet.AttributeFilter{{Name: "again"}}}, []string{"AC-3", "AC-4"}},
		"attribute in":  {facet.Filter{Attributes: []facet.AttributeFilter{{Name: "again", In: []string{"0", "1"}}}}, []string{"AC-3"}},
		"attribute not": {facet.Filter{Attributes: []facet.AttributeFilter{{Name: "again", NotIn: []string{"0"}}}}, []string{"AC-4"}},
		"received":      {facet.Filter{ReceivedFrom: at(2), ReceivedTo: at(5)}, []string{"AC-2", "AC-3", "AC-4"}},
		"number":        {facet.Filter{Text: "bd-"}, []string{"BD-5", "BD-6", "BD-7"}},
		"source key":    {facet.Filter{Text: "AC-77_"}, []string{"BD-5"}},
		"no wildcard":   {facet.Filter{Text: "AC-7__"}, nil},
		"a word":        {facet.Filter{Text: "cold"}, []string{"AC-1", "AC-2"}},
		"two words":     {facet.Filter{Text: "Kettle cold"}, []string{"AC-2"}},
		"no spaces":     {facet.Filter{Text: "不工作"}, []string{"BD-5"}},
		"odd query":     {facet.Filter{Text: `") & | ! ' \ %`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := ticket.Find(t.Context(), pool, ticket.Query{Filter: c.filter})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, numbers(list.Rows)); diff != "" {
				t.Errorf("cases differ (-want +got):\n%s", diff)
			}
			n, err := ticket.Count(t.Context(), pool, c.filter)
			if err != nil || n != int64(len(c.want)) {
				t.Errorf("Count = %d, %v, want %d", n, err, len(c.want))
			}
		})
	}
}

func TestPagesCoverAListInBothDirections(t *testing.T) {
	t.Parallel()
	pool := seven(t)
	for _, by := range []ticket.OrderBy{ticket.OrderReceived, ticket.OrderLastEvent, ticket.OrderPriority, ticket.OrderNumber} {
		for _, descending := range []bool{false, true} {
			q := ticket.Query{OrderBy: by, Descending: descending}
			whole, err := ticket.Find(t.Context(), pool, q)
			if err != nil {
				t.Fatal(err)
			}
			var forward, backward []string
			q.Page = page.Page{First: 2}
			for more := true; more; {
				part, err := ticket.Find(t.Context(), pool, q)
				if err != nil {
					t.Fatal(err)
				}
				forward = append(forward, numbers(part.Rows)...)
				q.Page.After, more = part.Cursors[len(part.Cursors)-1], part.HasNext
			}
			q.Page = page.Page{Last: 3}
			for more := true; more; {
				part, err := ticket.Find(t.Context(), pool, q)
				if err != nil {
					t.Fatal(err)
				}
				backward = append(numbers(part.Rows), backward...)
				q.Page.Before, more = part.Cursors[0], part.HasPrevious
			}
			if len(whole.Rows) != 7 {
				t.Fatalf("order %d has %d cases, want 7", by, len(whole.Rows))
			}
			if diff := cmp.Diff(numbers(whole.Rows), forward); diff != "" {
				t.Errorf("order %d: pages forward differ (-whole +pages):\n%s", by, diff)
			}
			if diff := cmp.Diff(numbers(whole.Rows), backward); diff != "" {
				t.Errorf("order %d: pages backward differ (-whole +pages):\n%s", by, diff)
			}
		}
	}
}

func TestAnOrderSortsCases(t *testing.T) {
	t.Parallel()
	list, err := ticket.Find(t.Context(), seven(t), ticket.Query{OrderBy: ticket.OrderLastEvent, Descending: true, Page: page.Page{First: 2}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"AC-1", "BD-7"}, numbers(list.Rows)); diff != "" {
		t.Errorf("cases differ (-want +got):\n%s", diff)
	}
}

func TestABadPageIsRefused(t *testing.T) {
	t.Parallel()
	pool := seven(t)
	list, err := ticket.Find(t.Context(), pool, ticket.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]ticket.Query{
		"a cursor of another order":  {OrderBy: ticket.OrderNumber, Page: page.Page{After: list.Cursors[0]}},
		"no cursor":                  {Page: page.Page{Before: "x"}},
		"a cursor with other values": {Page: page.Page{After: page.Encode("received", "yesterday", viewtest.ID(1).String())}},
		"both ends":                  {Page: page.Page{First: 1, Last: 1}},
		"too many":                   {Page: page.Page{First: page.MaxSize + 1}},
		"an unknown order":           {OrderBy: 99},
	} {
		_, err := ticket.Find(t.Context(), pool, q)
		var refusal *domain.Error
		if !errors.As(err, &refusal) || refusal.Kind != domain.Invalid {
			t.Errorf("%s: error %v, want a refusal", name, err)
		}
	}
}

func TestACaseIsFoundByItsNames(t *testing.T) {
	t.Parallel()
	pool := seven(t)
	if r, ok, err := ticket.ByNumber(t.Context(), pool, "BD-5"); err != nil || !ok || r.ID != viewtest.ID(5) {
		t.Errorf("ByNumber = %v, %v, %v, want case 5", r.ID, ok, err)
	}
	if r, ok, err := ticket.BySource(t.Context(), pool, "old", "ac-77_1"); err != nil || !ok || r.ID != viewtest.ID(5) {
		t.Errorf("BySource = %v, %v, %v, want case 5", r.ID, ok, err)
	}
	got, ok, err := ticket.ByNumber(t.Context(), pool, "BD")
	if err != nil || ok {
		t.Errorf("ByNumber of no case = %v, %v, want none", ok, err)
	}
	if diff := cmp.Diff(ticket.Row{}, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("no case is %s", diff)
	}
}
