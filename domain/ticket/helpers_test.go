package ticket_test

import (
	"strings"
	"testing"
	"time"

	"aftercare/domain"
	"aftercare/domain/calendar"
	"aftercare/domain/clock"
	"aftercare/domain/domaintest"
	"aftercare/domain/policy"
	"aftercare/domain/seal"
	"aftercare/domain/ticket"
)

type (
	example = domaintest.Case[ticket.Command, domain.Event]
	table   = map[string]example
)

// received is a Monday.
var received = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// after is so many minutes later.
func after(minutes int) time.Time { return received.Add(time.Duration(minutes) * time.Minute) }

func text(s string) seal.Text { return seal.New("person", s) }

func long() string { return strings.Repeat("é", 301) }

func missing(field string) error {
	return domain.Refuse(domain.Invalid, "ticket.value-missing", "field", field)
}

func tooLong(field, limit string) error {
	return domain.Refuse(domain.Invalid, "ticket.value-too-long", "field", field, "limit", limit)
}

func wrongPhase(phase, command string) error {
	return domain.Refuse(domain.WrongState, "ticket.wrong-phase", "phase", phase, "command", command)
}

func events(all ...domain.Event) []domain.Event { return all }

// open is a case without clocks, and the others are where it went.
var (
	open    = events(ticket.Received{At: received, Number: "N", Details: ticket.Details{Priority: "2", Team: "front", Agent: "ann"}})
	waiting = append(open[:1:1], ticket.WaitStarted{At: after(1), Reason: "customer"})
	done    = append(open[:1:1], ticket.Resolved{At: after(1), Agent: "bob"})
	shut    = append(done[:2:2], ticket.Closed{At: after(2)})
	void    = append(open[:1:1], ticket.Cancelled{At: after(1), Reason: "void"})
)

// unclocked runs a table without policies.
func unclocked(t *testing.T, cases table) {
	t.Helper()
	domaintest.Run(t, ticket.New((*policy.Book)(nil)), cases)
}

// always is a pack of clocks around the clock, in version 1 of both.
func always(t *testing.T, clocks ...clock.Definition) *policy.Book {
	t.Helper()
	return book(t, policy.Version{ID: "pack", Number: 1, Clocks: clocks})
}

func book(t *testing.T, packs ...policy.Version) *policy.Book {
	t.Helper()
	cal := calendar.AlwaysOpen("UTC")
	published := []policy.Published{{Version: policy.Version{ID: "always", Number: 1, Calendar: &cal}}}
	for _, v := range packs {
		if err := v.Validate(); err != nil {
			t.Fatal(err)
		}
		published = append(published, policy.Published{Version: v})
	}
	b, err := policy.NewBook("2026a").With(published...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func minutes(name string, budget int, start, stop string) clock.Definition {
	return clock.Definition{
		Clock: name, Start: []string{start}, Stop: []string{stop}, Budget: budget, Unit: clock.Minutes, Calendar: "always",
		Pause: []string{"customer"},
	}
}

// promise is what minutes promises.
func promise(name string, start time.Time, budget int) clock.Promise {
	due := start.Add(time.Duration(budget) * time.Minute)
	return clock.Promise{
		Definition: clock.Version{ID: "pack/" + name, Version: 1}, Calendar: clock.Version{ID: "always", Version: 1}, TZ: "2026a",
		Start: start, Budget: budget, Unit: clock.Minutes, Due: due, Counted: []clock.Span{{Start: start, End: due}},
	}
}
