package ticket_test

import (
	"strings"
	"testing"
	"time"

	"aftercare/domain"
	"aftercare/domain/seal"
	"aftercare/domain/ticket"
)

func TestReceive(t *testing.T) {
	t.Parallel()
	source := &ticket.Source{System: "s", Key: "1"}
	imported := events(ticket.Received{At: received, Number: "N", Source: source})
	unclocked(t, table{
		"a case is received": {
			When: ticket.Receive{
				At: received.In(time.FixedZone("", 3600)), Number: "N", Details: ticket.Details{Kind: "repair", Attributes: map[string]string{"a": "b"}},
				Customer: "person", Name: text("n"), Contact: text("c"), Title: text("t"), Description: text("d"), Source: source,
			},
			Then: events(ticket.Received{
				At: received, Number: "N", Details: ticket.Details{Kind: "repair", Attributes: map[string]string{"a": "b"}},
				Customer: "person", Name: text("n"), Contact: text("c"), Title: text("t"), Description: text("d"), Source: source,
			}),
		},
		"a case is received only once": {Given: open, When: ticket.Receive{At: received, Number: "N"}, Fails: ticket.ErrAlreadyReceived},
		"the same source again is the same case": {
			Given: imported, When: ticket.Receive{At: after(9), Number: "M", Source: &ticket.Source{System: "s", Key: "1"}},
		},
		"another source is another case": {
			Given: imported, When: ticket.Receive{At: received, Number: "N", Source: &ticket.Source{System: "s", Key: "2"}}, Fails: ticket.ErrAlreadyReceived,
		},
		"a source has a system and a key": {When: ticket.Receive{At: received, Number: "N", Source: &ticket.Source{System: "s"}}, Fails: missing("source")},
		"an empty source is no source":    {Given: open, When: ticket.Receive{At: received, Number: "N", Source: &ticket.Source{}}, Fails: ticket.ErrAlreadyReceived},
		"it needs a number":               {When: ticket.Receive{At: received}, Fails: missing("number")},
		"it needs a time":                 {When: ticket.Receive{Number: "N"}, Fails: ticket.ErrNoTime},
		"a code of 300 characters is kept": {
			When: ticket.Receive{At: received, Number: long()[2:]}, Then: events(ticket.Received{At: received, Number: long()[2:]}),
		},
		"a code is at most 300 characters": {When: ticket.Receive{At: received, Number: "N", Details: ticket.Details{Kind: long()}}, Fails: tooLong("kind", "300")},
		"so is the value of an attribute": {
			When:  ticket.Receive{At: received, Number: "N", Details: ticket.Details{Attributes: map[string]string{"b": long(), "a": long()}}},
			Fails: tooLong("attributes.a", "300"),
		},
		"so is the name of an attribute": {
			When:  ticket.Receive{At: received, Number: "N", Details: ticket.Details{Attributes: map[string]string{long(): "x"}}},
			Fails: tooLong("attributes", "300"),
		},
		"so is a customer": {When: ticket.Receive{At: received, Number: "N", Customer: seal.Subject(long())}, Fails: tooLong("customer", "300")},
		"so is the key of a source": {
			When: ticket.Receive{At: received, Number: "N", Source: &ticket.Source{System: "s", Key: long()}}, Fails: tooLong("source", "300"),
		},
		"a text is at most 100,000 characters": {
			When: ticket.Receive{At: received, Number: "N", Title: text(strings.Repeat("x", 100_001))}, Fails: tooLong("text", "100000"),
		},
	})
}

