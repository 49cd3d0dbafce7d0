package graph_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/graph"
	"aftercare/graph/model"
)

// fill opens twelve cases, an hour apart and over the end of a month, and moves some of them on. It returns their ids and the
// last position.
func (b *bench) fill() (ids []string, at string) {
	b.Helper()
	start := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	when := func(hours int) string { return start.Add(time.Duration(hours) * time.Hour).Format(time.RFC3339) }
	for i := range 12 {
		input := map[string]any{
			"commandId": domain.DeriveUUID(domain.UUID{}, fmt.Sprint("open ", i)).String(), "occurredAt": when(i),
			"number": fmt.Sprintf("SN-%02d", i), "priority": []string{"low", "high"}[i%2], "kind": "repair", "customer": fmt.Sprint("c-", i%3),
			"title": fmt.Sprint("Case ", i), "name": "Ada", "attributes": []map[string]any{{"name": "site", "value": "north"}},
		}
		o := b.must("receiveTicket", input)
		ids = append(ids, o.ID)
		if i%3 == 0 {
			b.must("assignTicket", map[string]any{"ticketId": o.ID, "team": "field", "agent": "a-1", "occurredAt": when(i + 1)})
			b.must("resolveTicket", map[string]any{"ticketId": o.ID, "resolution": "fixed", "note": "New seal", "occurredAt": when(i + 2)})
			o = b.must("rateTicket", map[string]any{"ticketId": o.ID, "score": 3 + i%2, "comment": "Fine", "occurredAt": when(i + 3)})
		}
		at = o.Position
	}
	b.settle(at)
	return ids, at
}

// settle waits until all views have come to a position.
func (b *bench) settle(at string) {
	b.Helper()
	p, err := model.ParsePosition(at)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := b.tracker.Wait(b.Context(), p, "ticket", "timeline", "sla", "satisfaction"); err != nil {
		b.Fatal(err)
	}
}

func TestOperationsAnswerAsBefore(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ids, _ := b.fill()
	variables := map[string]map[string]any{
		"nodes": {"first": ids[2], "ids": []string{ids[5], "nothing", ids[1], ids[5], model.GlobalID("Agent", "a-1")}},
	}
	files, err := filepath.Glob("testdata/operations/*.graphql")
	if err != nil || len(files) < 4 {
		t.Fatalf("found %d operations, error %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".graphql")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := b.in(t)
			document, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			a := b.ask(string(document), variables[name])
			if len(a.Errors) > 0 {
				t.Fatalf("got errors %+v", a.Errors)
			}
			golden(t, filepath.Join("operations", name+".json"), a.Data)
		})
	}
}

type list struct {
	Tickets struct {
		TotalCount *int64
		Nodes      []struct{ Number string }
		PageInfo   struct {
			HasNextPage, HasPreviousPage bool
			StartCursor, EndCursor       *string
		}
	}
}

const listQuery = `query($first: Int, $after: String, $last: Int, $before: String, $order: TicketOrder) {
	tickets(first: $first, after: $after, last: $last, before: $before, order: $order) {
		nodes {number} pageInfo {hasNextPage hasPreviousPage startCursor endCursor}
	} }`

func TestPagesGoBothWays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill()
	for _, order := range []map[string]any{
		nil, {"field": "NUMBER", "direction": "ASC"}, {"field": "PRIORITY", "direction": "DESC"}, {"field": "LAST_EVENT_AT", "direction": "ASC"},
	} {
		all := data[list](b, listQuery, map[string]any{"first": 100, "order": order}).numbers()
		if len(all) != 12 {
			t.Fatalf("order %v: got %v", order, all)
		}
		var forward, backward []string
		v := map[string]any{"first": 5, "order": order}
		for range 12 {
			page := data[list](b, listQuery, v)
			forward = append(forward, page.numbers()...)
			if !page.Tickets.PageInfo.HasNextPage {
				break
			}
			v["after"] = *page.Tickets.PageInfo.EndCursor
		}
		v = map[string]any{"last": 5, "order": order}
		for range 12 {
			page := data[list](b, listQuery, v)
			backward = append(page.numbers(), backward...)
			if !page.Tickets.PageInfo.HasPreviousPage {
				break
			}
			v["before"] = *page.Tickets.PageInfo.StartCursor
		}
		if diff := cmp.Diff(all, forward); diff != "" {
			t.Errorf("order %v: forward pages miss or repeat (-want +got):\n%s", order, diff)
		}
		if diff := cmp.Diff(all, backward); diff != "" {
			t.Errorf("order %v: backward pages miss or repeat (-want +got):\n%s", order, diff)
		}
	}
	a := b.ask(listQuery, map[string]any{"after": "bm9uc2Vuc2U"})
	if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "page.cursor-malformed" {
		t.Errorf("a cursor of nowhere: got %+v", a.Errors)
	}
}

