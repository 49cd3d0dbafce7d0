package importer

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"aftercare/commands/importer/table"
	"aftercare/domain"
	"aftercare/domain/seal"
	"aftercare/domain/ticket"
)

// program is a mapping with everything worked out that does not depend on a file.
type program struct {
	*Mapping
	times    *timeReader
	key      *boundValue
	received *boundValue
	customer *boundValue
	details  []boundDetail
	text     [4]*boundValue // name, contact, title, description
	events   []boundEvent
	names    []string // of attributes, sorted
	attrs    []*boundValue
	due      []*boundValue
	verdicts []boundVerdict
	rating   [3]*boundValue // score, at, comment
	checks   [][3]*boundValue
	needed   [][]string
}

type boundDetail struct {
	value *boundValue
	set   func(*ticket.Details, string)
}

type boundEvent struct {
	at, status *boundValue
	states     map[string]meaning
	other      meaning
	refuse     bool
}

type boundVerdict struct {
	clock       string
	value       *boundValue
	met, missed map[string]bool
}

func compile(m *Mapping) (*program, error) {
	times, err := m.clock()
	if err != nil {
		return nil, err
	}
	p := &program{Mapping: m, times: times}
	need := func(v Value) *boundValue {
		b := bindValue(v, m.Missing)
		if !v.IsZero() && !v.Optional {
			p.needed = append(p.needed, b.names()...)
		}
		return b
	}
	p.key, p.received, p.customer = need(m.Key), need(m.Received), need(m.Customer)
	d := m.Details
	for _, f := range []struct {
		v   Value
		set func(*ticket.Details, string)
	}{
		{d.Kind, func(d *ticket.Details, s string) { d.Kind = s }},
		{d.Channel, func(d *ticket.Details, s string) { d.Channel = s }},
		{d.Priority, func(d *ticket.Details, s string) { d.Priority = s }},
		{d.Category, func(d *ticket.Details, s string) { d.Category = s }},
		{d.Subcategory, func(d *ticket.Details, s string) { d.Subcategory = s }},
		{d.Product, func(d *ticket.Details, s string) { d.Product = s }},
		{d.Location, func(d *ticket.Details, s string) { d.Location = s }},
		{d.Team, func(d *ticket.Details, s string) { d.Team = s }},
		{d.Agent, func(d *ticket.Details, s string) { d.Agent = s }},
	} {
		if !f.v.IsZero() {
			p.details = append(p.details, boundDetail{need(f.v), f.set})
		}
	}
	for i, v := range []Value{m.Text.Name, m.Text.Contact, m.Text.Title, m.Text.Description} {
		p.text[i] = need(v)
	}
	for _, e := range m.Events {
		b := boundEvent{at: need(e.At), status: need(e.Status), refuse: e.Otherwise == "refuse"}
		b.other, _ = e.State.meaning() // validated
		if len(e.States) > 0 {
			b.states = make(map[string]meaning, len(e.States))
		}
		for name, s := range e.States {
			b.states[table.Fold(name)], _ = s.meaning()
		}
		p.events = append(p.events, b)
	}
	for name := range m.Attributes {
		p.names = append(p.names, name)
	}
	slices.Sort(p.names)
	for _, name := range p.names {
		p.attrs = append(p.attrs, need(m.Attributes[name]))
	}
	for _, t := range m.Targets {
		p.due = append(p.due, need(t.Due))
	}
	for _, v := range m.Verdicts {
		p.verdicts = append(p.verdicts, boundVerdict{v.Clock, need(v.Value), foldSet(v.Met), foldSet(v.Missed)})
	}
	if r := m.Rating; r != nil {
		p.rating = [3]*boundValue{need(r.Score), need(r.At), need(r.Comment)}
	}
	for _, c := range m.Checks {
		p.checks = append(p.checks, [3]*boundValue{need(c.Require), need(c.Before), need(c.After)})
	}
	return p, nil
}

func foldSet(values []string) map[string]bool {
	set := make(map[string]bool, len(values))
	for _, v := range values {
		set[table.Fold(v)] = true
	}
	return set
}