// TestEveryCommandNeedsATimeAndACase holds for all that is asked of a case.
func TestEveryCommandNeedsATimeAndACase(t *testing.T) {
	t.Parallel()
	cases := table{}
	for name, c := range map[string]func(time.Time) ticket.Command{
		"acknowledge":     func(at time.Time) ticket.Command { return ticket.Acknowledge{At: at} },
		"respond":         func(at time.Time) ticket.Command { return ticket.Respond{At: at} },
		"classify":        func(at time.Time) ticket.Command { return ticket.Classify{At: at} },
		"change priority": func(at time.Time) ticket.Command { return ticket.ChangePriority{At: at, Priority: "1"} },
		"assign":          func(at time.Time) ticket.Command { return ticket.Assign{At: at, Team: "t"} },
		"escalate":        func(at time.Time) ticket.Command { return ticket.Escalate{At: at, To: "t"} },
		"wait":            func(at time.Time) ticket.Command { return ticket.Wait{At: at, Reason: "r"} },
		"resume":          func(at time.Time) ticket.Command { return ticket.Resume{At: at} },
		"dispatch":        func(at time.Time) ticket.Command { return ticket.Dispatch{At: at} },
		"arrive":          func(at time.Time) ticket.Command { return ticket.Arrive{At: at} },
		"diagnose":        func(at time.Time) ticket.Command { return ticket.Diagnose{At: at} },
		"plan":            func(at time.Time) ticket.Command { return ticket.Plan{At: at, Plan: text("p")} },
		"confirm":         func(at time.Time) ticket.Command { return ticket.Confirm{At: at} },
		"resolve":         func(at time.Time) ticket.Command { return ticket.Resolve{At: at} },
		"reopen":          func(at time.Time) ticket.Command { return ticket.Reopen{At: at} },
		"close":           func(at time.Time) ticket.Command { return ticket.Close{At: at} },
		"cancel":          func(at time.Time) ticket.Command { return ticket.Cancel{At: at, Reason: "r"} },
		"note":            func(at time.Time) ticket.Command { return ticket.AddNote{At: at, Text: text("n")} },
		"rate":            func(at time.Time) ticket.Command { return ticket.Rate{At: at, Score: 1, Max: 5} },
		"lapse":           func(at time.Time) ticket.Command { return ticket.Lapse{At: at} },
		"recompute":       func(at time.Time) ticket.Command { return ticket.Recompute{At: at, Reason: "r"} },
		"record status":   func(at time.Time) ticket.Command { return ticket.RecordStatus{At: at, Seq: 1, Status: "s"} },
		"record target":   func(at time.Time) ticket.Command { return ticket.RecordTarget{At: at, Clock: "c", Due: after(1)} },
		"record verdict":  func(at time.Time) ticket.Command { return ticket.RecordVerdict{At: at, Clock: "c"} },
	} {
		cases[name+" needs a time"] = example{Given: open, When: c(time.Time{}), Fails: ticket.ErrNoTime}
		cases[name+" needs a case"] = example{When: c(after(1)), Fails: ticket.ErrUnknown}
		if !strings.HasPrefix(name, "record") && name != "lapse" {
			cases[name+" is not before the receipt"] = example{Given: open, When: c(received.Add(-1)), Fails: ticket.ErrBeforeReceived}
		}
	}
	unclocked(t, cases)
}

func TestTellingTheCustomer(t *testing.T) {
	t.Parallel()
	unclocked(t, table{
		"a case is acknowledged":                      {Given: open, When: ticket.Acknowledge{At: after(5)}, Then: events(ticket.Acknowledged{At: after(5)})},
		"a case is acknowledged only once":            {Given: append(open, ticket.Acknowledged{At: after(1)}), When: ticket.Acknowledge{At: after(5)}},
		"what is resolved needs no acknowledgement":   {Given: done, When: ticket.Acknowledge{At: after(5)}, Fails: wrongPhase("resolved", "acknowledge")},
		"what is closed needs no acknowledgement":     {Given: shut, When: ticket.Acknowledge{At: after(5)}, Fails: wrongPhase("closed", "acknowledge")},
		"a customer is answered":                      {Given: open, When: ticket.Respond{At: after(5), Agent: "a", Message: text("m")}, Then: events(ticket.Responded{At: after(5), Agent: "a", Message: text("m"), By: ticket.Person})},
		"an automatic answer was said so once":        {Given: open, When: ticket.Respond{At: after(5), Automatic: true}, Then: events(ticket.Responded{At: after(5), By: ticket.Autoresponder})},
		"who answered goes before automatic":          {Given: open, When: ticket.Respond{At: after(5), By: ticket.Assistant, Automatic: true}, Then: events(ticket.Responded{At: after(5), By: ticket.Assistant})},
		"an automatic answer is one, too":             {Given: open, When: ticket.Respond{At: after(5), By: ticket.Autoresponder}, Then: events(ticket.Responded{At: after(5), By: ticket.Autoresponder})},
		"a customer is answered after the resolution": {Given: done, When: ticket.Respond{At: after(5)}, Then: events(ticket.Responded{At: after(5), By: ticket.Person})},
		"a closed case is not answered":               {Given: shut, When: ticket.Respond{At: after(5)}, Fails: wrongPhase("closed", "respond")},
		"a cancelled case is not answered":            {Given: void, When: ticket.Respond{At: after(5)}, Fails: wrongPhase("cancelled", "respond")},
		"an agent's code has a limit":                 {Given: open, When: ticket.Respond{At: after(5), Agent: long()}, Fails: tooLong("agent", "300")},
		"a note is taken at any time":                 {Given: void, When: ticket.AddNote{At: after(5), Text: text("n")}, Then: events(ticket.Noted{At: after(5), Text: text("n")})},
		"a note says something":                       {Given: open, When: ticket.AddNote{At: after(5)}, Fails: missing("text")},
	})
}

