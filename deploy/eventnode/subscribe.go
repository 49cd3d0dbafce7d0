package eventnode

import (
	"errors"
	"io"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"

	"aftercare/deploy/eventnode/storage"
)

// confirm tells the consumer that the subscription stands. It is the first message of every subscription.
func (c *readCall) confirm() error {
	return c.stream.Send(&streams.ReadResp{Content: &streams.ReadResp_Confirmation{
		Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: uuid.NewString()},
	}})
}

// checkpoint tells the consumer of a filtered subscription how far it has got without an event.
func (c *readCall) checkpoint(position uint64) error {
	m := &streams.ReadResp_Checkpoint{CommitPosition: position, PreparePosition: position}
	m.ProtoReflect().SetUnknown(c.timestamp(3))
	return c.stream.Send(&streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{Checkpoint: m}})
}

// caughtUp tells the consumer that what follows is new. The generated message is older than its
// fields: timestamp = 1, stream_revision = 2, position = 3.
func (c *readCall) caughtUp(fields ...byte) error {
	m := &streams.ReadResp_CaughtUp{}
	m.ProtoReflect().SetUnknown(append(c.timestamp(1), fields...))
	return c.stream.Send(&streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: m}})
}

// timestamp encodes the time of the node as a google.protobuf.Timestamp.
func (c *readCall) timestamp(field protowire.Number) []byte {
	now := c.node.opts.Now()
	inner := appendNumber(nil, 1, uint64(now.Unix()))        //nolint:gosec // after 1970
	inner = appendNumber(inner, 2, uint64(now.Nanosecond())) //nolint:gosec // not negative
	return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), inner)
}

// wait blocks until the log has grown.
func (c *readCall) wait(changed <-chan struct{}) error {
	c.tally()
	select {
	case <-changed:
		return nil
	case <-c.stream.Context().Done():
		return c.stream.Context().Err()
	case <-c.node.stopping:
		return shuttingDown()
	}
}

// allStart returns where a subscription to $all begins to read and the position up to which
// it skips what it reads.
func (c *readCall) allStart() (next, skip uint64, err error) {
	switch p := c.options.GetAll().GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_Start:
		return storage.FirstPosition, 0, nil
	case *streams.ReadReq_Options_AllOptions_End:
		return c.rd.End, 0, nil
	case *streams.ReadReq_Options_AllOptions_Position:
		pos := p.Position.GetCommitPosition()
		if p.Position.GetPreparePosition() > pos {
			return 0, 0, handlerException()
		}
		if pos < storage.FirstPosition {
			return storage.FirstPosition, 0, nil
		}
		if pos >= c.rd.End {
			return c.rd.End, pos, nil
		}
		r, err := c.rd.At(pos)
		if errors.Is(err, storage.ErrRemoved) {
			return pos, 0, nil
		}
		if err != nil {
			return 0, 0, c.badPosition(pos, pos, err)
		}
		return r.Next(), 0, nil
	default:
		return 0, 0, invalid("The position to subscribe from is missing.")
	}
}

// subscribeAll delivers $all, filtered or not, until the consumer or the node ends it. It reads the log
// itself from where it stands, so a slow consumer only holds up itself.
func (c *readCall) subscribeAll() error {
	next, skip, err := c.allStart()
	if err != nil {
		return err
	}
	if err := c.confirm(); err != nil {
		return err
	}
	s := allSubscription{readCall: c, next: next, skip: skip}
	for live := false; ; {
		changed := c.Changed()
		last, end := c.Last(), c.End()
		if err := s.advance(end); err != nil {
			return err
		}
		if !live || s.behind && c.End() == end {
			live, s.behind = true, false
			if err := s.finishCatchUp(last); err != nil {
				return err
			}
		}
		if err := c.wait(changed); err != nil {
			return err
		}
	}
}

type allSubscription struct {
	*readCall
	next       uint64 // read from here
	skip       uint64 // deliver nothing up to here
	seen       uint64 // last position considered
	marked     uint64 // last checkpoint sent
	considered uint64 // events since then
	behind     bool   // CaughtUp is to be sent again at the end of the log
}

