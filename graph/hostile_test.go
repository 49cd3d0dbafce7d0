package graph_test

import (
	"testing"
)

// TestTextsPostgresCannotKeepAreNoFault sends U+0000 wherever texts go in: nothing there may be answered as our own fault.
func TestTextsPostgresCannotKeepAreNoFault(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	o := b.must("receiveTicket", map[string]any{
		"title": "a\x00b", "kind": "x\x00", "number": "n\x00", "attributes": []map[string]any{{"name": "k\x00", "value": "v\x00"}},
	})
	b.settle(o.Position)
	if got := b.do("receiveTicket", map[string]any{"customer": "c\x00", "name": "Ada"}); got.Code != "customer.malformed" {
		t.Errorf("got %+v, want customer.malformed", got)
	}
	for name, document := range map[string]string{
		"a code":              `{ it: tickets(filter: {kind: ["x\u0000"]}) { totalCount } }`,
		"an attribute":        `{ it: tickets(filter: {attributes: [{name: "k\u0000", in: ["v\u0000"]}]}) { totalCount } }`,
		"an attribute not in": `{ it: tickets(filter: {attributes: [{name: "k\u0000", notIn: ["\u0000"]}]}) { totalCount } }`,
		"the number":          `{ it: tickets(filter: {search: "n\u0000"}) { totalCount } }`,
	} {
		got := data[struct{ It struct{ TotalCount int } }](b, document, nil)
		if got.It.TotalCount != 1 {
			t.Errorf("%s: found %d cases, want the one", name, got.It.TotalCount)
		}
	}
	for name, document := range map[string]string{
		"a number":     `{ ticket(number: "n\u0000") { number } }`,
		"a customer":   `{ tickets(filter: {customer: ["\u0000"]}) { totalCount } }`,
		"clocks":       `{ slaAttainment(input: {clocks: ["\u0000"], by: [{dimension: ATTRIBUTE, attribute: "\u0000"}]}) { met } }`,
		"a milestone":  `{ durations(input: {from: {status: ["\u0000"]}, to: {lastEvent: true}}) { count } }`,
		"a cursor":     `{ tickets(order: {field: PRIORITY}, after: "WyJwcmlvcml0eS1kZXNjIiwiYVx1MDAwMCIsIjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMCJd") { totalCount } }`,
		"satisfaction": `{ satisfaction(input: {filter: {team: ["\u0000"]}}) { count } }`,
	} {
		if a := b.ask(document, nil); len(a.Errors) > 0 {
			t.Errorf("%s: got errors %+v", name, a.Errors)
		}
	}
}

func TestATimeBeyondWhatCanBeWrittenIsMalformed(t *testing.T) {
	t.Parallel()
	b := bare(t)
	for _, at := range []string{"0000-01-01T00:00:00+14:00", "0000-06-01T00:00:00Z", "9999-12-31T23:59:59-14:00"} {
		a := b.ask(`query($at: Time) { tickets(filter: {receivedFrom: $at}) { totalCount } }`, map[string]any{"at": at})
		if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "time.malformed" {
			t.Errorf("%s: got %+v, want time.malformed", at, a.Errors)
		}
	}
}

func TestAGoalNobodyCanMeetIsRefused(t *testing.T) {
	t.Parallel()
	b := bare(t)
	for _, document := range []string{
		`{ slaAttainment(input: {goal: 5}) { met } }`, `{ slaAttainment(input: {goal: 0}) { met } }`,
		`{ satisfaction(input: {goal: -1}) { count } }`, `{ satisfaction(input: {goal: 101}) { count } }`,
	} {
		a := b.ask(document, nil)
		if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "goal.out-of-range" {
			t.Errorf("%s: got %+v, want goal.out-of-range", document, a.Errors)
		}
	}
}

func TestABlankNumberIsNoNumber(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if o := b.must("receiveTicket", map[string]any{"number": " \n\t"}); o.Ticket == nil || len(o.Ticket.Number) < 10 {
		t.Errorf("got %+v, want a number made for the case", o)
	}
}
