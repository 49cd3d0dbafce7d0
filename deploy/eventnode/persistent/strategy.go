package persistent

import "slices"

// choice is what a strategy decided about a message.
type choice uint8

const (
	chosen   choice = iota + 1 // a consumer takes it
	passOver                   // its consumer has no room, but others may be asked for what is behind it
	full                       // nobody has room
)

// strategy chooses the consumer of each message.
type strategy interface {
	join(m *member)
	leave(m *member)
	pick(msg *message) (*member, choice)
	land(msg *message) // it is no longer with its member
}

func newStrategy(s Strategy) strategy {
	switch s {
	case Pinned, PinnedByCorrelation:
		return &pinned{}
	case DispatchToSingle:
		return &queue{sticky: true}
	case RoundRobin:
	}
	return &queue{}
}

// queue takes consumers in turn: after every message, or only when one has no room.
type queue struct {
	members []*member
	sticky  bool
}

func (q *queue) join(m *member) { q.members = append(q.members, m) }

func (q *queue) leave(m *member) {
	q.members = slices.DeleteFunc(q.members, func(o *member) bool { return o == m })
}

func (q *queue) land(*message) {}

func (q *queue) pick(*message) (*member, choice) {
	for range q.members {
		m := q.members[0]
		if m.room() > 0 && q.sticky {
			return m, chosen
		}
		q.members = append(q.members[1:], m)
		if m.room() > 0 {
			return m, chosen
		}
	}
	return nil, full
}
