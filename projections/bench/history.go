package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/seal"
	"aftercare/domain/ticket"
)

// begin is when the first case was received.
var begin = time.Date(2024, 1, 1, 8, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // constant

// maker makes the histories of cases. One seed and one number of a case always make the same. It is used by one goroutine.
type maker struct {
	steps  map[string][]step
	random *rand.Rand
	source *rand.PCG
	zipf   *rand.Zipf
}

func newMaker() *maker {
	source := rand.NewPCG(0, 0)
	random := rand.New(source) //nolint:gosec // not a secret
	return &maker{steps: steps(), random: random, source: source, zipf: rand.NewZipf(random, zipfS, zipfV, longest)}
}

// length returns how many events the case with this number has.
func (m *maker) length(number int) int {
	m.source.Seed(1, uint64(number)) //nolint:gosec // not negative
	return 1 + int(m.zipf.Uint64())  //nolint:gosec // at most longest
}

// history returns the stream of the case with this number and its events.
func (m *maker) history(number int) (stream string, events []domain.Event) {
	c := story{random: m.random, number: number}
	length := m.length(number)
	c.at = begin.Add(time.Duration(number) * 20 * time.Second)
	c.person = fmt.Sprintf("person-%06x", number/3) // people come back
	for name := ticket.TypeReceived; len(events) < length; name = m.next(name) {
		events = append(events, c.event(name))
	}
	return "ticket-" + idOf("case", number).String(), events
}

func (m *maker) next(name string) string {
	n := m.random.IntN(1000)
	for _, s := range m.steps[name] {
		if n -= s.of; n < 0 {
			return s.next
		}
	}
	return ticket.TypeStatusRecorded
}

// idOf returns an id that is the same in every run.
func idOf(kind string, number int) domain.UUID {
	var u domain.UUID
	binary.BigEndian.PutUint64(u[:], uint64(number)) //nolint:gosec // not negative
	return domain.DeriveUUID(u, kind)
}

// story is a case while its history is made.
type story struct {
	random *rand.Rand
	number int
	at     time.Time
	person string
	rows   int
	clocks int
}

func (c *story) event(name string) domain.Event {
	c.at = c.at.Add(time.Duration(1+c.random.IntN(10_000)) * time.Second)
	switch name {
	case ticket.TypeReceived:
		return c.received()
	case ticket.TypeClassified:
		return ticket.Classified{At: c.at, Details: c.details()}
	case ticket.TypeAssigned:
		return ticket.Assigned{At: c.at, Team: c.one("Support group ", 90), Agent: c.one("agent-", 400)}
	case ticket.TypePriorityChanged:
		return ticket.PriorityChanged{At: c.at, From: c.one("priority-", 4), To: c.one("priority-", 4)}
	case ticket.TypeAcknowledged:
		return ticket.Acknowledged{At: c.at}
	case ticket.TypeEscalated:
		return ticket.Escalated{At: c.at, To: c.one("Support group ", 90), Level: 1 + c.random.IntN(2)}
	case ticket.TypeWaitStarted:
		return ticket.WaitStarted{At: c.at, Reason: c.one("awaiting-", 5)}
	case ticket.TypeResumed:
		return ticket.Resumed{At: c.at}
	case ticket.TypeResolved:
		return ticket.Resolved{At: c.at, Resolution: c.one("resolution ", 16)}
	case ticket.TypeReopened:
		return ticket.Reopened{At: c.at, From: ticket.Done}
	case ticket.TypeClosed:
		return ticket.Closed{At: c.at}
	case clock.TypeStarted, clock.TypeMet, clock.TypeMetLate, clock.TypeBreached, clock.TypeTargetRecorded, clock.TypeVerdictRecorded:
		return c.clock(name)
	}
	c.rows++
	return ticket.StatusRecorded{At: c.at, Seq: c.rows, Status: c.one("In progress ", 12)}
}

func (c *story) clock(name string) domain.Event {
	due := c.at.Add(72 * time.Hour)
	switch name {
	case clock.TypeStarted:
		c.clocks++
		return c.started(due)
	case clock.TypeMet:
		return clock.Met{At: c.at, Instance: c.clocks, Due: due, Elapsed: 86_400}
	case clock.TypeMetLate:
		return clock.MetLate{At: due, Instance: c.clocks, Due: c.at, Elapsed: 86_400, Overrun: 3600}
	case clock.TypeBreached:
		return clock.Breached{At: c.at, Instance: c.clocks}
	case clock.TypeTargetRecorded:
		return clock.TargetRecorded{At: c.at, Clock: "resolution", Due: due, Source: c.one("source-", 5)}
	}
	return clock.VerdictRecorded{At: c.at, Clock: "resolution", Met: c.random.IntN(3) > 0, Source: c.one("source-", 5)}
}

func (c *story) started(due time.Time) clock.Started {
	var counted []clock.Span
	for day := c.at.Truncate(24 * time.Hour); day.Before(due); day = day.Add(24 * time.Hour) {
		counted = append(counted, clock.Span{Start: day.Add(13*time.Hour + 30*time.Minute), End: day.Add(22 * time.Hour)})
	}
	return clock.Started{
		At: c.at, Instance: c.clocks, Clock: "resolution", Promise: clock.Promise{
			Definition: clock.Version{ID: "service/resolution", Version: 1}, Calendar: clock.Version{ID: "office", Version: 1}, TZ: "2026a",
			Start: c.at, Budget: 3, Unit: clock.WorkingDays, Due: due, Counted: counted,
		},
	}
}

func (c *story) received() ticket.Received {
	subject := seal.Subject(c.person)
	e := ticket.Received{
		At: c.at, Number: fmt.Sprintf("S%07d", c.number), Details: c.details(), Customer: subject,
		Title:  seal.New(subject, "What went wrong, in the words of the one who asks"),
		Source: &ticket.Source{System: c.one("source-", 5), Key: fmt.Sprintf("INC%07d", c.number)},
	}
	if c.random.IntN(3) == 0 {
		e.Description = seal.New(subject, "It was like this: first nothing worked, then somebody called, and after that nobody did.")
	}
	return e
}

func (c *story) details() ticket.Details {
	return ticket.Details{
		Kind: "incident", Channel: c.one("channel-", 6), Priority: c.one("priority-", 4), Category: c.one("Category ", 60),
		Subcategory: c.one("Subcategory ", 240), Location: c.one("Location ", 200),
		Attributes: map[string]string{"impact": c.one("impact ", 3), "urgency": c.one("urgency ", 3)},
	}
}

// one returns one of so many words.
func (c *story) one(word string, of int) string {
	return fmt.Sprintf("%s%d", word, 1+c.random.IntN(of))
}