func TestClassifying(t *testing.T) {
	t.Parallel()
	two := ticket.Details{Priority: "2", Category: "c", Attributes: map[string]string{"a": "1", "b": "2"}}
	classified := events(ticket.Received{At: received, Number: "N", Details: two})
	unclocked(t, table{
		"only what is different is recorded": {
			Given: classified,
			When:  ticket.Classify{At: after(5), Details: ticket.Details{Priority: "2", Category: "d", Attributes: map[string]string{"a": "1", "b": "3", "c": "4"}}},
			Then:  events(ticket.Classified{At: after(5), Details: ticket.Details{Category: "d", Attributes: map[string]string{"b": "3", "c": "4"}}}),
		},
		"the same details lead to nothing":     {Given: classified, When: ticket.Classify{At: after(5), Details: two}},
		"what is not given is unchanged":       {Given: classified, When: ticket.Classify{At: after(5)}},
		"details hold after they were changed": {Given: append(classified, ticket.Classified{At: after(1), Details: ticket.Details{Kind: "k"}}), When: ticket.Classify{At: after(5), Details: ticket.Details{Kind: "k", Category: "c"}}},
		"a closed case may be classified":      {Given: shut, When: ticket.Classify{At: after(5), Details: ticket.Details{Kind: "k"}}, Then: events(ticket.Classified{At: after(5), Details: ticket.Details{Kind: "k"}})},
		"a cancelled case is not classified":   {Given: void, When: ticket.Classify{At: after(5), Details: ticket.Details{Kind: "k"}}, Fails: wrongPhase("cancelled", "classify")},
		"details have a limit":                 {Given: open, When: ticket.Classify{At: after(5), Details: ticket.Details{Product: long()}}, Fails: tooLong("product", "300")},
		"the priority changes":                 {Given: open, When: ticket.ChangePriority{At: after(5), Priority: "1", Reason: text("r")}, Then: events(ticket.PriorityChanged{At: after(5), From: "2", To: "1", Reason: text("r")})},
		"the same priority leads to nothing":   {Given: open, When: ticket.ChangePriority{At: after(5), Priority: "2"}},
		"a priority is named":                  {Given: open, When: ticket.ChangePriority{At: after(5)}, Fails: missing("priority")},
		"a resolved case keeps its priority":   {Given: done, When: ticket.ChangePriority{At: after(5), Priority: "1"}, Fails: wrongPhase("resolved", "changePriority")},
		"a priority has a limit":               {Given: open, When: ticket.ChangePriority{At: after(5), Priority: long()}, Fails: tooLong("priority", "300")},
	})
}

