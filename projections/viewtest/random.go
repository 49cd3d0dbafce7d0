package viewtest

import (
	"strconv"
	"time"

	"pgregory.net/rapid"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/seal"
	"aftercare/domain/ticket"
)

// Batches draws histories of a few cases, interleaved and cut into batches. They are not what a decider would allow: a
// fold takes whatever was stored.
func Batches(t *rapid.T) [][]domain.Recorded {
	var h History
	for n := range rapid.IntRange(5, 60).Draw(t, "events") {
		if n < 3 {
			h.Case(n, received(t, n))
			continue
		}
		h.Case(rapid.IntRange(0, 2).Draw(t, "case"), event(t))
	}
	var batches [][]domain.Recorded
	for rest := h.Events; len(rest) > 0; {
		n := rapid.IntRange(1, len(rest)).Draw(t, "batch")
		batches = append(batches, rest[:n])
		rest = rest[n:]
	}
	return batches
}

func code(t *rapid.T, name string) string {
	return rapid.SampledFrom([]string{"", "a", "b", "é 中", "nul\x00"}).Draw(t, name)
}

func text(t *rapid.T, name string) seal.Text {
	return rapid.SampledFrom([]seal.Text{{}, seal.New("li", "it does not work\x00"), Forgotten("li")}).Draw(t, name)
}

func instant(t *rapid.T, name string) time.Time {
	return Start().Add(time.Duration(rapid.Int64Range(0, int64(1000*time.Hour)).Draw(t, name)))
}

func details(t *rapid.T) ticket.Details {
	return ticket.Details{
		Kind: code(t, "kind"), Priority: code(t, "priority"), Team: code(t, "team"), Agent: code(t, "agent"),
		Attributes: map[string]string{code(t, "attribute"): code(t, "value"), "at": "2026-01-05T08:00:00.123456789Z"},
	}
}

func received(t *rapid.T, n int) ticket.Received {
	return ticket.Received{
		At: instant(t, "received"), Number: "T-" + strconv.Itoa(n), Details: details(t), Customer: "li", Name: text(t, "name"),
		Title: text(t, "title"), Description: text(t, "description"), Source: &ticket.Source{System: "old", Key: code(t, "key")},
	}
}

func event(t *rapid.T) domain.Event {
	at, due := instant(t, "at"), instant(t, "due")
	instance := rapid.IntRange(1, 3).Draw(t, "instance")
	name := rapid.SampledFrom([]string{"resolution", "first_response", "acknowledgement"}).Draw(t, "clock")
	span := []clock.Span{{Start: at, End: due}}
	return rapid.SampledFrom([]domain.Event{
		ticket.Acknowledged{At: at},
		ticket.Responded{At: at, Message: text(t, "message"), By: rapid.SampledFrom([]ticket.Responder{ticket.Person, ticket.Assistant, ticket.Autoresponder}).Draw(t, "by")},
		ticket.Classified{At: at, Details: details(t)},
		ticket.PriorityChanged{At: at, To: code(t, "to"), Reason: text(t, "reason")},
		ticket.Assigned{At: at, Team: code(t, "team"), Agent: code(t, "agent")},
		ticket.WaitStarted{At: at, Reason: code(t, "reason")},
		ticket.Resumed{At: at},
		ticket.Resolved{At: at, Note: text(t, "note")},
		ticket.Reopened{At: at, From: ticket.Done},
		ticket.Closed{At: at},
		ticket.Cancelled{At: at},
		ticket.Rated{At: at, Score: 4, Min: 1, Max: 5, Comment: text(t, "comment"), Team: code(t, "team")},
		ticket.StatusRecorded{At: at, Seq: rapid.IntRange(1, 9).Draw(t, "seq"), Status: code(t, "status")},
		clock.Started{At: at, Instance: instance, Clock: name, Promise: clock.Promise{
			Definition: clock.Version{ID: "gold", Version: 2}, Start: at, Due: due, Unit: clock.Minutes, Counted: span,
		}},
		clock.Paused{At: at, Instance: instance, Reason: "customer"},
		clock.Resumed{At: at, Instance: instance, Due: due, Counted: span},
		clock.Met{At: at, Instance: instance, Due: due, Elapsed: 5},
		clock.MetLate{At: at, Instance: instance, Due: due, Elapsed: 5, Overrun: 1},
		clock.Breached{At: at, Instance: instance},
		clock.Cancelled{At: at, Instance: instance, Reason: "void"},
		clock.Superseded{At: at, Instance: instance, By: instance + 1, Reason: "priority"},
		clock.TargetRecorded{At: at, Clock: name, Due: due, Source: "old"},
		clock.VerdictRecorded{At: at, Clock: name, Met: rapid.Bool().Draw(t, "met"), Source: "old"},
	}).Draw(t, "event")
}
