package ticket_test

import (
	"testing"
	"time"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/ticket"
)

// row is the fifth minute's row of a foreign history.
func row(seq int, status string, phase ticket.Phase) ticket.RecordStatus {
	return ticket.RecordStatus{At: after(5), Seq: seq, Status: status, Phase: phase}
}

func recorded(seq int, status string, more ...domain.Event) []domain.Event {
	return append(events(ticket.StatusRecorded{At: after(5), Seq: seq, Status: status}), more...)
}

func TestRowsOfAHistory(t *testing.T) {
	t.Parallel()
	first := append(open[:1:1], ticket.StatusRecorded{At: after(1), Seq: 3, Status: "New"})
	withAgent := row(1, "New", 0)
	withAgent.Agent = "ann"
	unclocked(t, table{
		"a row is kept word for word":               {Given: open, When: row(1, "Nèw!", 0), Then: recorded(1, "Nèw!")},
		"a row that is known is nothing":            {Given: first, When: row(3, "Other", ticket.Done)},
		"nor is one before it":                      {Given: first, When: row(2, "Other", ticket.Done)},
		"the next row is recorded":                  {Given: first, When: row(4, "New", 0), Then: recorded(4, "New")},
		"rows may be left out":                      {Given: first, When: row(9, "New", 0), Then: recorded(9, "New")},
		"rows count from 1":                         {Given: open, When: row(0, "New", 0), Fails: domain.Refuse(domain.Invalid, "ticket.bad-sequence", "seq", "0")},
		"no row has a negative number":              {Given: open, When: row(-1, "New", 0), Fails: ticket.ErrBadSequence},
		"a row has a status":                        {Given: open, When: row(1, "", 0), Fails: missing("status")},
		"a status has a limit":                      {Given: open, When: row(1, long(), 0), Fails: tooLong("status", "300")},
		"an agent who has the case changes nothing": {Given: open, When: withAgent, Then: events(ticket.StatusRecorded{At: after(5), Seq: 1, Status: "New", Agent: "ann"})},
		"what came before the receipt is kept": {
			Given: open, When: ticket.RecordStatus{At: received.Add(-time.Hour), Seq: 1, Status: "Closed", Phase: ticket.Shut},
			Then: events(
				ticket.StatusRecorded{At: received.Add(-time.Hour), Seq: 1, Status: "Closed"}, ticket.Closed{At: received.Add(-time.Hour)},
			),
		},
	})
}

