package persistent

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// push delivers what it can of waiting messages. It returns the others, and whether some of them could
// not be delivered to anyone, so that nothing may overtake them.
func (g *Group) push(now time.Time, waiting []*message) (rest []*message, stopped bool) {
	for i, m := range waiting {
		to, verdict := g.pick(m)
		switch verdict {
		case full:
			if len(rest) == 0 {
				return waiting[i:], true
			}
			return append(rest, waiting[i:]...), true
		case passOver:
			rest = append(rest, m)
		case chosen:
			g.deliver(now, m, to)
		}
	}
	return rest, false
}

// pick chooses a consumer. An event with the id of one that is unanswered waits for that, because
// answers could not tell them apart, and everything behind it waits with it to keep the order.
func (g *Group) pick(m *message) (*member, choice) {
	if len(g.members) == 0 {
		return nil, full
	}
	if _, twin := g.flight[m.ID]; twin {
		return nil, full
	}
	return g.strategy.pick(m)
}

func (g *Group) deliver(now time.Time, m *message, to *member) {
	m.member, m.started, m.deadline = to, now, now.Add(g.settings.MessageTimeout)
	m.timer = g.timers.PushBack(m)
	g.flight[m.ID] = m
	to.sent++
	to.inFlight++
	g.total++
	g.out.Deliver = append(g.out.Deliver, Delivery{Consumer: to.id, Event: m.Event, Retries: m.retries})
}

// land takes a message out of the hands of its consumer.
func (g *Group) land(m *message) {
	g.strategy.land(m)
	m.member.inFlight--
	g.out.Revoke = append(g.out.Revoke, Revocation{Consumer: m.member.id, ID: m.ID})
	g.timers.Remove(m.timer)
	delete(g.flight, m.ID)
	m.member, m.timer = nil, nil
}

// Ack finishes events. Those that no consumer has, or has any more, are left as they are.
func (g *Group) Ack(now time.Time, ids ...ID) Effects {
	for _, id := range ids {
		if m, ok := g.flight[id]; ok {
			m.member.measure(now.Sub(m.started))
			g.land(m)
			g.complete(m)
		}
	}
	return g.done(now)
}

// Nack does what a consumer wants done with events that it refuses. Those that no consumer has are left
// as they are.
func (g *Group) Nack(now time.Time, action Action, reason string, ids ...ID) Effects {
	for _, id := range ids {
		m, ok := g.flight[id]
		if !ok {
			continue
		}
		switch action {
		case ActionRetry:
			m.member.measure(now.Sub(m.started))
			g.retryOrPark(m)
		case ActionPark:
			m.member.measure(now.Sub(m.started))
			g.land(m)
			g.park(m, "Client explicitly NAK'ed message.\n"+reason)
		case ActionSkip:
			m.member.measure(now.Sub(m.started))
			g.land(m)
			g.complete(m)
		case ActionStop:
		}
	}
	return g.done(now)
}

func (g *Group) retryOrPark(m *message) {
	if m.retries < g.settings.MaxRetryCount {
		g.retry(m)
		return
	}
	g.land(m)
	g.park(m, fmt.Sprintf("Reached retry count of %d", g.settings.MaxRetryCount))
}

// retry puts a message back, ahead of new ones.
func (g *Group) retry(m *message) {
	g.land(m)
	m.retries++
	g.putBack(m)
}

func (g *Group) putBack(m *message) {
	at, _ := slices.BinarySearchFunc(g.retries, m, func(a, b *message) int {
		switch {
		case a.Replayed != b.Replayed && a.Replayed:
			return 1
		case a.Replayed != b.Replayed:
			return -1
		default:
			return cmp.Compare(a.number, b.number)
		}
	})
	g.retries = slices.Insert(g.retries, at, m)
}

// complete forgets a message that is finished.
func (g *Group) complete(m *message) {
	if m.Replayed {
		g.replay.open.Remove(m.place)
		g.truncate(false)
		return
	}
	g.open.Remove(m.place)
}

func (g *Group) park(m *message, reason string) {
	m.reason = reason
	g.parking[m.number] = m
	g.emitPark(m)
}

func (g *Group) emitPark(m *message) {
	g.out.Park = append(g.out.Park, Parking{Number: m.number, Event: m.Event, Reason: m.reason})
}

// Parked says that events were put aside, durably.
func (g *Group) Parked(now time.Time, numbers ...uint64) Effects {
	for _, n := range numbers {
		if m, ok := g.parking[n]; ok {
			delete(g.parking, n)
			g.complete(m)
		}
	}
	return g.done(now)
}

// ParkingFailed says that events could not be put aside. The next tick tries again.
func (g *Group) ParkingFailed(now time.Time, numbers ...uint64) Effects {
	for _, n := range numbers {
		if m, ok := g.parking[n]; ok {
			g.unsaved = append(g.unsaved, m)
		}
	}
	return g.done(now)
}
