package ticket_test

import (
	"testing"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/domaintest"
	"aftercare/domain/policy"
	"aftercare/domain/ticket"
)

func started(minute, instance int, name string, budget int) clock.Started {
	return clock.Started{At: after(minute), Instance: instance, Clock: name, Promise: promise(name, after(minute), budget)}
}

func TestClocksOfACase(t *testing.T) {
	t.Parallel()
	rules := always(t, minutes("answer", 10, "received", "responded"), minutes("end", 60, "received", "closed"))
	given := append(open[:1:1], started(0, 1, "answer", 10), started(0, 2, "end", 60))
	answered := clock.Met{At: after(5), Instance: 1, Due: after(10), Elapsed: 300}
	breached := func(instance, minute int) domain.Event {
		return clock.Breached{At: after(minute), Instance: instance}
	}
	paused := func(instance, minute int) domain.Event {
		return clock.Paused{At: after(minute), Instance: instance, Reason: "customer"}
	}
	counted := func(from, to int) []clock.Span { return []clock.Span{{Start: after(from), End: after(to)}} }
	inWait := append(given[:3:3], ticket.Responded{At: after(5), By: ticket.Person}, answered, ticket.WaitStarted{At: after(6), Reason: "customer"}, paused(2, 6))
	domaintest.Run(t, ticket.New(rules), table{
		"a promise and its reason are one append": {
			When: ticket.Receive{At: received, Number: "N", Details: ticket.Details{Priority: "2", Team: "front", Agent: "ann"}}, Then: given,
		},
		"a fact stops its clock":             {Given: given, When: ticket.Respond{At: after(5)}, Then: events(ticket.Responded{At: after(5), By: ticket.Person}, answered)},
		"an automatic answer stops no clock": {Given: given, When: ticket.Respond{At: after(5), By: ticket.Autoresponder}, Then: events(ticket.Responded{At: after(5), By: ticket.Autoresponder})},
		"a stop at its due time is met":      {Given: given, When: ticket.Respond{At: after(10)}, Then: events(ticket.Responded{At: after(10), By: ticket.Person}, clock.Met{At: after(10), Instance: 1, Due: after(10), Elapsed: 600})},
		"a breach comes before what was done too late": {
			Given: given, When: ticket.Respond{At: after(11)},
			Then: events(breached(1, 10), ticket.Responded{At: after(11), By: ticket.Person}, clock.MetLate{At: after(11), Instance: 1, Due: after(10), Elapsed: 660, Overrun: 60}),
		},
		"the timer records what lapsed":              {Given: given, When: ticket.Lapse{At: after(61)}, Then: events(breached(1, 10), breached(2, 60))},
		"the timer records a breach once":            {Given: append(given[:3:3], breached(1, 10)), When: ticket.Lapse{At: after(11)}},
		"at the due time nothing has lapsed":         {Given: given, When: ticket.Lapse{At: after(10)}},
		"a refusal records no breach":                {Given: given, When: ticket.Close{At: after(11)}, Fails: ticket.ErrNotResolved},
		"nor does a wish that is fulfilled":          {Given: given, When: ticket.ChangePriority{At: after(11), Priority: "2"}},
		"a wait pauses the clocks":                   {Given: given, When: ticket.Wait{At: after(6), Reason: "customer"}, Then: events(ticket.WaitStarted{At: after(6), Reason: "customer"}, paused(1, 6), paused(2, 6))},
		"a wait for another pauses none":             {Given: given, When: ticket.Wait{At: after(6), Reason: "vendor"}, Then: events(ticket.WaitStarted{At: after(6), Reason: "vendor"})},
		"going on moves the due time":                {Given: inWait, When: ticket.Resume{At: after(16)}, Then: events(ticket.Resumed{At: after(16)}, clock.Resumed{At: after(16), Instance: 2, Due: after(70), Counted: counted(16, 70)})},
		"waiting for another, clocks may go on":      {Given: inWait, When: ticket.Wait{At: after(16), Reason: "vendor"}, Then: events(clock.Resumed{At: after(16), Instance: 2, Due: after(70), Counted: counted(16, 70)}, ticket.WaitStarted{At: after(16), Reason: "vendor"})},
		"what is resolved waits for nobody any more": {Given: inWait, When: ticket.Resolve{At: after(16)}, Then: events(ticket.Resolved{At: after(16), Agent: "ann"}, clock.Resumed{At: after(16), Instance: 2, Due: after(70), Counted: counted(16, 70)})},
		"a cancelled case has no promises to keep":   {Given: inWait, When: ticket.Cancel{At: after(16), Reason: "r"}, Then: events(ticket.Cancelled{At: after(16), Reason: "r"}, clock.Cancelled{At: after(16), Instance: 2, Reason: "cancelled"})},
		"what a row says stops clocks, too":          {Given: given, When: ticket.RecordStatus{At: after(5), Seq: 1, Status: "s", Fact: ticket.FactResponded}, Then: events(ticket.StatusRecorded{At: after(5), Seq: 1, Status: "s"}, ticket.Responded{At: after(5), By: ticket.Person}, answered)},
		"a row known already records no breach":      {Given: append(given[:3:3], ticket.StatusRecorded{At: after(1), Seq: 1, Status: "s"}), When: row(1, "s", ticket.Shut)},
		"a stop in time learned late stands beside the breach": {
			Given: append(given[:3:3], breached(1, 10)), When: ticket.Respond{At: after(5)}, Then: events(ticket.Responded{At: after(5), By: ticket.Person}, answered),
		},
		"a row before the receipt stops a clock that used no time": {
			Given: given, When: ticket.RecordStatus{At: after(-5), Seq: 1, Status: "s", Phase: ticket.Shut},
			Then: events(ticket.StatusRecorded{At: after(-5), Seq: 1, Status: "s"}, ticket.Closed{At: after(-5)}, clock.Met{At: after(-5), Instance: 2, Due: after(60)}),
		},
	})
}