func (l list) numbers() []string {
	numbers := make([]string, len(l.Tickets.Nodes))
	for i, n := range l.Tickets.Nodes {
		numbers[i] = n.Number
	}
	return numbers
}

func TestHistoriesHavePages(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ids, _ := b.fill()
	type history struct {
		Ticket struct {
			Timeline struct {
				Nodes    []struct{ Revision int64 }
				PageInfo struct {
					HasNextPage, HasPreviousPage bool
					StartCursor, EndCursor       *string
				}
			}
		}
	}
	const q = `query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { ticket(id: $id) {
		timeline(first: $first, after: $after, last: $last, before: $before) {
			nodes {revision} pageInfo {hasNextPage hasPreviousPage startCursor endCursor} } } }`
	revisions := func(v map[string]any) (got []int64, h history) {
		v["id"] = ids[0]
		h = data[history](b, q, v)
		for _, n := range h.Ticket.Timeline.Nodes {
			got = append(got, n.Revision)
		}
		return got, h
	}
	all, _ := revisions(map[string]any{})
	if len(all) < 4 || !slices.IsSorted(all) {
		t.Fatalf("got %v", all)
	}
	head, h := revisions(map[string]any{"first": 3})
	tail, _ := revisions(map[string]any{"first": 100, "after": *h.Ticket.Timeline.PageInfo.EndCursor})
	if got := append(head, tail...); !slices.Equal(got, all) || !h.Ticket.Timeline.PageInfo.HasNextPage {
		t.Errorf("forward: got %v, want %v", got, all)
	}
	tail, h = revisions(map[string]any{"last": 3})
	head, _ = revisions(map[string]any{"last": 100, "before": *h.Ticket.Timeline.PageInfo.StartCursor})
	if got := append(head, tail...); !slices.Equal(got, all) || !h.Ticket.Timeline.PageInfo.HasPreviousPage {
		t.Errorf("backward: got %v, want %v", got, all)
	}
}

// TestStatementsDoNotGrowWithTheList holds what a list costs: one statement for the tickets and one for each field below them,
// whichever way they are reached.
func TestStatementsDoNotGrowWithTheList(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill()
	const q = `query($n: Int) { tickets(first: $n) {
		edges { node { number clocks {clock} ratings {score} timeline(last: 5) {nodes {type}} } }
		nodes { id clocks {due} first: timeline(first: 2) {nodes {type}} timeline(last: 5) {edges {cursor}} } } }`
	for _, n := range []int{1, 12} {
		before := b.counted.n.Load()
		data[map[string]any](b, q, map[string]any{"n": n})
		if got := b.counted.n.Load() - before; got != 5 {
			t.Errorf("%d tickets took %d statements, want 5: tickets, clocks, ratings, the first and the last of the histories", n, got)
		}
	}
	before := b.counted.n.Load()
	data[map[string]any](b, `{tickets(first: 3) {totalCount nodes {id}}}`, nil)
	if got := b.counted.n.Load() - before; got != 2 {
		t.Errorf("a list with its count took %d statements, want 2", got)
	}
}

func TestReadsWaitForWrites(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	o := b.must("receiveTicket", map[string]any{"title": "New"})
	const q = `query($at: Position, $ms: Int) { tickets(consistency: {atLeast: $at, maxWaitMs: $ms}) {nodes {id}} }`
	a := b.ask(q, map[string]any{"at": o.Position, "ms": 10_000})
	if c := a.Extensions.Consistency; len(a.Errors) > 0 || c == nil || !c.Satisfied || c.Position == "" || !strings.Contains(string(a.Data), o.ID) {
		t.Errorf("got %s %+v %+v", a.Data, a.Extensions.Consistency, a.Errors)
	}
	never := model.FormatPosition(domain.Position{Commit: 1 << 60, Prepare: 1 << 60})
	a = b.ask(q, map[string]any{"at": never, "ms": 20})
	if c := a.Extensions.Consistency; len(a.Errors) > 0 || c == nil || c.Satisfied || !strings.Contains(string(a.Data), o.ID) {
		t.Errorf("a wait that is not fulfilled: got %s %+v %+v", a.Data, a.Extensions.Consistency, a.Errors)
	}
	a = b.ask(q, map[string]any{"at": "zzz"})
	if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "position.malformed" {
		t.Errorf("a position of nowhere: got %+v", a.Errors)
	}
}