func TestGivingItToSomebody(t *testing.T) {
	t.Parallel()
	assigned := func(team, agent string) []domain.Event {
		return events(ticket.Assigned{At: after(5), Team: team, Agent: agent})
	}
	unclocked(t, table{
		"to a team and an agent":                   {Given: open, When: ticket.Assign{At: after(5), Team: "back", Agent: "bob"}, Then: assigned("back", "bob")},
		"to an agent of the same team":             {Given: open, When: ticket.Assign{At: after(5), Agent: "bob"}, Then: assigned("front", "bob")},
		"to a team, and nobody in it":              {Given: open, When: ticket.Assign{At: after(5), Team: "back"}, Then: assigned("back", "")},
		"to who has it leads to nothing":           {Given: open, When: ticket.Assign{At: after(5), Team: "front", Agent: "ann"}},
		"to the agent who has it leads to nothing": {Given: open, When: ticket.Assign{At: after(5), Agent: "ann"}},
		"to nobody is no assignment":               {Given: open, When: ticket.Assign{At: after(5)}, Fails: missing("team")},
		"a closed case is nobody's":                {Given: shut, When: ticket.Assign{At: after(5), Team: "back"}, Fails: wrongPhase("closed", "assign")},
		"a team has a limit":                       {Given: open, When: ticket.Assign{At: after(5), Team: long()}, Fails: tooLong("team", "300")},
		"a case is escalated a level at a time":    {Given: append(open, ticket.Escalated{At: after(1), To: "x", Level: 1}), When: ticket.Escalate{At: after(5), To: "y", Reason: text("r")}, Then: events(ticket.Escalated{At: after(5), To: "y", Level: 2, Reason: text("r")})},
		"an escalation goes to somebody":           {Given: open, When: ticket.Escalate{At: after(5)}, Fails: missing("to")},
		"a resolved case is not escalated":         {Given: done, When: ticket.Escalate{At: after(5), To: "y"}, Fails: wrongPhase("resolved", "escalate")},
		"whom it is escalated to has a limit":      {Given: open, When: ticket.Escalate{At: after(5), To: long()}, Fails: tooLong("to", "300")},
		"a technician is sent":                     {Given: open, When: ticket.Dispatch{At: after(5), Agent: "tim"}, Then: events(ticket.Dispatched{At: after(5), Agent: "tim"})},
		"nobody is sent for what is resolved":      {Given: done, When: ticket.Dispatch{At: after(5)}, Fails: wrongPhase("resolved", "dispatch")},
		"a technician's code has a limit":          {Given: open, When: ticket.Dispatch{At: after(5), Agent: long()}, Fails: tooLong("agent", "300")},
		"who was sent arrives":                     {Given: append(open, ticket.Dispatched{At: after(1)}), When: ticket.Arrive{At: after(5)}, Then: events(ticket.Arrived{At: after(5)})},
		"nobody arrives who was not sent":          {Given: open, When: ticket.Arrive{At: after(5)}, Fails: ticket.ErrNotDispatched},
		"who was sent before a reopening was not":  {Given: append(open, ticket.Dispatched{At: after(1)}, ticket.Resolved{At: after(2)}, ticket.Reopened{At: after(3)}), When: ticket.Arrive{At: after(5)}, Fails: ticket.ErrNotDispatched},
		"nobody arrives after the resolution":      {Given: append(open, ticket.Dispatched{At: after(1)}, ticket.Resolved{At: after(2)}), When: ticket.Arrive{At: after(5)}, Fails: wrongPhase("resolved", "arrive")},
	})
}