func TestPhasesOfAHistory(t *testing.T) {
	t.Parallel()
	reopened := func(from ticket.Phase) domain.Event { return ticket.Reopened{At: after(5), From: from} }
	wait := func(reason string) ticket.RecordStatus {
		r := row(1, "s", ticket.Waiting)
		r.Reason = reason
		return r
	}
	waits := func(reason string) domain.Event { return ticket.WaitStarted{At: after(5), Reason: reason} }
	goesOn := ticket.Resumed{At: after(5)}
	resolved, closed := ticket.Resolved{At: after(5), Agent: "ann"}, ticket.Closed{At: after(5)}
	unclocked(t, table{
		"open stays open":                        {Given: open, When: row(1, "s", ticket.Open), Then: recorded(1, "s")},
		"no phase changes none":                  {Given: done, When: row(1, "s", 0), Then: recorded(1, "s")},
		"open is resolved":                       {Given: open, When: row(1, "s", ticket.Done), Then: recorded(1, "s", resolved)},
		"open is closed without a resolution":    {Given: open, When: row(1, "s", ticket.Shut), Then: recorded(1, "s", closed)},
		"open is cancelled":                      {Given: open, When: row(1, "s", ticket.Void), Then: recorded(1, "s", ticket.Cancelled{At: after(5)})},
		"resolved stays resolved":                {Given: done, When: row(1, "s", ticket.Done), Then: recorded(1, "s")},
		"resolved is closed":                     {Given: done, When: row(1, "s", ticket.Shut), Then: recorded(1, "s", closed)},
		"resolved comes back":                    {Given: done, When: row(1, "s", ticket.Open), Then: recorded(1, "s", reopened(ticket.Done))},
		"closed comes back":                      {Given: shut, When: row(1, "s", ticket.Open), Then: recorded(1, "s", reopened(ticket.Shut))},
		"cancelled comes back":                   {Given: void, When: row(1, "s", ticket.Open), Then: recorded(1, "s", reopened(ticket.Void))},
		"closed comes back to wait":              {Given: shut, When: wait("customer"), Then: recorded(1, "s", reopened(ticket.Shut), waits("customer"))},
		"from closed to resolved is no way back": {Given: shut, When: row(1, "s", ticket.Done), Then: recorded(1, "s", resolved)},
		"cancelled may be closed":                {Given: void, When: row(1, "s", ticket.Shut), Then: recorded(1, "s", closed)},
		"open waits":                             {Given: open, When: wait("vendor"), Then: recorded(1, "s", waits("vendor"))},
		"waiting goes on":                        {Given: waiting, When: row(1, "s", ticket.Open), Then: recorded(1, "s", goesOn)},
		"waiting stays waiting":                  {Given: waiting, When: wait("customer"), Then: recorded(1, "s")},
		"waiting for another":                    {Given: waiting, When: wait("vendor"), Then: recorded(1, "s", goesOn, waits("vendor"))},
		"waiting is resolved":                    {Given: waiting, When: row(1, "s", ticket.Done), Then: recorded(1, "s", resolved)},
	})
}

func TestDetailsOfAHistory(t *testing.T) {
	t.Parallel()
	with := func(d ticket.Details) ticket.RecordStatus {
		r := row(1, "s", 0)
		r.Details = d
		return r
	}
	status := func(agent string) domain.Event {
		return ticket.StatusRecorded{At: after(5), Seq: 1, Status: "s", Agent: agent}
	}
	classified := func(d ticket.Details) domain.Event { return ticket.Classified{At: after(5), Details: d} }
	first := with(ticket.Details{Team: "back"})
	first.Fact, first.Phase = ticket.FactEscalated, ticket.Done
	unclocked(t, table{
		"what is the same is no fact":  {Given: open, When: with(ticket.Details{Priority: "2", Team: "front"}), Then: events(status(""))},
		"another team keeps the agent": {Given: open, When: with(ticket.Details{Team: "back"}), Then: events(status(""), ticket.Assigned{At: after(5), Team: "back", Agent: "ann"})},
		"another agent keeps the team": {Given: open, When: with(ticket.Details{Agent: "bob"}), Then: events(status("bob"), ticket.Assigned{At: after(5), Team: "front", Agent: "bob"})},
		"another priority":             {Given: open, When: with(ticket.Details{Priority: "1"}), Then: events(status(""), ticket.PriorityChanged{At: after(5), From: "2", To: "1"})},
		"other details":                {Given: open, When: with(ticket.Details{Category: "c", Attributes: map[string]string{"a": "1"}}), Then: events(status(""), classified(ticket.Details{Category: "c", Attributes: map[string]string{"a": "1"}}))},
		"all at once, each a fact of its own": {
			Given: open, When: with(ticket.Details{Priority: "1", Team: "back", Agent: "bob", Kind: "k"}),
			Then: events(
				status("bob"), ticket.Assigned{At: after(5), Team: "back", Agent: "bob"}, ticket.PriorityChanged{At: after(5), From: "2", To: "1"},
				classified(ticket.Details{Kind: "k"}),
			),
		},
		"details, then the fact, then the phase": {
			Given: open, When: first,
			Then: events(
				status(""), ticket.Assigned{At: after(5), Team: "back", Agent: "ann"}, ticket.Escalated{At: after(5), To: "back", Level: 1},
				ticket.Resolved{At: after(5), Agent: "ann"},
			),
		},
		"a closed case has details, too": {Given: shut, When: with(ticket.Details{Priority: "1"}), Then: events(status(""), ticket.PriorityChanged{At: after(5), From: "2", To: "1"})},
	})
}

