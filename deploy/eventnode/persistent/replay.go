package persistent

import (
	"container/list"
	"time"
)

// replay is what a group knows about the parked events it delivers again.
type replay struct {
	open      *list.List // unfinished replayed messages in the order of the parked stream
	next      int64      // revision of the parked stream to read from
	stop      int64      // and to stop in front of
	truncated int64      // everything in front of it is gone from the parked stream
	writing   bool
	failed    bool // and was not written; writing stays until the next tick
}

// finished is the revision of the parked stream in front of which everything was delivered again and is finished.
func (r *replay) finished() int64 {
	if first := r.open.Front(); first != nil {
		return value(first).Position
	}
	return r.next
}

func (r *replay) behind() bool { return r.finished() > r.truncated }

// Replay delivers parked events again, from a revision of the parked stream on, up to and without
// another one. Those that are being delivered again already are not taken twice.
func (g *Group) Replay(now time.Time, first, stop int64) Effects {
	g.replay.truncated = max(g.replay.truncated, first)
	g.replay.next = max(g.replay.next, first)
	g.replay.stop = max(g.replay.stop, stop)
	return g.done(now)
}

// WantsParked returns the range of the parked stream that the group wants to read next, and how many
// events at most. It wants none, and n is 0, when no replay is under way, when it has no room or no
// consumers.
func (g *Group) WantsParked() (first, stop int64, n int) {
	r := &g.replay
	if len(g.members) == 0 || r.next >= r.stop {
		return 0, 0, 0
	}
	waiting := 0
	for i := len(g.retries) - 1; i >= 0 && g.retries[i].Replayed; i-- {
		waiting++
	}
	if n = g.settings.batch(); waiting+n > g.settings.HistoryBufferSize {
		return 0, 0, 0
	}
	return r.next, r.stop, n
}

// Replaying reports whether parked events wait to be read.
func (g *Group) Replaying() bool { return g.replay.next < g.replay.stop }

// ReplayedTo is the revision of the parked stream in front of which everything was taken up again.
func (g *Group) ReplayedTo() int64 { return g.replay.next }

// ReadParked takes in parked events that WantsParked asked for. Through is the last revision looked at.
func (g *Group) ReadParked(now time.Time, b Batch) Effects {
	r := &g.replay
	for _, e := range b.Events {
		e.Replayed = true
		g.number++
		m := &message{Event: e, number: g.number}
		m.place = r.open.PushBack(m)
		g.retries = append(g.retries, m)
	}
	r.next = max(r.next, b.Through+1)
	if !b.More {
		r.next = max(r.next, r.stop)
	}
	g.truncate(false)
	return g.done(now)
}

// truncate asks to cut off what is finished of the parked stream: with a tick, or when a replay is over.
func (g *Group) truncate(tick bool) {
	r := &g.replay
	if tick && r.failed {
		r.writing, r.failed = false, false
	}
	if r.writing || !r.behind() || !tick && (r.open.Len() > 0 || r.next < r.stop) {
		return
	}
	r.writing = true
	before := r.finished()
	g.out.Truncate = &before
}

// Truncated says that everything in front of a revision is gone from the parked stream.
func (g *Group) Truncated(now time.Time, before int64) Effects {
	g.replay.truncated, g.replay.writing = before, false
	g.truncate(false)
	return g.done(now)
}

// TruncateFailed says that the parked stream could not be cut off. A tick tries again.
func (g *Group) TruncateFailed() { g.replay.failed = true }
