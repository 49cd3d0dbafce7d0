package main_test

import (
	"encoding/json"
	"fmt"
	"strings"
)

// outcome is what a mutation of a ticket answers.
type outcome struct {
	Typename      string `json:"__typename"`
	Code, Message string
	Retryable     bool
	ID            string
	Revision      json.Number
	Position      string
	CommandID     string
	Repeated      bool
	Ticket        *struct{ Phase string }
}

// mutate carries out a mutation such as "closeTicket".
func (a api) mutate(name string, input map[string]any) outcome {
	a.tb.Helper()
	operation := fmt.Sprintf(`mutation ($input: %s%sInput!) { result: %s(input: $input) { __typename
		... on TicketChanged { id revision position commandId repeated ticket { phase } }
		... on Problem { code message }
		... on Unavailable { retryable } } }`, strings.ToUpper(name[:1]), name[1:], name)
	answered := a.ask(operation, map[string]any{"input": input})
	if len(answered.Errors) > 0 {
		e := answered.Errors[0]
		return outcome{Typename: "error", Code: e.Extensions.Code, Message: e.Message, Retryable: e.Extensions.Retryable}
	}
	var into struct{ Result outcome }
	if err := json.Unmarshal(answered.Data, &into); err != nil {
		a.tb.Fatalf("%s: %v: %s", name, err, answered.Data)
	}
	return into.Result
}

// done carries out a mutation that must succeed.
func (a api) done(name string, input map[string]any) outcome {
	a.tb.Helper()
	got := a.mutate(name, input)
	if got.Typename != "TicketChanged" {
		a.tb.Fatalf("%s: %+v", name, got)
	}
	return got
}

// types lists the facts of a ticket, those of its clocks left out, as the read model has them, at a position if one is given.
func (a api) types(id, position string) []string {
	a.tb.Helper()
	variables := map[string]any{"id": id}
	if position != "" {
		variables["at"] = position
	}
	got := data[struct {
		Ticket struct {
			Timeline struct{ Nodes []struct{ Type string } }
		}
	}](a.tb, a, `query ($id: ID, $at: Position) { ticket(id: $id, consistency: {atLeast: $at, maxWaitMs: 10000}) { timeline(first: 100) { nodes { type } } } }`,
		variables)
	var all []string
	for _, node := range got.Ticket.Timeline.Nodes {
		if !strings.HasPrefix(node.Type, "clock.") {
			all = append(all, node.Type)
		}
	}
	return all
}
