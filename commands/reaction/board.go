package reaction

import (
	"container/heap"
	"time"

	"aftercare/domain"
	"aftercare/domain/clock"
)

// grace is how long after the due time a breach is recorded. At the due time itself stopping is still in time, and what was
// done at the last moment should be in the log before the breach is.
const grace = time.Second

// instance names one clock of one case.
type instance struct {
	stream string
	number int
}

// running is a clock that runs.
type running struct {
	instance
	due time.Time
	// cause is the event that set the due time.
	cause domain.UUID
	// traceparent names the trace of the command that set it, "" where that is not kept.
	traceparent string
	// next is when to look at it: a moment after the due time, or later after a failure.
	next     time.Time
	failures int
	index    int // in the heap, -1 when it is not there
}

// board holds the running clocks. It is not safe for concurrent use.
type board struct {
	all   map[instance]*running
	order order
}

func newBoard() *board { return &board{all: map[instance]*running{}} }

// apply follows one event.
func (b *board) apply(r domain.Recorded) {
	switch e := r.Event.(type) {
	case clock.Started:
		b.start(r, e.Instance, e.Promise.Due)
	case clock.Resumed:
		b.start(r, e.Instance, e.Due)
	case clock.Paused:
		b.stop(r.Stream, e.Instance)
	case clock.Met:
		b.stop(r.Stream, e.Instance)
	case clock.MetLate:
		b.stop(r.Stream, e.Instance)
	case clock.Breached:
		b.stop(r.Stream, e.Instance)
	case clock.Cancelled:
		b.stop(r.Stream, e.Instance)
	case clock.Superseded:
		b.stop(r.Stream, e.Instance)
	}
}

func (b *board) start(r domain.Recorded, number int, due time.Time) {
	b.stop(r.Stream, number)
	c := &running{instance: instance{r.Stream, number}, due: due, next: due.Add(grace), cause: r.ID}
	if r.Metadata.Sampled() {
		c.traceparent = r.Metadata.Traceparent
	}
	b.all[c.instance] = c
	heap.Push(&b.order, c)
}

func (b *board) stop(stream string, number int) {
	c, ok := b.all[instance{stream, number}]
	if !ok {
		return
	}
	delete(b.all, c.instance)
	if c.index >= 0 {
		heap.Remove(&b.order, c.index)
	}
}

// take removes from the order, and returns, up to n clocks that are to be looked at now; the rest of the answer is when the
// next one is, zero for none.
func (b *board) take(now time.Time, n int) (due []*running, next time.Time) {
	for len(b.order) > 0 {
		if first := b.order[0]; len(due) == n || first.next.After(now) {
			return due, first.next
		}
		due = append(due, heap.Pop(&b.order).(*running))
	}
	return due, time.Time{}
}

// done ends the looking at a clock that was taken: for good, or until next when that is not zero. A clock that was started
// anew or stopped in the meantime is another matter already.
func (b *board) done(c *running, next time.Time) {
	if b.all[c.instance] != c {
		return
	}
	if next.IsZero() {
		delete(b.all, c.instance)
		return
	}
	c.next = next
	heap.Push(&b.order, c)
}

// order is a heap of clocks by the time to look at them.
type order []*running

func (o order) Len() int           { return len(o) }
func (o order) Less(i, j int) bool { return o[i].next.Before(o[j].next) }

func (o order) Swap(i, j int) {
	o[i], o[j] = o[j], o[i]
	o[i].index, o[j].index = i, j
}

// Push is for package heap.
func (o *order) Push(x any) {
	c := x.(*running)
	c.index = len(*o)
	*o = append(*o, c)
}

// Pop is for package heap.
func (o *order) Pop() any {
	last := len(*o) - 1
	c := (*o)[last]
	(*o)[last] = nil
	*o = (*o)[:last]
	c.index = -1
	return c
}
