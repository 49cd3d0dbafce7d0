package ticket_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"aftercare/domain"
	"aftercare/domain/calendar"
	"aftercare/domain/catalog"
	"aftercare/domain/clock"
	"aftercare/domain/codec"
	"aftercare/domain/policy"
	"aftercare/domain/seal"
	"aftercare/domain/ticket"
)

// machine asks for one thing after another and holds what must be true of every history.
type machine struct {
	t       *rapid.T
	decider domain.Decider[ticket.State, ticket.Command, domain.Event]
	state   ticket.State
	all     []domain.Event
	now     time.Time
	model   *model
}

func TestAnyHistory(t *testing.T) {
	t.Parallel()
	rules := machineRules(t)
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{t: rt, decider: ticket.New(rules), now: received, model: newModel(rt)}
		m.ask(m.receive(), received)
		for range rapid.IntRange(1, 40).Draw(rt, "commands") {
			m.now = m.now.Add(time.Duration(rapid.IntRange(0, 300).Draw(rt, "minutes")) * time.Minute)
			at := m.now
			if rapid.IntRange(0, 5).Draw(rt, "late") == 0 {
				at = at.Add(-time.Duration(rapid.IntRange(0, 2000).Draw(rt, "ago")) * time.Minute)
			}
			if rapid.IntRange(0, 4).Draw(rt, "timer") == 0 {
				m.ask(ticket.Lapse{At: m.now}, m.now)
			}
			m.ask(m.command(at), at)
		}
		end := m.now.Add(365 * 24 * time.Hour)
		m.ask(ticket.Lapse{At: end}, end)
		m.replay()
	})
}

// ask decides, checks the decision and takes it over.
func (m *machine) ask(c ticket.Command, at time.Time) {
	before := fmt.Sprintf("%+v", m.state)
	got, err := m.decider.Decide(m.state, c)
	if now := fmt.Sprintf("%+v", m.state); now != before {
		m.t.Fatalf("%T changed the state it was given\nfrom %s\nto   %s", c, before, now)
	}
	replayed := m.decider.Fold(ticket.State{}, m.all...)
	again, errAgain := m.decider.Decide(replayed, c)
	if diff := cmp.Diff(got, again, cmpopts.EquateEmpty()); diff != "" || fmt.Sprint(err) != fmt.Sprint(errAgain) {
		m.t.Fatalf("%T on the replayed history is decided otherwise: %v, %v\n%s", c, err, errAgain, diff)
	}
	if err != nil {
		if len(got) > 0 {
			m.t.Fatalf("%T was refused with %v and led to %d events", c, err, len(got))
		}
		return
	}
	m.model.command(c, at)
	for _, e := range got {
		if e.OccurredAt().Location() != time.UTC || e.OccurredAt().IsZero() {
			m.t.Fatalf("%T happened at %v", e, e.OccurredAt())
		}
		m.model.event(e)
	}
	m.state = m.decider.Fold(m.state, got...)
	m.all = append(m.all, got...)
	m.model.agree(m.state)
}

// replay holds that the stored history leads to the same state.
func (m *machine) replay() {
	c, ctx := catalog.Codec(), context.Background()
	var stored []domain.Event
	for i, e := range m.all {
		encoded, err := c.Encode(ctx, glass{}, "ticket-1", domain.UUID{1}, e, domain.Metadata{})
		if err != nil {
			m.t.Fatal(err)
		}
		r, err := c.Decode(ctx, glass{}, codec.Raw{
			ID: domain.UUID{1}, Stream: "ticket-1", Revision: uint64(i), Type: encoded.Type, Data: encoded.Data, Metadata: encoded.Metadata,
		})
		if err != nil {
			m.t.Fatal(err)
		}
		stored = append(stored, r.Event)
	}
	got := m.decider.Fold(ticket.State{}, stored...)
	if diff := cmp.Diff(m.state, got, cmp.AllowUnexported(ticket.State{}), cmpopts.EquateEmpty()); diff != "" {
		m.t.Fatalf("the stored history leads elsewhere (-live +stored)\n%s", diff)
	}
}

// glass is a Sealer and an Opener that hide nothing.
type glass struct{}

func (glass) Seal(_ context.Context, _ seal.Subject, plain, _ []byte) ([]byte, error) {
	return append([]byte("sealed"), plain...), nil
}

func (glass) Open(_ context.Context, _ seal.Subject, sealed, _ []byte) ([]byte, error) {
	return sealed[len("sealed"):], nil
}

