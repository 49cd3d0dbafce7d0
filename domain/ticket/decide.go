package ticket

import (
	"maps"
	"slices"
	"time"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/seal"
)

// Category names the streams of cases: "ticket-<id>".
const Category = "ticket"

// New returns the aggregate of one case under the rules for its clocks.
func New(rules clock.Rules) domain.Decider[State, Command, domain.Event] {
	engine := clock.Engine{Rules: rules}
	return domain.Decider[State, Command, domain.Event]{
		Category: Category,
		Decide: func(s State, c Command) ([]domain.Event, error) {
			d := decision{State: s.clone(), engine: engine}
			err := d.decide(c)
			return d.events, err
		},
		Evolve: Evolve,
	}
}

// decision is a decision under way: the state as it will be, and the events that lead there.
type decision struct {
	State
	engine clock.Engine
	events []domain.Event
}

// record adds an event.
func (d *decision) record(e domain.Event) {
	d.events = append(d.events, e)
	d.State = Evolve(d.State, e)
}

// fact adds a fact of the case and what it does to the clocks.
func (d *decision) fact(e Event) {
	d.record(e)
	if name := factOf(e); name != "" {
		d.clocks(d.engine.Fact(d.Clocks, d.clockCase(), name, e.OccurredAt()))
		d.settle(e.OccurredAt())
	}
}

// settle lets the time of the clocks that run by now stand still while we wait, and only then.
func (d *decision) settle(at time.Time) {
	switch d.Phase {
	case Waiting:
		d.clocks(d.engine.Pause(d.Clocks, d.WaitReason, at))
	case Open, Done, Shut:
		d.clocks(d.engine.Resume(d.Clocks, at))
	case Void: // cancels them
	}
}

func (d *decision) clocks(events []clock.Event) {
	for _, e := range events {
		d.record(e)
	}
}

// decide carries out one command. Clocks that were due before it happened lapse first.
func (d *decision) decide(c Command) error {
	at := c.when()
	if at.IsZero() {
		return ErrNoTime
	}
	if r, ok := c.(Receive); ok {
		return d.receive(r)
	}
	if !d.exists() {
		return ErrUnknown
	}
	if _, ok := c.(Lapse); ok {
		d.clocks(d.engine.Lapse(d.Clocks, at))
		return nil
	}
	if !foreign(c) && at.Before(d.ReceivedAt) {
		return ErrBeforeReceived
	}
	before := len(d.events)
	d.clocks(d.engine.Lapse(d.Clocks, at))
	lapsed := len(d.events)
	err := d.act(c)
	if err != nil || len(d.events) == lapsed {
		d.events = d.events[:before] // nothing was done, so nothing is to be recorded of it
	}
	return err
}

// act carries out a command.
func (d *decision) act(c Command) error {
	switch c := c.(type) {
	case Acknowledge:
		return d.acknowledge(c)
	case Respond:
		return d.respond(c)
	case Classify:
		return d.classify(c)
	case ChangePriority:
		return d.changePriority(c)
	case Assign:
		return d.assign(c)
	case Escalate:
		return d.escalate(c)
	case Wait:
		return d.wait(c)
	case Resume:
		return d.resume(c)
	case Dispatch:
		return d.dispatch(c)
	case Arrive:
		return d.arrive(c)
	case Diagnose:
		return d.diagnose(c)
	case Plan:
		return d.plan(c)
	case Confirm:
		return d.confirm(c)
	case Resolve:
		return d.resolve(c)
	case Reopen:
		return d.reopen(c)
	case Close:
		return d.close(c)
	case Cancel:
		return d.cancel(c)
	case AddNote:
		return d.note(c)
	case Rate:
		return d.rate(c)
	case Recompute:
		return d.recompute(c)
	case RecordStatus:
		return d.status(c)
	case RecordTarget:
		return d.target(c)
	case RecordVerdict:
		return d.verdict(c)
	case Receive, Lapse: // decided before
	}
	return nil
}

func (d *decision) receive(c Receive) error {
	if d.exists() {
		if c.Source != nil && *c.Source == d.Source && d.Source != (Source{}) {
			return nil // an import run again
		}
		return ErrAlreadyReceived
	}
	if c.Number == "" {
		return missing("number")
	}
	codes := c.codes("number", c.Number, "customer", string(c.Customer))
	if c.Source != nil {
		if c.Source.System == "" || c.Source.Key == "" {
			return missing("source")
		}
		codes = append(codes, named{"source", c.Source.System}, named{"source", c.Source.Key})
	}
	if err := check(codes); err != nil {
		return err
	}
	if err := checkTexts(c.Name, c.Contact, c.Title, c.Description); err != nil {
		return err
	}
	d.fact(Received{
		At: c.At.UTC(), Number: c.Number, Details: c.Details, Customer: c.Customer, Name: c.Name, Contact: c.Contact,
		Title: c.Title, Description: c.Description, Source: c.Source,
	})
	return nil
}

// recompute holds the running clocks against the policies in force.
func (d *decision) recompute(c Recompute) error {
	if c.Reason == "" {
		return missing("reason")
	}
	why := d.change(c.Reason)
	why.Recompute, why.Carry = true, c.Carry
	d.supersede(c.At, why)
	return nil
}

func (d *decision) supersede(at time.Time, why clock.Change) {
	at = at.UTC()
	d.clocks(d.engine.Supersede(d.Clocks, d.clockCase(), d.ReceivedAt, at, why))
	d.settle(at)
	d.clocks(d.engine.Lapse(d.Clocks, at)) // what is due by now under the new terms
}

// Limits of what may be stored, in characters.
const (
	maxCode = 300
	maxText = 100_000
)

// maxScale is how far a scale of satisfaction may reach from 0: beyond it figures lose digits, and nobody asks that way.
const maxScale = 1_000_000

type named struct{ field, value string }

func (d Details) codes(more ...string) []named {
	all := []named{
		{"kind", d.Kind},
		{"channel", d.Channel},
		{"priority", d.Priority},
		{"category", d.Category},
		{"subcategory", d.Subcategory},
		{"product", d.Product},
		{"location", d.Location},
		{"team", d.Team},
		{"agent", d.Agent},
	}
	for _, name := range slices.Sorted(maps.Keys(d.Attributes)) {
		all = append(all, named{"attributes", name}, named{"attributes." + name, d.Attributes[name]})
	}
	for i := 0; i+1 < len(more); i += 2 {
		all = append(all, named{more[i], more[i+1]})
	}
	return all
}

func check(codes []named) error {
	for _, c := range codes {
		if len(c.value) > maxCode && len([]rune(c.value)) > maxCode {
			return tooLong(c.field, maxCode)
		}
	}
	return nil
}

func checkTexts(texts ...seal.Text) error {
	for _, t := range texts {
		if plain, _ := t.Plain(); len(plain) > maxText && len([]rune(plain)) > maxText {
			return tooLong("text", maxText)
		}
	}
	return nil
}