// lacks returns the columns the mapping needs and the header has not.
func (p *program) lacks(h *table.Header) (missing []string) {
	for _, names := range p.needed {
		if !slices.ContainsFunc(names, func(n string) bool { return h.Find(n) >= 0 }) {
			missing = append(missing, strings.Join(names, " | "))
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// problem is why a row, or a case, was refused.
type problem struct {
	column, value string
	err           *domain.Error
}

func refusal(g getter, r table.Row, code string, pairs ...string) *problem {
	raw, _ := g.raw(r)
	return &problem{g.columnName(r), raw, domain.Refuse(domain.Invalid, code, pairs...)}
}

// bound is a program bound to the header of one file.
type bound struct {
	*program
	header   *table.Header
	width    int
	key      getter
	received getter
	customer getter
	details  []getter
	text     [4]getter
	events   [][2]getter
	attrs    []getter
	due      []getter
	verdicts []getter
	rating   [3]getter
	checks   [][3]getter
}

func (p *program) bind(h *table.Header) *bound {
	b := &bound{program: p, header: h, width: len(h.Names)}
	b.key, b.received, b.customer = p.key.bind(h), p.received.bind(h), p.customer.bind(h)
	for _, d := range p.details {
		b.details = append(b.details, d.value.bind(h))
	}
	for i, v := range p.text {
		b.text[i] = v.bind(h)
	}
	for _, e := range p.events {
		b.events = append(b.events, [2]getter{e.at.bind(h), e.status.bind(h)})
	}
	bindAll := func(values []*boundValue) (all []getter) {
		for _, v := range values {
			all = append(all, v.bind(h))
		}
		return all
	}
	b.attrs, b.due = bindAll(p.attrs), bindAll(p.due)
	for _, v := range p.verdicts {
		b.verdicts = append(b.verdicts, v.value.bind(h))
	}
	for i, v := range p.rating {
		if v != nil {
			b.rating[i] = v.bind(h)
		}
	}
	for _, c := range p.checks {
		b.checks = append(b.checks, [3]getter{c[0].bind(h), c[1].bind(h), c[2].bind(h)})
	}
	return b
}

// entry is what one row says.
type entry struct {
	key      string
	customer string
	received time.Time
	details  ticket.Details
	text     [4]string
	statuses []ticket.RecordStatus
	attrs    map[string]string
	targets  []ticket.RecordTarget
	verdicts []ticket.RecordVerdict
	rated    bool
	rating   ticket.Rate
	comment  string
}

// row reads one row. Exactly one of its results is nil.
func (b *bound) row(r table.Row) (*entry, *problem) {
	e := &entry{}
	var ok bool
	if e.key, ok = b.key.get(r); !ok {
		return nil, refusal(b.key, r, "import.missing-value")
	}
	var bad *problem
	if e.received, ok, bad = b.time(b.received, r); bad != nil {
		return nil, bad
	} else if !ok {
		return nil, refusal(b.received, r, "import.missing-value")
	}
	if bad := b.check(r); bad != nil {
		return nil, bad
	}
	e.customer, _ = b.customer.get(r)
	for i, g := range b.details {
		if v, ok := g.get(r); ok {
			b.program.details[i].set(&e.details, v)
		}
	}
	for i, g := range b.text {
		e.text[i], _ = g.get(r)
	}
	if bad := b.statuses(r, e); bad != nil {
		return nil, bad
	}
	for i, g := range b.attrs {
		v, ok := g.get(r)
		if ok && g.value.Time {
			at, _, bad := b.time(g, r)
			if bad != nil {
				return nil, bad
			}
			v = at.Format(time.RFC3339)
		}
		if ok {
			if e.attrs == nil {
				e.attrs = make(map[string]string, len(b.attrs))
			}
			e.attrs[b.names[i]] = v
		}
	}
	return e, b.outcomes(r, e)
}

func (b *bound) statuses(r table.Row, e *entry) *problem {
	for i, g := range b.events {
		at, ok, bad := b.time(g[0], r)
		if bad != nil {
			return bad
		}
		status, has := g[1].get(r)
		if !ok || !has {
			continue
		}
		spec := b.program.events[i]
		m, known := spec.states[table.Fold(status)]
		if !known {
			if spec.refuse {
				return refusal(g[1], r, "import.unknown-status")
			}
			m = spec.other
		}
		e.statuses = append(e.statuses, ticket.RecordStatus{
			At: at, Status: status, Phase: m.phase, Reason: m.reason, Fact: m.fact, Details: e.details,
		})
	}
	return nil
}

func (b *bound) outcomes(r table.Row, e *entry) *problem {
	for i, g := range b.due {
		due, ok, bad := b.time(g, r)
		if bad != nil {
			return bad
		}
		if ok {
			e.targets = append(e.targets, ticket.RecordTarget{Clock: b.Targets[i].Clock, Due: due, Source: b.Source})
		}
	}
	for i, g := range b.verdicts {
		if v, ok := g.get(r); ok {
			spec := b.program.verdicts[i]
			met := spec.met[table.Fold(v)]
			if met || spec.missed[table.Fold(v)] || len(spec.missed) == 0 {
				e.verdicts = append(e.verdicts, ticket.RecordVerdict{Clock: spec.clock, Met: met, Source: b.Source})
			}
		}
	}
	if b.Rating == nil {
		return nil
	}
	score, ok := b.rating[0].get(r)
	at, timed, bad := b.time(b.rating[1], r)
	if bad != nil {
		return bad
	}
	if !ok || !timed {
		return nil
	}
	n, err := strconv.ParseFloat(score, 64)
	if err != nil || n != float64(int(n)) || int(n) < b.Rating.Min || int(n) > b.Rating.Max {
		return refusal(b.rating[0], r, "import.bad-rating", "min", strconv.Itoa(b.Rating.Min), "max", strconv.Itoa(b.Rating.Max))
	}
	e.rated = true
	e.rating = ticket.Rate{At: at, Score: int(n), Min: b.Rating.Min, Max: b.Rating.Max}
	e.comment, _ = b.rating[2].get(r)
	return nil
}

func (b *bound) check(r table.Row) *problem {
	for _, c := range b.checks {
		if !c[0].value.IsZero() {
			if _, ok := c[0].get(r); !ok {
				return refusal(c[0], r, "import.missing-value")
			}
			continue
		}
		before, ok1, bad1 := b.time(c[1], r)
		after, ok2, bad2 := b.time(c[2], r)
		if bad1 != nil {
			return bad1
		}
		if bad2 != nil {
			return bad2
		}
		if ok1 && ok2 && after.Before(before) {
			return refusal(c[2], r, "import.wrong-order", "before", c[1].columnName(r), "after", c[2].columnName(r))
		}
	}
	return nil
}

func (b *bound) time(g getter, r table.Row) (time.Time, bool, *problem) {
	s, ok := g.get(r)
	if !ok {
		return time.Time{}, false, nil
	}
	at, err := b.times.parse(s)
	if err != nil {
		return time.Time{}, false, refusal(g, r, "import.bad-time")
	}
	return at, true, nil
}

// history is what all rows of one case say, in order.
type history struct {
	first, last *entry
	statuses    []ticket.RecordStatus
}

func (h *history) add(e *entry) {
	if h.first == nil {
		h.first = e
	}
	h.last = e
	h.statuses = append(h.statuses, e.statuses...)
}

// identity says who a case is and whom its texts concern.
type identity struct {
	id     domain.UUID
	number string
	person seal.Subject
	known  bool
}

// commands returns what the history asks of its case.
func (h *history) commands(p *program, who identity) []ticket.Command {
	if p.Order == "time" {
		slices.SortStableFunc(h.statuses, func(a, b ticket.RecordStatus) int { return a.At.Compare(b.At) })
	}
	text := func(s string) seal.Text { return seal.New(who.person, s) }
	f := h.first
	receive := ticket.Receive{
		At: f.received, Number: who.number, Details: f.details, Name: text(f.text[0]), Contact: text(f.text[1]),
		Title: text(f.text[2]), Description: text(f.text[3]), Source: &ticket.Source{System: p.Source, Key: f.key},
	}
	if who.known {
		receive.Customer = who.person
	}
	end := h.last.received
	for i := range h.statuses {
		h.statuses[i].Seq = i + 1
		if h.statuses[i].At.After(end) {
			end = h.statuses[i].At
		}
	}
	if n := len(h.statuses); n > 0 && p.Rows == "event" {
		h.statuses[n-1].Details.Attributes = h.last.attrs
	} else {
		receive.Details.Attributes = h.last.attrs
	}
	commands := make([]ticket.Command, 0, len(h.statuses)+4)
	commands = append(commands, receive)
	for _, t := range h.last.targets {
		t.At = f.received
		commands = append(commands, t)
	}
	for _, s := range h.statuses {
		commands = append(commands, s)
	}
	for _, v := range h.last.verdicts {
		v.At = end
		commands = append(commands, v)
	}
	if h.last.rated {
		rate := h.last.rating
		rate.Comment = text(h.last.comment)
		commands = append(commands, rate)
	}
	return commands
}

// write writes what the history says, so that the same rows are the same command.
func (h *history) write(w io.Writer) {
	_, _ = fmt.Fprintf(w, "%+v|%+v|%+v", *h.first, *h.last, h.statuses)
}
