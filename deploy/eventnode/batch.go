package eventnode

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/status"

	"aftercare/deploy/eventnode/storage"
)

// Bounds of one call of BatchAppend.
const (
	batchesOpen     = 1024             // batches that are not complete
	batchesInFlight = 512              // batches that the writer has
	batchesMemory   = 32 << 20         // bytes of either; one batch alone may be larger
	batchTime       = 30 * time.Second // from the first message of a batch to its answer; clients may ask for less
	eventOverhead   = 256              // bytes in memory besides the content of an event
)

// batch is an append that arrives in parts.
type batch struct {
	correlation *shared.UUID
	stream      *shared.StreamIdentifier
	request     *storage.Request
	size        int // as MaxAppendSize counts
	memory      int // bytes held
	timer       *time.Timer
	pending     *storage.Pending // nil until it is complete
	complete    time.Time
	answered    bool
}

type receivedBatch struct {
	req *streams.BatchAppendReq
	err error
}

// batchCall is one call of BatchAppend. One goroutine owns it, another only receives.
type batchCall struct {
	node     *Node
	stream   streams.Streams_BatchAppendServer
	received chan receivedBatch
	expired  chan *batch
	open     map[[16]byte]*batch // by correlation id
	held     int                 // memory of open
	inFlight []*batch            // in the order in which the writer got them
	flying   int                 // memory of inFlight
}

// BatchAppend implements the service: every batch is one atomic append with an answer of its own. Batches may arrive
// in parts and interleaved. They are decided in the order in which they became complete, and the next ones are read
// while earlier ones are written.
func (s *streamsService) BatchAppend(stream streams.Streams_BatchAppendServer) error {
	c := &batchCall{
		node: s.node, stream: stream, received: make(chan receivedBatch), expired: make(chan *batch), open: map[[16]byte]*batch{},
	}
	go c.receive() // ends with the call: its context is done once this function has returned
	defer func() {
		for _, b := range c.open {
			b.timer.Stop()
		}
		for _, b := range c.inFlight {
			b.timer.Stop()
		}
	}()
	return c.run()
}

