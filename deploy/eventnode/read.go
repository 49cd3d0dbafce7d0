package eventnode

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"aftercare/deploy/eventnode/storage"
)

// pageEvents is how many index entries a stream read looks up at once.
const pageEvents = 512

// readCall is one call of Read.
type readCall struct {
	*storage.Store
	node      *Node
	options   *streams.ReadReq_Options
	stream    streams.Streams_ReadServer
	rd        *storage.Reader // for what is read
	side      *storage.Reader // for metadata and the targets of links
	filter    *filter
	encoder   encoder
	backwards bool
	delivered int // events that metrics do not know of yet
}

// Read implements the service: reads of a stream or of $all, and subscriptions to them.
func (s *streamsService) Read(req *streams.ReadReq, stream streams.Streams_ReadServer) error {
	o := req.GetOptions()
	c := &readCall{Store: s.node.store, node: s.node, options: o, stream: stream}
	c.rd, c.side = c.Reader(), c.Reader()
	switch o.GetUuidOption().GetContent().(type) {
	case *streams.ReadReq_Options_UUIDOption_String_:
		c.encoder.stringIDs = true
	case *streams.ReadReq_Options_UUIDOption_Structured:
	default:
		return invalid("The form of event ids (uuid_option) is missing.")
	}
	c.backwards = o.GetReadDirection() == streams.ReadReq_Options_Backwards
	_, isStream := o.GetStreamOption().(*streams.ReadReq_Options_Stream)
	_, isAll := o.GetStreamOption().(*streams.ReadReq_Options_All)
	_, isCount := o.GetCountOption().(*streams.ReadReq_Options_Count)
	_, isSubscription := o.GetCountOption().(*streams.ReadReq_Options_Subscription)
	filtered := false
	switch o.GetFilterOption().(type) {
	case *streams.ReadReq_Options_Filter:
		filtered = true
	case *streams.ReadReq_Options_NoFilter:
	default:
		return combination(o)
	}
	if isStream && filtered || isSubscription && c.backwards || isStream == isAll || isCount == isSubscription {
		return combination(o)
	}
	var err error
	if c.filter, err = newFilter(o); err != nil {
		return err
	}
	if isSubscription && c.filter != nil && c.filter.interval == 0 || isCount && o.GetCount() == 0 {
		return handlerException()
	}
	defer s.node.metrics.reading(isAll, isSubscription)()
	defer c.tally()
	switch {
	case isSubscription && isAll:
		return c.subscribeAll()
	case isSubscription:
		return c.subscribeStream()
	case isAll:
		return c.readAll()
	default:
		return c.readStream()
	}
}

func combination(o *streams.ReadReq_Options) error {
	return invalid(fmt.Sprintf("The combination of (%T, %T, %s, %T) is invalid.",
		o.GetStreamOption(), o.GetCountOption(), o.GetReadDirection(), o.GetFilterOption()))
}

// alive fails when the consumer is gone or the node stops.
func (c *readCall) alive() error {
	c.tally()
	select {
	case <-c.stream.Context().Done():
		return c.stream.Context().Err()
	case <-c.node.stopping:
		return shuttingDown()
	default:
		return nil
	}
}

// tally counts what was delivered since it was called last.
func (c *readCall) tally() {
	c.node.metrics.delivered.Add(float64(c.delivered))
	c.delivered = 0
}

// send delivers an event, with the target of a link if the call asks for it.
func (c *readCall) send(r *storage.Record) error {
	c.delivered++
	if c.options.GetResolveLinks() && string(r.Type) == storage.TypeLink {
		target, err := c.follow(r)
		if err != nil {
			return err
		}
		return c.stream.SendMsg(c.encoder.event(target, r))
	}
	return c.stream.SendMsg(c.encoder.event(r, nil))
}

