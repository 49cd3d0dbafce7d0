package ticket

import "aftercare/domain/clock"

// factOf returns what clock definitions call an event, or "" when they cannot speak of it.
func factOf(e Event) string {
	switch e := e.(type) {
	case Received:
		return "received"
	case Acknowledged:
		return "acknowledged"
	case Responded:
		if e.By == Person {
			return "responded"
		}
	case Classified:
		return "classified"
	case Assigned:
		return "assigned"
	case Escalated:
		return "escalated"
	case Dispatched:
		return "dispatched"
	case Arrived:
		return "arrived"
	case Diagnosed:
		return "diagnosed"
	case Planned:
		return "planned"
	case Confirmed:
		return "confirmed"
	case Resolved:
		return "resolved"
	case Reopened:
		return "reopened"
	case Closed:
		return "closed"
	case Cancelled:
		return "cancelled"
	case PriorityChanged, WaitStarted, Resumed, Noted, Rated, StatusRecorded: // move clocks in their own way, or not at all
	}
	return ""
}

// remember keeps which facts are. A case that came back is not resolved, closed or cancelled any more.
func (s State) remember(e Event) State {
	name := factOf(e)
	if name == "" {
		return s
	}
	s.happened = put(s.happened, name, true)
	if _, ok := e.(Reopened); ok {
		for _, end := range []string{"resolved", "closed", "cancelled"} {
			delete(s.happened, end)
		}
	}
	return s
}

// change is why clocks are looked at again. A case without work to do gets no further promises.
func (s State) change(reason string) clock.Change {
	return clock.Change{Reason: reason, Happened: func(fact string) bool { return !s.active() || s.happened[fact] }}
}
