package persistent

import (
	"cmp"
	"slices"
)

// buckets is how many parts the streams of a group are divided into, each with a consumer of its own.
const buckets = 1024

// pinned gives each bucket to one consumer. A consumer that joins takes over its share of buckets, first
// those with nothing in flight.
type pinned struct {
	members  []*member
	owners   [buckets]*member
	inFlight [buckets]int // messages with the owner
}

func bucket(m *message) uint32 { return m.Pin % buckets }

func (p *pinned) owned() map[*member]int {
	n := map[*member]int{}
	for _, m := range p.owners {
		if m != nil {
			n[m]++
		}
	}
	return n
}

func (p *pinned) join(m *member) {
	p.members = append(p.members, m)
	owned, total := p.owned(), 0
	for _, n := range owned {
		total += n
	}
	share := (total + len(p.members) - 1) / len(p.members)
	for _, other := range p.members {
		if surplus := owned[other] - share; surplus > 0 {
			p.hand(other, m, surplus)
		}
	}
}

// hand gives n buckets of one consumer to another.
func (p *pinned) hand(from, to *member, n int) {
	var theirs []int
	for b, owner := range p.owners {
		if owner == from {
			theirs = append(theirs, b)
		}
	}
	slices.SortStableFunc(theirs, func(a, b int) int { return cmp.Compare(p.inFlight[a], p.inFlight[b]) })
	for _, b := range theirs[:n] {
		p.owners[b], p.inFlight[b] = to, 0
	}
}

func (p *pinned) leave(m *member) {
	p.members = slices.DeleteFunc(p.members, func(o *member) bool { return o == m })
	for b, owner := range p.owners {
		if owner == m {
			p.owners[b], p.inFlight[b] = nil, 0
		}
	}
}

func (p *pinned) pick(msg *message) (*member, choice) {
	if !slices.ContainsFunc(p.members, func(m *member) bool { return m.room() > 0 }) {
		return nil, full
	}
	b := bucket(msg)
	if p.owners[b] == nil {
		owned := p.owned()
		p.owners[b] = slices.MinFunc(p.members, func(a, o *member) int { return cmp.Compare(owned[a], owned[o]) })
	}
	owner := p.owners[b]
	if owner.room() <= 0 {
		return nil, passOver
	}
	p.inFlight[b]++
	return owner, chosen
}

func (p *pinned) land(msg *message) {
	if b := bucket(msg); p.owners[b] == msg.member {
		p.inFlight[b] = max(p.inFlight[b]-1, 0)
	}
}