// machineRules have clocks of every unit and carry, and a second version.
func machineRules(t *testing.T) *policy.Book {
	t.Helper()
	day := []calendar.Interval{{"09:00", "12:00"}, {"13:00", "17:00"}}
	week := map[string][]calendar.Interval{"mon": day, "tue": day, "wed": day, "thu": day, "fri": day}
	london := calendar.Definition{Zone: "Europe/London", Week: week, Holidays: []string{"2026-03-04"}}
	define := func(name, start, stop string, budget int, unit clock.Unit, change func(*clock.Definition)) clock.Definition {
		d := minutes(name, budget, start, stop)
		d.Unit, d.Calendar = unit, "office"
		if change != nil {
			change(&d)
		}
		return d
	}
	urgent := func(carry clock.Carry) func(*clock.Definition) {
		return func(d *clock.Definition) {
			d.Name, d.Carry, d.When = d.Clock+"_urgent", carry, map[string][]string{"priority": {"1"}}
		}
	}
	clocks := []clock.Definition{
		define("answer", "received", "responded", 30, clock.Minutes, urgent(clock.CarryElapsed)),
		define("answer", "received", "responded", 240, clock.Minutes, nil),
		define("end", "received", "resolved", 1, clock.WorkingDays, urgent(clock.FromOrigin)),
		define("end", "received", "resolved", 2, clock.WorkingDaysSameTime, func(d *clock.Definition) { d.Start = append(d.Start, "reopened") }),
		define("close", "resolved", "closed", 3, clock.CalendarDays, func(d *clock.Definition) { d.Pause = nil }),
		define("visit", "received", "arrived", 1, clock.CalendarDaysSameTime, func(d *clock.Definition) {
			d.Cancel, d.When = []string{"resolved"}, map[string][]string{"team": {"field"}}
		}),
		define("plan", "diagnosed", "planned", 60, clock.Minutes, func(d *clock.Definition) { d.Pause = []string{"vendor", "customer"} }),
	}
	shorter := append([]clock.Definition{}, clocks...)
	shorter[1].Budget, shorter[3].Carry = 120, clock.Restart
	return book(
		t, policy.Version{ID: "office", Number: 1, Calendar: &london}, policy.Version{ID: "pack", Number: 1, Clocks: clocks},
		policy.Version{ID: "pack", Number: 2, Clocks: shorter, ValidFrom: after(24 * 60)},
	)
}

func (m *machine) pick(name string, of ...string) string {
	return rapid.SampledFrom(of).Draw(m.t, name)
}

func (m *machine) details() ticket.Details {
	return ticket.Details{
		Priority: m.pick("priority", "", "1", "2"), Team: m.pick("team", "", "front", "field"), Agent: m.pick("agent", "", "ann", "bob"),
		Category: m.pick("category", "", "", "c"), Attributes: map[string]string{"a": m.pick("attribute", "1", "2")},
	}
}

func (m *machine) receive() ticket.Command {
	r := ticket.Receive{At: received, Number: "N", Details: m.details(), Title: text("t")}
	if rapid.Bool().Draw(m.t, "foreign") {
		r.Source = &ticket.Source{System: "s", Key: "1"}
	}
	return r
}

// command draws one of them, in our own hands or another's, that may be refused.
func (m *machine) command(at time.Time) ticket.Command {
	reason := m.pick("reason", "customer", "vendor")
	n := rapid.IntRange(0, 28).Draw(m.t, "command")
	switch n {
	case 0:
		return ticket.Acknowledge{At: at}
	case 1:
		return ticket.Respond{At: at, By: rapid.SampledFrom([]ticket.Responder{0, ticket.Person, ticket.Assistant, ticket.Autoresponder}).Draw(m.t, "by"), Message: text("m")}
	case 2:
		return ticket.Classify{At: at, Details: m.details()}
	case 3:
		return ticket.ChangePriority{At: at, Priority: m.pick("to", "1", "2")}
	case 4:
		return ticket.Assign{At: at, Team: m.pick("team", "", "front", "field"), Agent: m.pick("agent", "ann", "bob")}
	case 5:
		return ticket.Escalate{At: at, To: "second"}
	case 6, 7, 8:
		return ticket.Wait{At: at, Reason: reason}
	case 9, 10:
		return ticket.Resume{At: at}
	case 11:
		return ticket.Dispatch{At: at, Agent: "tim"}
	case 12:
		return ticket.Arrive{At: at}
	case 13:
		return ticket.Diagnose{At: at}
	case 14:
		return ticket.Plan{At: at, Plan: text("p")}
	case 15:
		return ticket.Confirm{At: at}
	case 16, 17:
		return ticket.Resolve{At: at, Agent: m.pick("agent", "", "eve")}
	case 18:
		return ticket.Reopen{At: at}
	case 19:
		return ticket.Close{At: at}
	case 20:
		return ticket.Cancel{At: at, Reason: "r"}
	case 21:
		return ticket.AddNote{At: at, Text: text("n")}
	case 22:
		return ticket.Rate{At: at, Score: 4, Min: 1, Max: 5}
	case 23:
		carries := []clock.Carry{0, clock.Restart, clock.CarryElapsed, clock.FromOrigin}
		return ticket.Recompute{At: at, Reason: "r", Carry: rapid.SampledFrom(carries).Draw(m.t, "carry")}
	case 24:
		return ticket.RecordTarget{At: at, Clock: "c", Due: after(rapid.IntRange(0, 2).Draw(m.t, "due")), Source: "s"}
	case 25:
		return ticket.RecordVerdict{At: at, Clock: "c", Met: rapid.Bool().Draw(m.t, "met"), Source: "s"}
	}
	return ticket.RecordStatus{
		At: at, Seq: m.state.Recorded + rapid.IntRange(0, 2).Draw(m.t, "seq"), Status: "s", Reason: reason, Details: m.details(),
		Phase: ticket.Phase(rapid.Uint8Range(0, uint8(ticket.Void)).Draw(m.t, "phase")),
		Fact:  ticket.Fact(rapid.Uint8Range(0, uint8(ticket.FactConfirmed)).Draw(m.t, "fact")),
	}
}
