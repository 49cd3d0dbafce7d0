package ticket_test

import (
	"time"

	"pgregory.net/rapid"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/ticket"
)

// model follows a history by its events alone, and fails at the first that may not come next.
type model struct {
	t       *rapid.T
	phase   ticket.Phase
	foreign bool      // the command is a row of another system
	at      time.Time // of the command
	clocks  []instance
	acted   bool // it led to something
	place   int  // the instance that the next event must start, 0 for none
}

type instance struct {
	kind          string
	promise       clock.Promise
	due           time.Time
	breachedBy    time.Time // when the breach was learned, zero for never
	paused, final bool
	supersessor   int
}

func newModel(t *rapid.T) *model { return &model{t: t} }

// command says what led to the events that follow.
func (m *model) command(c ticket.Command, at time.Time) {
	_, m.foreign = c.(ticket.RecordStatus)
	m.at, m.acted = at, false
}

func (m *model) event(e domain.Event) {
	m.acted = true
	if started, _ := e.(clock.Started); m.place != 0 && started.Instance != m.place {
		m.t.Fatalf("%+v follows a supersession by %d", e, m.place)
	}
	switch e := e.(type) {
	case ticket.Event:
		m.fact(e)
	case clock.Started:
		m.start(e)
	case clock.Event:
		m.clock(e)
	}
}

// fact holds which phases follow which.
func (m *model) fact(e ticket.Event) {
	const open, waiting, done, shut, void = ticket.Open, ticket.Waiting, ticket.Done, ticket.Shut, ticket.Void
	next, from := m.phase, []ticket.Phase{open, waiting}
	switch e := e.(type) {
	case ticket.Received:
		next, from = open, []ticket.Phase{0}
	case ticket.WaitStarted:
		next = waiting
	case ticket.Resumed:
		next, from = open, []ticket.Phase{waiting}
	case ticket.Resolved:
		next = done
	case ticket.Reopened:
		if e.From != m.phase {
			m.t.Fatalf("came back from %v, which it was not: %v", e.From, m.phase)
		}
		next, from = open, []ticket.Phase{done, shut, void}
	case ticket.Closed:
		next, from = shut, []ticket.Phase{done}
	case ticket.Cancelled:
		next = void
	case ticket.Rated:
		from = []ticket.Phase{done, shut}
	case ticket.Responded:
		from = []ticket.Phase{open, waiting, done}
	case ticket.Classified:
		from = []ticket.Phase{open, waiting, done, shut}
	case ticket.Noted, ticket.StatusRecorded:
		return
	case ticket.Acknowledged, ticket.PriorityChanged, ticket.Assigned, ticket.Escalated, ticket.Dispatched, ticket.Arrived,
		ticket.Diagnosed, ticket.Planned, ticket.Confirmed: // while there is work to do
	}
	_, back := e.(ticket.Reopened)
	legal := m.foreign && !back
	for _, p := range from {
		legal = legal || p == m.phase
	}
	if !legal {
		m.t.Fatalf("%T while %v", e, m.phase)
	}
	m.phase = next
}

func (m *model) start(e clock.Started) {
	if e.Instance != len(m.clocks)+1 {
		m.t.Fatalf("instance %d follows %d others", e.Instance, len(m.clocks))
	}
	for n, i := range m.clocks {
		if i.kind == e.Clock && !i.final {
			m.t.Fatalf("a second %s starts while instance %d runs", e.Clock, n+1)
		}
	}
	if e.Supersedes != 0 && (m.place != e.Instance || m.clocks[e.Supersedes-1].supersessor != e.Instance) {
		m.t.Fatalf("instance %d supersedes %d, which does not say so", e.Instance, e.Supersedes)
	}
	if e.Promise.Due.Before(e.Promise.Start) {
		m.t.Fatalf("due %v before its start %v", e.Promise.Due, e.Promise.Start)
	}
	m.place = 0
	m.clocks = append(m.clocks, instance{kind: e.Clock, promise: e.Promise, due: e.Promise.Due})
}