func TestViewsTellHowFarTheyAre(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, at := b.fill()
	got := data[struct {
		Views []struct {
			Name, Position string
			LagMs, Parked  int64
			Failing        bool
		}
	}](b, "{views {name position lagMs parked failing}}", nil)
	want := []string{"satisfaction", "sla", "ticket", "timeline"}
	var names []string
	for _, v := range got.Views {
		names = append(names, v.Name)
		if v.Position < at && v.Position != at || v.Parked != 0 || v.Failing {
			t.Errorf("got %+v after %s", v, at)
		}
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("views (-want +got):\n%s", diff)
	}
}

func TestPostgresDownIsTold(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *graph.Config) { c.DB = down{c.DB} })
	a := b.ask("{tickets {nodes {id}}}", nil)
	if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "views.unavailable" || a.Errors[0].Extensions["retryable"] != true {
		t.Errorf("got %+v", a.Errors)
	}
}

func TestReadsGoOnWithoutTheStore(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	o := b.must("receiveTicket", map[string]any{"title": "New"})
	b.store.Stop()
	a := b.ask("{tickets {nodes {id}}}", nil)
	if c := a.Extensions.Consistency; len(a.Errors) > 0 || c == nil || c.LagMs != nil || !strings.Contains(string(a.Data), o.ID) {
		t.Errorf("got %s %+v %+v", a.Data, a.Extensions.Consistency, a.Errors)
	}
}

func TestQuestionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for document, want := range map[string]string{
		`{caseStatistics(input: {zone: "Mars/Olympus", by: [{dimension: MONTH}]}) {cases}}`:                "facet.unknown-zone",
		`{caseStatistics(input: {by: [{dimension: ATTRIBUTE}]}) {cases}}`:                                  "dimension.attribute-name",
		`{caseStatistics(input: {by: [{dimension: CLOCK}]}) {cases}}`:                                      "facet.dimension-not-here",
		`{durations(input: {from: {}, to: {firstEvent: true}}) {count}}`:                                   "milestone.one-of",
		`{durations(input: {from: {fact: "received", firstEvent: true}, to: {firstEvent: true}}) {count}}`: "milestone.one-of",
		`{durations(input: {from: {fact: "beamed-up"}, to: {lastEvent: true}}) {count}}`:                   "ticket.unknown-milestone",
		`{slaAttainment(input: {basis: SOURCE_VERDICT, from: "2026-01-01T00:00:00Z"}) {met}}`:              "sla.verdict-has-no-due-time",
		`{tickets(filter: {receivedFrom: "yesterday"}) {nodes {id}}}`:                                      "time.malformed",
		`{tickets(filter: {ids: ["x"]}) {nodes {id}}}`:                                                     "id.malformed",
		`{ticket {id}}`: "ticket.id-or-number",
		`{caseStatistics(input: {by: [{dimension: TEAM}, {dimension: TEAM}, {dimension: TEAM}, {dimension: TEAM}, {dimension: TEAM}]}) {cases}}`: "dimensions.too-many",
	} {
		a := b.ask(document, nil)
		if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != want || a.Errors[0].Message == "" {
			t.Errorf("%s\ngot %+v, want %s", document, a.Errors, want)
		}
	}
}

func TestAServiceNumberIsUnderstoodAsItIsSpoken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	o := b.must("receiveTicket", map[string]any{})
	spoken := strings.ToLower(strings.ReplaceAll(o.Ticket.Number, "-", " "))
	got := data[struct{ Ticket *struct{ ID string } }](b, "query($n: String!) {ticket(number: $n) {id}}", map[string]any{"n": spoken})
	if got.Ticket == nil || got.Ticket.ID != o.ID {
		t.Errorf("%q, said of %s: got %+v", spoken, o.Ticket.Number, got.Ticket)
	}
}
