package importer

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"aftercare/commands/importer/table"
	"aftercare/domain"
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
	states     table.Lookup[meaning]
	other      meaning
	refuse     bool
}

type boundVerdict struct {
	clock string
	value *boundValue
	met   table.Lookup[bool]
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
		b.other, _ = e.meaning() // validated
		states := make(map[string]meaning, len(e.States))
		for name, s := range e.States {
			states[name], _ = s.meaning()
		}
		b.states = table.NewLookup(states)
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
		p.verdicts = append(p.verdicts, boundVerdict{v.Clock, need(v.Value), verdicts(v)})
	}
	if r := m.Rating; r != nil {
		p.rating = [3]*boundValue{need(r.Score), need(r.At), need(r.Comment)}
	}
	for _, c := range m.Checks {
		p.checks = append(p.checks, [3]*boundValue{need(c.Require), need(c.Before), need(c.After)})
	}
	return p, nil
}

func verdicts(v Verdict) table.Lookup[bool] {
	met := make(map[string]bool, len(v.Met)+len(v.Missed))
	for _, name := range v.Met {
		met[name] = true
	}
	for _, name := range v.Missed {
		met[name] = false
	}
	return table.NewLookup(met)
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

func refusal(g getter, r table.Row, reason *domain.Error) *problem {
	raw, _ := g.raw(r)
	return &problem{g.columnName(r), raw, reason}
}

var (
	errMissing = domain.Refuse(domain.Invalid, "import.missing-value")
	errBadTime = domain.Refuse(domain.Invalid, "import.bad-time")
	errStatus  = domain.Refuse(domain.Invalid, "import.unknown-status")
)

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
	at       time.Time // of its first status, else when it was received
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

// row reads one row. A row with a problem still has its key, where that can be read.
func (b *bound) row(r table.Row) (*entry, *problem) {
	e := &entry{}
	var ok bool
	if e.key, ok = b.key.get(r); !ok {
		return e, refusal(b.key, r, errMissing)
	}
	return e, b.fill(r, e)
}

func (b *bound) fill(r table.Row, e *entry) *problem {
	var ok bool
	var bad *problem
	if e.received, ok, bad = b.time(b.received, r); bad != nil {
		return bad
	} else if !ok {
		return refusal(b.received, r, errMissing)
	}
	if bad := b.check(r); bad != nil {
		return bad
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
		return bad
	}
	if e.at.IsZero() {
		e.at = e.received
	}
	for i, g := range b.attrs {
		v, ok := g.get(r)
		if ok && g.value.Time {
			at, _, bad := b.time(g, r)
			if bad != nil {
				return bad
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
	return b.outcomes(r, e)
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
		m, known := spec.states.Find(status)
		if !known {
			if spec.refuse {
				return refusal(g[1], r, errStatus)
			}
			m = spec.other
		}
		if e.at.IsZero() || at.Before(e.at) {
			e.at = at
		}
		e.statuses = append(e.statuses, ticket.RecordStatus{
			At: at, Seq: i + 1, Status: status, Phase: m.phase, Reason: m.reason, Fact: m.fact, Details: e.details,
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
			if met, known := spec.met.Find(v); known {
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
		return refusal(b.rating[0], r, domain.Refuse(domain.Invalid, "import.bad-rating", "min", strconv.Itoa(b.Rating.Min), "max", strconv.Itoa(b.Rating.Max)))
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
				return refusal(c[0], r, errMissing)
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
			return refusal(c[2], r, domain.Refuse(domain.Invalid, "import.wrong-order", "before", c[1].columnName(r), "after", c[2].columnName(r)))
		}
	}
	return nil
}

func (b *bound) time(g getter, r table.Row) (time.Time, bool, *problem) {
	s, ok := g.get(r)
	if !ok {
		return time.Time{}, false, nil
	}
	at, err := b.times.parse(s, b.header.Dates)
	if err != nil {
		return time.Time{}, false, refusal(g, r, errBadTime)
	}
	return at, true, nil
}