func (m *model) clock(e clock.Event) {
	switch e := e.(type) {
	case clock.Paused:
		i := m.running(e.Instance, e)
		if i.paused || !i.breachedBy.IsZero() || !e.At.Before(i.due) || e.At.Before(i.promise.Start) {
			m.t.Fatalf("%+v of %+v", e, i)
		}
		i.paused = true
	case clock.Resumed:
		i := m.running(e.Instance, e)
		if !i.paused || e.Due.Before(i.due) {
			m.t.Fatalf("%+v of %+v", e, i)
		}
		i.paused, i.due = false, e.Due
	case clock.Breached:
		i := m.running(e.Instance, e)
		if !e.At.Equal(i.due) || !i.breachedBy.IsZero() || i.paused {
			m.t.Fatalf("%+v of %+v", e, i)
		}
		if i.breachedBy = m.at; !m.at.After(i.due) {
			m.t.Fatalf("at %v it was not yet late: %+v", m.at, i)
		}
	case clock.Met:
		i := m.end(e.Instance, e)
		m.used(e.At, e.Due, e.Elapsed, i, true)
		if !i.breachedBy.IsZero() && !m.at.Before(i.breachedBy) {
			m.t.Fatalf("a breach learned at %v, and a stop in time at %v that was not learned late", i.breachedBy, m.at)
		}
	case clock.MetLate:
		i := m.end(e.Instance, e)
		m.used(e.At, e.Due, e.Elapsed, i, false)
		if e.Overrun < 0 || e.Overrun > e.Elapsed {
			m.t.Fatalf("%+v", e)
		}
	case clock.Cancelled:
		if i := m.end(e.Instance, e); !i.breachedBy.IsZero() {
			m.t.Fatalf("%+v undoes a breach", e)
		}
	case clock.Superseded:
		m.end(e.Instance, e).supersessor = e.By
		m.place = e.By
	case clock.Started, clock.TargetRecorded, clock.VerdictRecorded:
	}
}

// running returns an instance that may still change.
func (m *model) running(n int, e clock.Event) *instance {
	if n < 1 || n > len(m.clocks) || m.clocks[n-1].final {
		m.t.Fatalf("%+v of a clock that does not run", e)
	}
	return &m.clocks[n-1]
}

func (m *model) end(n int, e clock.Event) *instance {
	i := m.running(n, e)
	i.final = true
	return i
}

// used holds a verdict against its due time, and under minutes against the budget.
func (m *model) used(at, due time.Time, elapsed int64, i *instance, met bool) {
	if met == at.After(due) || elapsed < 0 || !i.paused && !due.Equal(i.due) || due.Before(i.due) {
		m.t.Fatalf("stopped at %v, due %v, used %d s: %+v", at, due, elapsed, i)
	}
	budget := int64(i.promise.Budget) * 60
	if i.promise.Unit != clock.Minutes || i.promise.Carried > budget {
		return
	}
	if met && elapsed > budget || !met && elapsed < budget {
		m.t.Fatalf("met is %v with %d s used of %d: %+v", met, elapsed, budget, i)
	}
}

// agree holds that the state is what the events say, and that after the timer nothing is left to lapse.
func (m *model) agree(s ticket.State) {
	if s.Phase != m.phase || len(s.Clocks.Instances) != len(m.clocks) {
		m.t.Fatalf("the state is %v with %d clocks, the events say %v with %d", s.Phase, len(s.Clocks.Instances), m.phase, len(m.clocks))
	}
	for n, i := range s.Clocks.Instances {
		want := m.clocks[n]
		if i.Number != n+1 || i.Final != want.final || !i.Due.Equal(want.due) || i.Breached == want.breachedBy.IsZero() ||
			!i.Final && i.Paused() != want.paused {
			m.t.Fatalf("instance %+v, the events say %+v", i, want)
		}
		if m.acted && !i.Final && !i.Breached && !i.Paused() && i.Due.Before(m.at) {
			m.t.Fatalf("instance %+v has not lapsed at %v", i, m.at)
		}
	}
}