func TestAClockThatStartsDuringAWaitStandsStill(t *testing.T) {
	t.Parallel()
	domaintest.Run(t, ticket.New(always(t, minutes("plan", 10, "diagnosed", "planned"))), table{
		"a clock that starts during a wait stands still": {
			Given: waiting, When: ticket.Diagnose{At: after(5)},
			Then: events(ticket.Diagnosed{At: after(5)}, started(5, 1, "plan", 10), clock.Paused{At: after(5), Instance: 1, Reason: "customer"}),
		},
	})
}

func TestClocksFollowTheCase(t *testing.T) {
	t.Parallel()
	urgent := minutes("end", 30, "received", "resolved")
	urgent.Name, urgent.When, urgent.Carry = "urgent", map[string][]string{"priority": {"1"}}, clock.FromOrigin
	normal := minutes("end", 60, "received", "resolved")
	normal.When = map[string][]string{"priority": {"2"}}
	visit := minutes("visit", 60, "received", "arrived")
	visit.When = map[string][]string{"team": {"field"}, "attributes.site": {"", "home"}}
	given := append(open[:1:1], started(0, 1, "end", 60))
	replaced := promise("end", received, 30)
	replaced.Definition.ID = "pack/urgent"
	superseded := func(minute int, reason string) []domain.Event {
		return events(
			clock.Superseded{At: after(minute), Instance: 1, By: 2, Reason: reason},
			clock.Started{At: after(minute), Instance: 2, Clock: "end", Promise: replaced, Supersedes: 1, Carry: clock.FromOrigin},
		)
	}
	arrived := append(given[:2:2], ticket.Dispatched{At: after(1)}, ticket.Arrived{At: after(2)})
	visited := started(0, 2, "visit", 60)
	visited.At = after(5)
	breached := append(given[:2:2], clock.Breached{At: after(60), Instance: 1})
	domaintest.Run(t, ticket.New(always(t, urgent, normal, visit)), table{
		"another priority supersedes": {
			Given: given, When: ticket.ChangePriority{At: after(5), Priority: "1"},
			Then: append(events(ticket.PriorityChanged{At: after(5), From: "2", To: "1"}), superseded(5, "priority")...),
		},
		"what is past under the new terms is breached then": {
			Given: given, When: ticket.ChangePriority{At: after(45), Priority: "1"},
			Then: append(append(events(ticket.PriorityChanged{At: after(45), From: "2", To: "1"}), superseded(45, "priority")...), clock.Breached{At: after(30), Instance: 2}),
		},
		"a priority without a promise cancels it": {
			Given: given, When: ticket.ChangePriority{At: after(5), Priority: "9"},
			Then: events(ticket.PriorityChanged{At: after(5), From: "2", To: "9"}, clock.Cancelled{At: after(5), Instance: 1, Reason: "not_applicable"}),
		},
		"a breach is not undone by another priority": {
			Given: breached, When: ticket.ChangePriority{At: after(65), Priority: "9"}, Then: events(ticket.PriorityChanged{At: after(65), From: "2", To: "9"}),
		},
		"classification supersedes, too": {
			Given: given, When: ticket.Classify{At: after(5), Details: ticket.Details{Priority: "1"}},
			Then: append(events(ticket.Classified{At: after(5), Details: ticket.Details{Priority: "1"}}), superseded(5, "classification")...),
		},
		"so does a row": {
			Given: given, When: ticket.RecordStatus{At: after(5), Seq: 1, Status: "s", Details: ticket.Details{Priority: "1"}},
			Then: append(recorded(1, "s", ticket.PriorityChanged{At: after(5), From: "2", To: "1"}), superseded(5, "classification")...),
		},
		"what applies only now counts from the receipt": {
			Given: given, When: ticket.Assign{At: after(5), Team: "field"}, Then: events(ticket.Assigned{At: after(5), Team: "field"}, visited),
		},
		"but not when what it waits for already is": {
			Given: arrived, When: ticket.Assign{At: after(5), Team: "field"}, Then: events(ticket.Assigned{At: after(5), Team: "field"}),
		},
		"a closed case gets no further promises": {
			Given: append(shut[:3:3], ticket.Classified{At: after(3), Details: ticket.Details{Team: "field"}}), When: ticket.Recompute{At: after(5), Reason: "r"},
		},
		"what was resolved and came back is not resolved": {
			Given: append(done[:2:2], ticket.Reopened{At: after(3), From: ticket.Done}, ticket.PriorityChanged{At: after(4), To: "9"}),
			When:  ticket.ChangePriority{At: after(5), Priority: "2"},
			Then: events(ticket.PriorityChanged{At: after(5), From: "9", To: "2"}, clock.Started{
				At: after(5), Instance: 1, Clock: "end", Promise: promise("end", received, 60),
			}),
		},
	})
}