// readAll answers a read of $all: from a position on, or from what stands in front of it backwards.
func (c *readCall) readAll() error {
	all := c.options.GetAll()
	at, limit := uint64(storage.FirstPosition), c.rd.End
	switch p := all.GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_Position:
		if p.Position.GetPreparePosition() > p.Position.GetCommitPosition() {
			return handlerException()
		}
		at = min(max(p.Position.GetCommitPosition(), storage.FirstPosition), limit)
	case *streams.ReadReq_Options_AllOptions_End:
		at = limit
	case *streams.ReadReq_Options_AllOptions_Start:
	default:
		return invalid("The position to read from is missing.")
	}
	asked := at
	for count, n := c.options.GetCount(), 0; count > 0; n++ {
		if c.backwards && at <= storage.FirstPosition || !c.backwards && at >= limit {
			return nil
		}
		if n%pageEvents == 0 {
			if err := c.alive(); err != nil {
				return err
			}
		}
		var r storage.Record
		var err error
		if c.backwards {
			r, err = c.rd.Before(at)
		} else {
			r, err = c.rd.From(at)
		}
		if errors.Is(err, io.EOF) { // the rest was scavenged
			return nil
		}
		if err != nil {
			return c.badPosition(at, asked, err)
		}
		if at = r.Next(); c.backwards {
			at = r.Position
		}
		if !c.filter.match(&r) {
			continue
		}
		if err := c.send(&r); err != nil {
			return err
		}
		count--
	}
	return nil
}

// badPosition blames the caller for a position that never was one, and the disk for all others.
func (c *readCall) badPosition(at, asked uint64, err error) error {
	if _, chosen := c.options.GetAll().GetAllOption().(*streams.ReadReq_Options_AllOptions_Position); chosen && at == asked {
		if !c.boundary(at) {
			return invalidPosition()
		}
	}
	return err
}

// boundary reports whether a record starts or ends at a position, going by the one in front of it.
func (c *readCall) boundary(at uint64) bool {
	if at == storage.FirstPosition {
		return true
	}
	_, err := c.side.Before(at)
	return err == nil || errors.Is(err, io.EOF)
}

// readStream answers a read of one stream.
func (c *readCall) readStream() error {
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
	meta, err := c.Limits(c.side, name)
	if err != nil {
		return err
	}
	if info.Last < 0 || meta.SoftDeleted() {
		return c.stream.Send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{
			StreamNotFound: &streams.ReadResp_StreamNotFound{StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(name)}},
		}})
	}
	from := int64(0)
	switch r := in.GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Revision:
		from = toRevision(r.Revision)
	case *streams.ReadReq_Options_StreamOptions_End:
		if !c.backwards {
			return handlerException()
		}
		from = info.Last
	case *streams.ReadReq_Options_StreamOptions_Start:
	default:
		return invalid("The revision to read from is missing.")
	}
	low := max(meta.First(info.Last), info.First)
	count := c.options.GetCount()
	deliver := func(r *storage.Record) error {
		if meta.Expired(r.Created, c.node.opts.Now()) {
			return nil
		}
		count--
		return c.send(r)
	}
	step := int64(1)
	if c.backwards {
		step, from = -1, min(from, info.Last)
	} else {
		from = max(from, low)
	}
	for count > 0 && from >= low && from <= info.Last {
		room := info.Last - from + 1
		if c.backwards {
			room = from - low + 1
		}
		page := min(int64(min(count, math.MaxInt32)), room, pageEvents)
		n, err := c.page(name, from, page, deliver)
		if err != nil {
			return err
		}
		from += step * n
	}
	return nil
}

// page passes at most n events of a stream to deliver and returns how many it found.
func (c *readCall) page(name string, from, n int64, deliver func(*storage.Record) error) (int64, error) {
	if err := c.alive(); err != nil {
		return 0, err
	}
	positions, err := c.Positions(name, from, int(n), c.backwards)
	if err != nil {
		return 0, err
	}
	c.rd.End = c.End()
	for i, pos := range positions {
		revision := from + int64(i)
		if c.backwards {
			revision = from - int64(i)
		}
		r, err := c.At(c.rd, pos, name, revision)
		if errors.Is(err, storage.ErrRemoved) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if err := deliver(&r); err != nil {
			return 0, err
		}
	}
	return int64(len(positions)), nil
}