func (c *batchCall) receive() {
	for {
		m, err := c.stream.Recv()
		select {
		case c.received <- receivedBatch{m, err}:
		case <-c.stream.Context().Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func (c *batchCall) run() error {
	stopping, atEnd, ending := c.node.stopping, error(nil), false
	for {
		received := c.received
		if ending || len(c.inFlight) >= batchesInFlight || c.flying >= batchesMemory {
			received = nil
		}
		var done <-chan storage.Result
		if len(c.inFlight) > 0 {
			done = c.inFlight[0].pending.Done()
		} else if ending {
			return atEnd
		}
		var err error
		select {
		case m := <-received:
			switch {
			case errors.Is(m.err, io.EOF):
				ending = true
			case m.err != nil:
				return m.err
			default:
				err = c.take(m.req)
			}
		case res := <-done:
			b := c.inFlight[0]
			c.inFlight[0], c.inFlight = nil, c.inFlight[1:]
			c.flying -= b.memory
			err = c.conclude(b, res)
		case b := <-c.expired:
			err = c.expire(b)
		case <-stopping: // what the writer has is still answered
			stopping, atEnd, ending = nil, shuttingDown(), true
		case <-c.stream.Context().Done():
			return c.stream.Context().Err()
		}
		if err != nil {
			return err
		}
	}
}

// take handles one message: the start of a batch, more of it, its end, or all of these.
func (c *batchCall) take(m *streams.BatchAppendReq) error {
	o := m.GetOptions()
	id, err := parseID(m.GetCorrelationId())
	if err != nil {
		return c.send(m.GetCorrelationId(), o.GetStreamIdentifier(), batchFailed(badRequest("The correlation id is not a UUID.")))
	}
	b := c.open[id]
	if b == nil {
		if o == nil {
			return nil // the rest of a batch that was answered early
		}
		var refused *status.Status
		if b, refused = c.begin(m.GetCorrelationId(), o); refused != nil {
			return c.send(m.GetCorrelationId(), o.GetStreamIdentifier(), batchFailed(refused))
		}
		c.open[id] = b
	}
	before := b.memory
	refused := b.add(m.GetProposedMessages(), c.node.opts.MaxAppendSize)
	c.held += b.memory - before
	if refused == nil && !m.GetIsFinal() {
		if len(c.open) <= batchesOpen && (c.held <= batchesMemory || len(c.open) == 1) {
			return nil
		}
		refused = badRequest("Too many batches are incomplete.")
	}
	c.close(id, b)
	if refused != nil {
		return c.answer(b, batchFailed(refused))
	}
	b.complete = c.node.opts.Now()
	ctx, cancel := context.WithTimeout(c.stream.Context(), batchTime)
	defer cancel()
	b.pending, err = c.node.store.Submit(ctx, b.request)
	if errors.Is(err, context.DeadlineExceeded) {
		return c.answer(b, batchFailed(timedOut("")))
	}
	if errors.Is(err, storage.ErrTooLarge) {
		return c.answer(b, batchFailed(badRequest(err.Error())))
	}
	if err != nil {
		return err
	}
	c.inFlight = append(c.inFlight, b)
	c.flying += b.memory
	return nil
}

// begin returns a new batch whose time runs.
func (c *batchCall) begin(correlation *shared.UUID, o *streams.BatchAppendReq_Options) (*batch, *status.Status) {
	q := &storage.Request{Kind: storage.Append, Stream: string(o.GetStreamIdentifier().GetStreamName())}
	switch e := o.GetExpectedStreamPosition().(type) {
	case *streams.BatchAppendReq_Options_StreamPosition:
		q.Expected = toRevision(e.StreamPosition)
	case *streams.BatchAppendReq_Options_NoStream:
		q.Expected = storage.NoStream
	case *streams.BatchAppendReq_Options_Any:
		q.Expected = storage.Any
	case *streams.BatchAppendReq_Options_StreamExists:
		q.Expected = storage.StreamExists
	default:
		return nil, badRequest("The expected revision is missing.")
	}
	if err := writable(q.Stream); err != nil {
		return nil, batchRefusal(err)
	}
	left := batchTime
	switch d := o.GetDeadlineOption().(type) {
	case *streams.BatchAppendReq_Options_Deadline:
		left = min(left, d.Deadline.AsDuration())
	case *streams.BatchAppendReq_Options_Deadline_21_10_0:
		left = min(left, d.Deadline_21_10_0.AsTime().Sub(c.node.opts.Now()))
	}
	if left <= 0 {
		return nil, timedOut("")
	}
	b := &batch{correlation: correlation, stream: o.GetStreamIdentifier(), request: q, memory: eventOverhead + len(q.Stream)}
	c.held += b.memory
	over := c.stream.Context().Done()
	b.timer = time.AfterFunc(left, func() {
		select {
		case c.expired <- b:
		case <-over:
		}
	})
	return b, nil
}

// add takes events into the batch and returns why that cannot be.
func (b *batch) add(messages []*streams.BatchAppendReq_ProposedMessage, limit int) *status.Status {
	for _, m := range messages {
		r, err := proposed(m)
		if err != nil {
			return batchRefusal(err)
		}
		if len(b.request.Events) == storage.MaxEvents { // said now: events without content count nothing else
			return badRequest(tooMany)
		}
		n := eventSize(&r)
		b.size += n
		b.memory += n + eventOverhead
		if b.size > limit {
			return batchTooLarge(limit)
		}
		b.request.Events = append(b.request.Events, r)
	}
	return nil
}

// close takes b out of the open batches.
func (c *batchCall) close(id [16]byte, b *batch) {
	delete(c.open, id)
	c.held -= b.memory
}

// conclude answers a batch that the writer is done with, unless its time was over before.
func (c *batchCall) conclude(b *batch, res storage.Result) error {
	c.node.metrics.appended(res, res.Err(), c.node.opts.Now().Sub(b.complete))
	if b.answered {
		return nil
	}
	return c.answer(b, batchOutcome(b.request, res))
}

// expire answers a batch whose time is over. If the writer has it the outcome is unknown.
func (c *batchCall) expire(b *batch) error {
	if b.answered {
		return nil
	}
	if b.pending == nil {
		id, err := parseID(b.correlation)
		if err != nil {
			return err
		}
		c.close(id, b)
	}
	return c.answer(b, batchFailed(timedOut("")))
}

// answer sends the outcome of a batch that began.
func (c *batchCall) answer(b *batch, r *streams.BatchAppendResp) error {
	b.answered = true
	b.timer.Stop()
	return c.send(b.correlation, b.stream, r)
}

func (c *batchCall) send(correlation *shared.UUID, stream *shared.StreamIdentifier, r *streams.BatchAppendResp) error {
	r.CorrelationId, r.StreamIdentifier = correlation, stream
	return c.stream.Send(r)
}