// advance delivers what stands between the subscription and end.
func (s *allSubscription) advance(end uint64) error {
	s.rd.End = end
	for n := 1; s.next < end; n++ {
		r, err := s.rd.From(s.next)
		if errors.Is(err, io.EOF) { // the rest was scavenged
			s.next = end
			break
		}
		if err != nil {
			return err
		}
		s.next = r.Next()
		if r.Position <= s.skip {
			continue
		}
		s.seen = r.Position
		if s.filter.match(&r) {
			if err := s.send(&r); err != nil {
				return err
			}
		}
		if n%pageEvents == 0 {
			s.behind = true
			if err := s.alive(); err != nil {
				return err
			}
		}
		if s.filter == nil {
			continue
		}
		if s.considered++; s.considered >= s.filter.interval {
			if err := s.mark(); err != nil {
				return err
			}
		}
	}
	return nil
}

// mark sends a checkpoint unless the consumer has it already.
func (s *allSubscription) mark() error {
	s.considered = 0
	if s.seen == s.marked {
		return nil
	}
	s.marked = s.seen
	return s.checkpoint(s.seen)
}

// finishCatchUp sends what stands between history and live events.
func (s *allSubscription) finishCatchUp(last uint64) error {
	if s.filter != nil {
		if err := s.mark(); err != nil {
			return err
		}
	}
	if last == 0 {
		return s.caughtUp()
	}
	last = max(last, s.seen)
	position := appendNumber(appendNumber(nil, 1, last), 2, last)
	return s.caughtUp(appendBytes(nil, 3, position)...)
}

// subscribeStream delivers one stream until the consumer or the node ends it, or a tombstone does.
func (c *readCall) subscribeStream() error {
	in := c.options.GetStream()
	name := string(in.GetStreamIdentifier().GetStreamName())
	if name == "" {
		return handlerException()
	}
	info, err := c.Stream(name)
	if err != nil {
		return err
	}
	if info.Tombstone != 0 {
		return streamDeleted(name)
	}
	next := int64(0)
	switch r := in.GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Revision:
		next = min(toRevision(r.Revision), math.MaxInt64-1) + 1
	case *streams.ReadReq_Options_StreamOptions_End:
		next = info.Last + 1
	case *streams.ReadReq_Options_StreamOptions_Start:
	default:
		return invalid("The revision to subscribe from is missing.")
	}
	if err := c.confirm(); err != nil {
		return err
	}
	s := streamSubscription{readCall: c, name: name, next: next}
	for {
		changed := c.Changed()
		if err := s.advance(); err != nil {
			return err
		}
		if err := c.wait(changed); err != nil {
			return err
		}
	}
}

type streamSubscription struct {
	*readCall
	name   string
	next   int64
	live   bool
	behind bool // CaughtUp is to be sent again at the end of the stream
}

// advance delivers what is new in the stream. Metadata bounds the history, not live events.
func (s *streamSubscription) advance() error {
	info, err := s.Stream(s.name)
	if err != nil {
		return err
	}
	var meta storage.Meta
	if !s.live {
		if meta, err = s.Limits(s.side, s.name); err != nil {
			return err
		}
		s.next = max(s.next, meta.First(info.Last))
	}
	s.next = max(s.next, info.First)
	s.behind = s.behind || info.Last-s.next >= pageEvents
	for s.next <= info.Last {
		n, err := s.page(s.name, s.next, min(info.Last-s.next+1, pageEvents), func(r *storage.Record) error {
			if meta.Expired(r.Created, s.node.opts.Now()) {
				return nil
			}
			return s.send(r)
		})
		if err != nil {
			return err
		}
		s.next += n
	}
	if info.Tombstone != 0 && storage.IsMetastream(s.name) {
		return streamDeleted(s.name)
	}
	if info.Tombstone != 0 {
		s.rd.End = s.End()
		r, err := s.At(s.rd, info.Tombstone, s.name, storage.TombstoneRevision)
		if err != nil {
			return err
		}
		if err := s.send(&r); err != nil {
			return err
		}
		return streamDeleted(s.name)
	}
	if s.live {
		if now, err := s.Stream(s.name); err != nil || !s.behind || now.Last != info.Last {
			return err
		}
	}
	s.live, s.behind = true, false
	if info.Last < 0 {
		return s.caughtUp()
	}
	return s.caughtUp(appendNumber(nil, 2, uint64(info.Last))...)
}
