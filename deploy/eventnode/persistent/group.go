package persistent

import (
	"container/list"
	"time"
)

// Group is the state of one group. The zero Group is of no use: New makes one. Its methods take the
// time, which must not go back, and return what is to be done. It is not safe for concurrent use.
type Group struct {
	settings Settings
	members  map[ConsumerID]*member
	strategy strategy

	fresh   []*message      // read and never delivered, in order
	retries []*message      // to deliver again: by position, replayed ones last
	flight  map[ID]*message // with a consumer
	timers  *list.List      // those, in the order of their deadlines
	parking map[uint64]*message
	unsaved []*message // whose parking failed

	open    *list.List // unfinished messages in the order they were read, but for replayed ones
	number  uint64     // of the last message
	through int64      // everything up to here was read
	seen    int64      // how many events that were

	saved      int64 // checkpoint on disk
	savedSeen  int64 // how many events that covers
	savedAt    time.Time
	saving     bool // a checkpoint is being written
	savingSeen int64
	saveFailed bool // and was not; saving stays until the next tick

	replay replay
	total  int64   // deliveries
	out    Effects // what the current input leads to
}

// message is an event and what happened to it.
type message struct {
	Event
	number   uint64
	before   int64 // everything up to here was read when the message was
	seen     int64 // how many events that were
	retries  int
	reason   string // why it is being parked
	member   *member
	started  time.Time
	deadline time.Time
	timer    *list.Element // in timers
	place    *list.Element // in open, or in replay.open
}

// New returns a group that has finished everything up to a position, None for nothing.
func New(s Settings, finished int64) *Group {
	return &Group{
		settings: s, members: map[ConsumerID]*member{}, strategy: newStrategy(s.Strategy),
		flight: map[ID]*message{}, timers: list.New(), parking: map[uint64]*message{},
		open: list.New(), through: finished, saved: finished, replay: replay{open: list.New()},
	}
}

// Through is the last position that was read.
func (g *Group) Through() int64 { return g.through }

// Full reports whether the group has as many consumers as it may.
func (g *Group) Full() bool {
	return g.settings.MaxSubscriberCount > 0 && len(g.members) >= g.settings.MaxSubscriberCount
}

// Wants returns how many events the group has room for now: 0, or a whole batch. A group without
// consumers wants none.
func (g *Group) Wants() int {
	n := g.settings.batch()
	if len(g.members) == 0 || g.settings.HistoryBufferSize-len(g.fresh)-len(g.retries)-len(g.parking) < n {
		return 0
	}
	return n
}

// Ticking reports whether the group has something to do when time passes.
func (g *Group) Ticking() bool {
	finished, _ := g.finished()
	return len(g.flight) > 0 || len(g.unsaved) > 0 || finished > g.saved || g.replay.behind()
}

// Join adds a consumer that takes up to slots events without answering.
func (g *Group) Join(now time.Time, id ConsumerID, slots int) Effects {
	m := newMember(id, slots, g.settings.ExtraStatistics)
	g.members[id] = m
	g.strategy.join(m)
	return g.done(now)
}

// Leave removes consumers. What they did not answer goes back, in order.
func (g *Group) Leave(now time.Time, ids ...ConsumerID) Effects {
	for _, id := range ids {
		m, ok := g.members[id]
		if !ok {
			continue
		}
		delete(g.members, id)
		g.strategy.leave(m)
		for e := g.timers.Front(); e != nil; {
			msg := value(e)
			e = e.Next()
			if msg.member == m {
				g.retry(msg)
			}
		}
	}
	return g.done(now)
}

// Read takes in what was read behind Through.
func (g *Group) Read(now time.Time, b Batch) Effects {
	for _, e := range b.Events {
		g.number++
		m := &message{Event: e, number: g.number, before: g.through, seen: g.seen}
		m.place = g.open.PushBack(m)
		g.fresh = append(g.fresh, m)
		g.through = e.Position
		g.seen++
	}
	g.through = max(g.through, b.Through)
	g.seen += int64(max(b.Considered-len(b.Events), 0))
	return g.done(now)
}

// Tick lets time pass: events whose consumers took too long go back, and what is due is written.
func (g *Group) Tick(now time.Time) Effects {
	for e := g.timers.Front(); e != nil && !value(e).deadline.After(now); e = g.timers.Front() {
		g.retryOrPark(value(e))
	}
	for _, m := range g.unsaved {
		g.emitPark(m)
	}
	g.unsaved = nil
	if g.saveFailed {
		g.saving, g.saveFailed = false, false
	}
	g.truncate(true)
	return g.finish(now, true)
}

func (g *Group) done(now time.Time) Effects { return g.finish(now, false) }

// finish ends every input: what can be delivered is, and what is due is written.
func (g *Group) finish(now time.Time, tick bool) Effects {
	var stopped bool
	if g.retries, stopped = g.push(now, g.retries); !stopped {
		g.fresh, _ = g.push(now, g.fresh)
	}
	g.checkpoint(now, tick)
	out := g.out
	g.out = Effects{}
	return out
}

func value(e *list.Element) *message {
	return e.Value.(*message) //nolint:forcetypeassert // the lists hold nothing else
}