func TestFactsOfAHistory(t *testing.T) {
	t.Parallel()
	cases := table{}
	for fact, want := range map[ticket.Fact]domain.Event{
		ticket.FactAcknowledged: ticket.Acknowledged{At: after(5)},
		ticket.FactResponded:    ticket.Responded{At: after(5), By: ticket.Person},
		ticket.FactEscalated:    ticket.Escalated{At: after(5), To: "front", Level: 1},
		ticket.FactDispatched:   ticket.Dispatched{At: after(5)},
		ticket.FactArrived:      ticket.Arrived{At: after(5)},
		ticket.FactDiagnosed:    ticket.Diagnosed{At: after(5)},
		ticket.FactPlanned:      ticket.Planned{At: after(5)},
		ticket.FactConfirmed:    ticket.Confirmed{At: after(5)},
	} {
		r := row(1, "s", 0)
		r.Fact = fact
		cases["a row may say "+fact.String()] = example{Given: open, When: r, Then: recorded(1, "s", want)}
	}
	unclocked(t, cases)
}

func TestWhatASourceSaysOfItsOwnPromises(t *testing.T) {
	t.Parallel()
	due := after(60)
	target := clock.TargetRecorded{At: after(1), Clock: "c", Due: due, Source: "s"}
	verdict := clock.VerdictRecorded{At: after(1), Clock: "c", Met: true, Source: "s"}
	unclocked(t, table{
		"a due time is kept as the source's":   {Given: open, When: ticket.RecordTarget{At: after(1), Clock: "c", Due: due.In(time.FixedZone("", 60)), Source: "s"}, Then: events(target)},
		"the same due time is nothing":         {Given: append(open, target), When: ticket.RecordTarget{At: after(2), Clock: "c", Due: due, Source: "s"}},
		"another due time is another fact":     {Given: append(open, target), When: ticket.RecordTarget{At: after(1), Clock: "c", Due: after(61), Source: "s"}, Then: events(clock.TargetRecorded{At: after(1), Clock: "c", Due: after(61), Source: "s"})},
		"a target has a clock":                 {Given: open, When: ticket.RecordTarget{At: after(1), Due: due}, Fails: missing("clock")},
		"a target has a due time":              {Given: open, When: ticket.RecordTarget{At: after(1), Clock: "c"}, Fails: missing("due")},
		"the name of a target has a limit":     {Given: open, When: ticket.RecordTarget{At: after(1), Clock: long(), Due: due}, Fails: tooLong("clock", "300")},
		"a verdict is kept as the source's":    {Given: open, When: ticket.RecordVerdict{At: after(1), Clock: "c", Met: true, Source: "s"}, Then: events(verdict)},
		"the same verdict is nothing":          {Given: append(open, verdict), When: ticket.RecordVerdict{At: after(2), Clock: "c", Met: true, Source: "s"}},
		"another verdict is another fact":      {Given: append(open, verdict), When: ticket.RecordVerdict{At: after(1), Clock: "c", Source: "s"}, Then: events(clock.VerdictRecorded{At: after(1), Clock: "c", Source: "s"})},
		"a verdict of another clock is a fact": {Given: append(open, verdict), When: ticket.RecordVerdict{At: after(1), Clock: "d", Met: true}, Then: events(clock.VerdictRecorded{At: after(1), Clock: "d", Met: true})},
		"a verdict has a clock":                {Given: open, When: ticket.RecordVerdict{At: after(1)}, Fails: missing("clock")},
		"the source of a verdict has a limit":  {Given: open, When: ticket.RecordVerdict{At: after(1), Clock: "c", Source: long()}, Fails: tooLong("source", "300")},
		"our clocks are not touched by them":   {Given: append(open, target, verdict), When: ticket.Lapse{At: after(600)}},
	})
}