func TestWorking(t *testing.T) {
	t.Parallel()
	planned := append(open[:1:1], ticket.Planned{At: after(1)})
	confirmed := append(planned[:2:2], ticket.Confirmed{At: after(2)})
	unclocked(t, table{
		"a fault is found":                     {Given: open, When: ticket.Diagnose{At: after(5), Cause: "c", Note: text("n")}, Then: events(ticket.Diagnosed{At: after(5), Cause: "c", Note: text("n")})},
		"a resolved case has no fault":         {Given: done, When: ticket.Diagnose{At: after(5)}, Fails: wrongPhase("resolved", "diagnose")},
		"a cause has a limit":                  {Given: open, When: ticket.Diagnose{At: after(5), Cause: long()}, Fails: tooLong("cause", "300")},
		"there is a plan":                      {Given: open, When: ticket.Plan{At: after(5), Plan: text("p")}, Then: events(ticket.Planned{At: after(5), Plan: text("p")})},
		"a plan says something":                {Given: open, When: ticket.Plan{At: after(5)}, Fails: missing("plan")},
		"a resolved case has no plan":          {Given: done, When: ticket.Plan{At: after(5), Plan: text("p")}, Fails: wrongPhase("resolved", "plan")},
		"the customer agrees":                  {Given: planned, When: ticket.Confirm{At: after(5), Note: text("n")}, Then: events(ticket.Confirmed{At: after(5), Note: text("n")})},
		"the customer agrees once":             {Given: confirmed, When: ticket.Confirm{At: after(5)}},
		"the customer agrees to a plan":        {Given: open, When: ticket.Confirm{At: after(5)}, Fails: ticket.ErrNoPlan},
		"another plan is agreed to anew":       {Given: append(confirmed, ticket.Planned{At: after(3)}), When: ticket.Confirm{At: after(5)}, Then: events(ticket.Confirmed{At: after(5)})},
		"a plan before a reopening is none":    {Given: append(confirmed, ticket.Resolved{At: after(3)}, ticket.Reopened{At: after(4)}), When: ticket.Confirm{At: after(5)}, Fails: ticket.ErrNoPlan},
		"nobody agrees after the resolution":   {Given: append(planned[:2:2], ticket.Resolved{At: after(3)}), When: ticket.Confirm{At: after(5)}, Fails: wrongPhase("resolved", "confirm")},
		"we wait for somebody":                 {Given: open, When: ticket.Wait{At: after(5), Reason: "customer", Note: text("n")}, Then: events(ticket.WaitStarted{At: after(5), Reason: "customer", Note: text("n")})},
		"we wait already":                      {Given: waiting, When: ticket.Wait{At: after(5), Reason: "customer"}},
		"we wait for another":                  {Given: waiting, When: ticket.Wait{At: after(5), Reason: "parts"}, Then: events(ticket.WaitStarted{At: after(5), Reason: "parts"})},
		"we wait for a reason":                 {Given: open, When: ticket.Wait{At: after(5)}, Fails: missing("reason")},
		"we do not wait after the resolution":  {Given: done, When: ticket.Wait{At: after(5), Reason: "customer"}, Fails: wrongPhase("resolved", "wait")},
		"a reason has a limit":                 {Given: open, When: ticket.Wait{At: after(5), Reason: long()}, Fails: tooLong("reason", "300")},
		"we go on":                             {Given: waiting, When: ticket.Resume{At: after(5)}, Then: events(ticket.Resumed{At: after(5)})},
		"we go on already":                     {Given: open, When: ticket.Resume{At: after(5)}},
		"we do not go on after the resolution": {Given: done, When: ticket.Resume{At: after(5)}, Fails: wrongPhase("resolved", "resume")},
	})
}

func TestEnding(t *testing.T) {
	t.Parallel()
	unclocked(t, table{
		"a case is resolved":                             {Given: open, When: ticket.Resolve{At: after(5), Resolution: "r", Agent: "eve", Note: text("n")}, Then: events(ticket.Resolved{At: after(5), Resolution: "r", Agent: "eve", Note: text("n")})},
		"who has the case resolves it":                   {Given: waiting, When: ticket.Resolve{At: after(5)}, Then: events(ticket.Resolved{At: after(5), Agent: "ann"})},
		"a case is resolved once":                        {Given: done, When: ticket.Resolve{At: after(5)}},
		"a closed case is not resolved":                  {Given: shut, When: ticket.Resolve{At: after(5)}, Fails: wrongPhase("closed", "resolve")},
		"a cancelled case is not resolved":               {Given: void, When: ticket.Resolve{At: after(5)}, Fails: wrongPhase("cancelled", "resolve")},
		"a resolution has a limit":                       {Given: open, When: ticket.Resolve{At: after(5), Resolution: long()}, Fails: tooLong("resolution", "300")},
		"a resolved case comes back":                     {Given: done, When: ticket.Reopen{At: after(5), Reason: text("r")}, Then: events(ticket.Reopened{At: after(5), From: ticket.Done, Reason: text("r")})},
		"a closed case comes back":                       {Given: shut, When: ticket.Reopen{At: after(5)}, Then: events(ticket.Reopened{At: after(5), From: ticket.Shut})},
		"a cancelled case comes back":                    {Given: void, When: ticket.Reopen{At: after(5)}, Then: events(ticket.Reopened{At: after(5), From: ticket.Void})},
		"an open case is open":                           {Given: open, When: ticket.Reopen{At: after(5)}},
		"a waiting case is open":                         {Given: waiting, When: ticket.Reopen{At: after(5)}},
		"a resolved case is closed":                      {Given: done, When: ticket.Close{At: after(5), Outcome: "o"}, Then: events(ticket.Closed{At: after(5), Outcome: "o"})},
		"a case is closed once":                          {Given: shut, When: ticket.Close{At: after(5)}},
		"a case is resolved before it is closed":         {Given: open, When: ticket.Close{At: after(5)}, Fails: ticket.ErrNotResolved},
		"a waiting case is resolved before it is closed": {Given: waiting, When: ticket.Close{At: after(5)}, Fails: ticket.ErrNotResolved},
		"a cancelled case is not closed":                 {Given: void, When: ticket.Close{At: after(5)}, Fails: wrongPhase("cancelled", "close")},
		"an outcome has a limit":                         {Given: done, When: ticket.Close{At: after(5), Outcome: long()}, Fails: tooLong("outcome", "300")},
		"a case is cancelled":                            {Given: waiting, When: ticket.Cancel{At: after(5), Reason: "r"}, Then: events(ticket.Cancelled{At: after(5), Reason: "r"})},
		"a case is cancelled once":                       {Given: void, When: ticket.Cancel{At: after(5), Reason: "r"}},
		"a resolved case is not cancelled":               {Given: done, When: ticket.Cancel{At: after(5), Reason: "r"}, Fails: wrongPhase("resolved", "cancel")},
		"a case is cancelled for a reason":               {Given: open, When: ticket.Cancel{At: after(5)}, Fails: missing("reason")},
	})
}

