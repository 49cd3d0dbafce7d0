package storage

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	groupRequests = 1024
	groupBytes    = 8 << 20
)

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
	rd     *Reader
	queue  chan *Request
	now    func() time.Time
	logger *slog.Logger
	watch  Observer
	spare  []byte // buffer of the last group
	dirty  bool   // a failed write left something behind the end of the log

	tasks   chan func()   // run between two groups
	owed    func() error  // must succeed before anything more is written; may be nil
	closed  chan struct{} // nothing runs any more
	closing sync.Once
}

func newWriter(s *Store, o Options) *writer {
	return &writer{
		store: s, recent: newRecentIDs(), rd: newReader(s.log, 0),
		queue: make(chan *Request, groupRequests), now: o.Now, logger: o.Logger, watch: o.Observer,
		tasks: make(chan func()), closed: make(chan struct{}),
	}
}

// submit hands q to the loop.
func (w *writer) submit(ctx context.Context, q *Request) (*Pending, error) {
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

func (q *Request) size() int {
	n := 0
	for i := range q.Events {
		n += len(q.Events[i].Data) + len(q.Events[i].Metadata)
	}
	return n
}

// commit decides, writes and syncs a group, and only then answers.
func (w *writer) commit(requests []*Request) {
	end := w.store.end.Load()
	g := &group{
		store: w.store, known: w.recent, rd: w.rd, start: end, created: Ticks(w.now()),
		buf: w.spare[:0], table: newMemtable(), ids: map[recentKey]recentEvent{},
	}
	results := make([]Result, len(requests))
	for i, q := range requests {
		before := len(g.buf)
		res, err := g.do(q)
		res.err = err
		results[i] = res
		if err != nil && len(g.buf) != before { // half an append must not reach the log
			w.fail(requests, err)
			return
		}
	}
	if len(g.buf) > 0 {
		started := w.now()
		if err := w.put(g.buf, end); err != nil {
			w.watch.NotStored(err)
			w.logger.Error("append failed, nothing was stored", "error", err, "requests", len(requests))
			w.fail(requests, &NotStoredError{err})
			return
		}
		w.watch.Stored(Group{len(requests), g.table.events, len(g.buf)}, w.now().Sub(started))
		g.table.through = end + uint64(len(g.buf))
		for k, e := range g.ids {
			w.recent.add(k, e)
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

// put writes b at the end of the log. What a failed write left there is removed first or afterwards,
// because whole records of it could be taken for stored ones after a crash.
func (w *writer) put(b []byte, end uint64) error {
	if w.owed != nil {
		if err := w.owed(); err != nil {
			return err
		}
		w.owed = nil
	}
	if w.dirty {
		if err := w.store.log.cut(end); err != nil {
			return err
		}
		w.dirty = false
	}
	err := w.store.log.write(b, end)
	if err != nil {
		w.dirty = w.store.log.cut(end) != nil
	}
	return err
}

func (w *writer) fail(requests []*Request, err error) {
	for _, q := range requests {
		q.done <- Result{err: err}
	}
}

// NotStoredError says that an append did not reach the disk and may be sent again.
type NotStoredError struct{ cause error }

func (e *NotStoredError) Error() string { return "not stored, may be sent again: " + e.cause.Error() }
func (e *NotStoredError) Unwrap() error { return e.cause }
