package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	groupRequests = 1024
	groupBytes    = 8 << 20
)

// What one append may hold. Both are far beyond what a node lets clients send by default.
const (
	// MaxEvents is how many events.
	MaxEvents = 16 << 10
	// MaxAppend is how many bytes of the log.
	MaxAppend = 256 << 20
)

// ErrTooLarge means that an append has more events or bytes than fit in one.
var ErrTooLarge = errors.New("the append is too large")

// Kind is what a request asks for.
type Kind uint8

// The kinds of requests: to append events, to hide a stream until it is written again, to end it for ever.
const (
	Append Kind = iota + 1
	Delete
	Tombstone
)

// Request asks the writer for one atomic change.
type Request struct {
	Kind     Kind
	Stream   string
	Expected int64    // a revision, or Any, NoStream or StreamExists
	Events   []Record // without stream, revision and position
	done     chan Result
}

// Result is what became of a request.
type Result struct {
	Verdict  Verdict
	Revision int64 // of the last event written or found again, else the current one of the stream
	Position uint64
	err      error
}

// writer owns the end of the log. Only its loop writes.
type writer struct {
	store  *Store
	recent *recentIDs
	infos  streamInfos
	rd     *Reader
	queue  chan *Request
	now    func() time.Time
	logger *slog.Logger
	watch  Observer
	spare  []byte // buffer of the last group
	dirty  bool   // a failed write may have left something behind the end of the log
	blind  bool   // the last end was not noted in the acked file

	tasks   chan func()   // run between two groups
	owed    func() error  // must succeed before anything more is written; may be nil
	closed  chan struct{} // nothing runs any more
	closing sync.Once
}

func newWriter(s *Store, o Options) *writer {
	return &writer{
		store: s, recent: newRecentIDs(), infos: streamInfos{}, rd: newReader(s.log, 0),
		queue: make(chan *Request, groupRequests), now: o.Now, logger: o.Logger, watch: o.Observer,
		tasks: make(chan func()), closed: make(chan struct{}),
	}
}