func TestRating(t *testing.T) {
	t.Parallel()
	moved := append(done[:2:2], ticket.Assigned{At: after(2), Team: "back", Agent: "eve"}, ticket.Closed{At: after(3)})
	again := append(moved[:4:4], ticket.Reopened{At: after(4)}, ticket.Resolved{At: after(5), Agent: "eve"})
	rate := func(score, low, high int) ticket.Rate {
		return ticket.Rate{At: after(9), Score: score, Min: low, Max: high}
	}
	rated := func(score, low, high int, team, agent string) []domain.Event {
		return events(ticket.Rated{At: after(9), Score: score, Min: low, Max: high, Team: team, Agent: agent})
	}
	bad := func(score, low, high string) error {
		return domain.Refuse(domain.Invalid, "ticket.bad-rating", "score", score, "min", low, "max", high)
	}
	unclocked(t, table{
		"a rating is of who resolved it":              {Given: done, When: rate(5, 1, 5), Then: rated(5, 1, 5, "front", "bob")},
		"whoever has the case by then":                {Given: moved, When: rate(1, 1, 5), Then: rated(1, 1, 5, "front", "bob")},
		"and of the last one who did":                 {Given: again, When: rate(0, -2, 2), Then: rated(0, -2, 2, "back", "eve")},
		"a rating lies on its scale":                  {Given: done, When: rate(6, 1, 5), Fails: bad("6", "1", "5")},
		"a rating is not below its scale":             {Given: done, When: rate(0, 1, 5), Fails: bad("0", "1", "5")},
		"a scale has more than one value":             {Given: done, When: rate(1, 1, 1), Fails: bad("1", "1", "1")},
		"a scale does not reach beyond a million":     {Given: done, When: rate(5, 1, 1_000_001), Fails: bad("5", "1", "1000001")},
		"nor below minus a million":                   {Given: done, When: rate(5, -1_000_001, 5), Fails: bad("5", "-1000001", "5")},
		"only what is resolved is rated":              {Given: open, When: rate(5, 1, 5), Fails: wrongPhase("open", "rate")},
		"what is cancelled is not rated":              {Given: void, When: rate(5, 1, 5), Fails: wrongPhase("cancelled", "rate")},
		"a comment has a limit":                       {Given: done, When: ticket.Rate{At: after(9), Score: 1, Max: 2, Comment: text(strings.Repeat("x", 100_001))}, Fails: tooLong("text", "100000")},
		"a recomputation has a reason":                {Given: open, When: ticket.Recompute{At: after(9)}, Fails: missing("reason")},
		"without clocks a recomputation does nothing": {Given: open, When: ticket.Recompute{At: after(9), Reason: "r"}},
		"without clocks nothing lapses":               {Given: open, When: ticket.Lapse{At: after(9)}},
	})
}

func TestAResponderWithoutANameIsNotStored(t *testing.T) {
	t.Parallel()
	for _, r := range []ticket.Responder{0, ticket.Autoresponder + 1, 255} {
		if b, err := r.MarshalText(); err == nil {
			t.Errorf("%d is stored as %q", r, b)
		}
	}
}