func TestRecompute(t *testing.T) {
	t.Parallel()
	rules := book(
		t,
		policy.Version{ID: "pack", Number: 1, Clocks: []clock.Definition{minutes("end", 60, "received", "resolved")}},
		policy.Version{ID: "pack", Number: 2, Clocks: []clock.Definition{minutes("end", 20, "received", "resolved")}, ValidFrom: after(3)},
	)
	given := append(open[:1:1], started(0, 1, "end", 60))
	newer := promise("end", after(5), 20)
	newer.Definition.Version = 2
	domaintest.Run(t, ticket.New(rules), table{
		"a promise stands under a newer version": {
			Given: given, When: ticket.Classify{At: after(5), Details: ticket.Details{Kind: "k"}},
			Then: events(ticket.Classified{At: after(5), Details: ticket.Details{Kind: "k"}}),
		},
		"until it is recomputed": {
			Given: given, When: ticket.Recompute{At: after(5), Reason: "r", Carry: clock.Restart},
			Then: events(
				clock.Superseded{At: after(5), Instance: 1, By: 2, Reason: "r"},
				clock.Started{At: after(5), Instance: 2, Clock: "end", Promise: newer, Supersedes: 1, Carry: clock.Restart},
			),
		},
		"a recomputation that changes nothing is nothing": {
			Given: given, When: ticket.Recompute{At: after(2), Reason: "r", Carry: clock.Restart},
		},
	})
}