// submit hands q to the loop.
func (w *writer) submit(ctx context.Context, q *Request) (*Pending, error) {
	if len(q.Events) > MaxEvents || q.size() > MaxAppend {
		return nil, fmt.Errorf("%w: at most %d events and %d bytes fit in one", ErrTooLarge, MaxEvents, MaxAppend)
	}
	q.done = make(chan Result, 1)
	select {
	case w.queue <- q:
		return &Pending{q.done}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run writes groups until stop is closed and nothing waits, and moves index entries to disk beside that.
func (w *writer) run(stop <-chan struct{}) {
	flush := make(chan struct{}, 1)
	var flusher sync.WaitGroup
	flusher.Go(func() {
		for range flush {
			if err := w.store.index.flush(); err != nil {
				w.logger.Error("index not written, it stays in memory", "error", err)
			}
		}
	})
	defer flusher.Wait()
	defer close(flush)
	defer w.close()
	for {
		select {
		case q := <-w.queue:
			w.commit(w.collect(q))
		case task := <-w.tasks:
			task()
		case <-stop:
			select {
			case q := <-w.queue:
				w.commit(w.collect(q))
			default:
				return
			}
		}
		switch should, must := w.store.index.full(); {
		case must:
			flush <- struct{}{} // taken soon: the flusher ends its attempt, even if the disk is full
		case should:
			select {
			case flush <- struct{}{}:
			default:
			}
		}
	}
}

// collect takes what waits besides q, up to the size of a group.
func (w *writer) collect(q *Request) []*Request {
	requests, size := []*Request{q}, q.size()
	for len(requests) < groupRequests && size < groupBytes {
		select {
		case q := <-w.queue:
			requests = append(requests, q)
			size += q.size()
		default:
			return requests
		}
	}
	return requests
}

// size is what a request takes in the log.
func (q *Request) size() int {
	n := 0
	for i := range q.Events {
		e := &q.Events[i]
		n += recordMin + len(q.Stream) + len(e.Type) + len(e.Metadata) + len(e.Data)
	}
	return n
}

// commit decides, writes and syncs a group, and only then answers.
func (w *writer) commit(requests []*Request) {
	end := w.store.end.Load()
	g := &group{
		store: w.store, known: w.recent, infos: w.infos, rd: w.rd, start: end, created: Ticks(w.now()),
		buf: w.spare[:0], table: newMemtable(), ids: map[recentKey]recentEvent{},
	}
	results := make([]Result, len(requests))
	for i, q := range requests {
		before := len(g.buf)
		res, err := g.do(q)
		res.err = err
		results[i] = res
		if err != nil && len(g.buf) != before { // half an append must not reach the log: begin anew without it
			q.done <- res
			w.commit(slices.Delete(requests, i, i+1))
			return
		}
	}
	if len(g.buf) > 0 {
		started := w.now()
		if err := w.put(g.buf, end); err != nil {
			w.watch.NotStored(err)
			w.logger.Error("append failed", "error", err, "requests", len(requests))
			for i, q := range requests {
				if results[i].Verdict == Repeated && results[i].Position < end { // stored long ago
					q.done <- results[i]
				} else {
					q.done <- Result{err: err}
				}
			}
			return
		}
		w.watch.Stored(Group{len(requests), g.table.events, len(g.buf)}, w.now().Sub(started))
		g.table.through = end + uint64(len(g.buf))
		for k, e := range g.ids {
			w.recent.add(k, e)
		}
		w.note(g.table.through)
		for name, s := range g.table.streams {
			w.infos.add(name, s.StreamInfo)
		}
		w.store.publish(g.table, g.last)
	}
	if cap(g.buf) <= groupBytes {
		w.spare = g.buf
	}
	for i, q := range requests {
		q.done <- results[i]
	}
}

// put writes b at the end of the log. Nothing is written over what a failed write left there until that was
// removed, durably: whole records of it could be taken for stored ones after a crash, and the next write could
// end where one of them begins.
func (w *writer) put(b []byte, end uint64) error {
	if w.owed != nil {
		if err := w.owed(); err != nil {
			return &NotStoredError{cause: err, Uncertain: true} // the same may have been sent before
		}
		w.owed = nil
	}
	if w.dirty {
		if err := w.store.log.cut(end); err != nil {
			return &NotStoredError{cause: err, Uncertain: true} // the same may have been sent before
		}
		w.dirty = false
	}
	err := w.store.log.write(b, end)
	if err == nil {
		return nil
	}
	cut := w.store.log.cut(end)
	w.dirty = cut != nil
	return &NotStoredError{cause: errors.Join(err, cut), Uncertain: w.dirty}
}

// note writes down how far the log is on disk. Without that a crash is survived just as well, but damage to the last group
// passes for a torn write, so a failure is no reason to refuse the append.
func (w *writer) note(end uint64) {
	err := w.store.acked.write(end)
	if err != nil && !w.blind {
		w.logger.Warn("the end of the log was not noted", "error", err)
	}
	w.blind = err != nil
}

// NotStoredError says that an append was not acknowledged because writing it failed. It may be sent again, with the same
// ids of events.
type NotStoredError struct {
	// Uncertain is true when the disk did not even let the store undo a write: nothing shows the append until the
	// next start, but that may find it whole. Otherwise it was not stored and never will be.
	Uncertain bool
	cause     error
}

// Error implements error.
func (e *NotStoredError) Error() string {
	if e.Uncertain {
		return "not stored as far as anybody can tell before the next start, may be sent again with the same ids: " + e.cause.Error()
	}
	return "not stored, may be sent again: " + e.cause.Error()
}

// Unwrap returns what the disk said.
func (e *NotStoredError) Unwrap() error { return e.cause }
