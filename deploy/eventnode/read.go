package eventnode

import (
	"fmt"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// pageEvents is how many index entries a stream read looks up at once.
const pageEvents = 512

// readCall is one call of Read.
type readCall struct {
	*store
	node      *Node
	options   *streams.ReadReq_Options
	stream    streams.Streams_ReadServer
	rd        *reader // for what is read
	side      *reader // for metadata and the targets of links
	filter    *filter
	stringIDs bool
	backwards bool
}

// Read implements the service: reads of a stream or of $all, and subscriptions to them.
func (s *streamsService) Read(req *streams.ReadReq, stream streams.Streams_ReadServer) error {
	o := req.GetOptions()
	c := &readCall{store: s.node.store, node: s.node, options: o, stream: stream}
	c.rd, c.side = c.reader(), c.reader()
	switch o.GetUuidOption().GetContent().(type) {
	case *streams.ReadReq_Options_UUIDOption_String_:
		c.stringIDs = true
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
	switch {
	case isSubscription && c.filter != nil && c.filter.interval == 0, isCount && o.GetCount() == 0:
		return handlerException()
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
	select {
	case <-c.stream.Context().Done():
		return c.stream.Context().Err()
	case <-c.node.stopping:
		return shuttingDown()
	default:
		return nil
	}
}

// send delivers an event, with the target of a link if the call asks for it.
func (c *readCall) send(r *record) error {
	if c.options.GetResolveLinks() && string(r.kind) == kindLink {
		target, err := c.follow(r)
		if err != nil {
			return err
		}
		return c.stream.SendMsg(encodeEvent(target, r, c.stringIDs))
	}
	return c.stream.SendMsg(encodeEvent(r, nil, c.stringIDs))
}

// readAll answers a read of $all: from a position on, or from what stands in front of it backwards.
func (c *readCall) readAll() error {
	all := c.options.GetAll()
	at, limit := uint64(firstPosition), c.rd.end
	switch p := all.GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_Position:
		if p.Position.GetPreparePosition() > p.Position.GetCommitPosition() {
			return handlerException()
		}
		at = min(max(p.Position.GetCommitPosition(), firstPosition), limit)
	case *streams.ReadReq_Options_AllOptions_End:
		at = limit
	case *streams.ReadReq_Options_AllOptions_Start:
	default:
		return invalid("The position to read from is missing.")
	}
	asked := at
	for count, n := c.options.GetCount(), 0; count > 0; n++ {
		if c.backwards && at <= firstPosition || !c.backwards && at >= limit {
			return nil
		}
		if n%pageEvents == 0 {
			if err := c.alive(); err != nil {
				return err
			}
		}
		var r record
		var err error
		if c.backwards {
			r, err = c.rd.before(at)
		} else {
			r, err = c.rd.at(at)
		}
		if err != nil {
			return c.badPosition(at, asked, err)
		}
		if at = r.next(); c.backwards {
			at = r.position
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
	err = damage(at, err)
	if _, chosen := c.options.GetAll().GetAllOption().(*streams.ReadReq_Options_AllOptions_Position); chosen && at == asked {
		if !c.boundary(at) {
			return invalidPosition()
		}
	}
	return err
}

// boundary reports whether a record starts or ends at a position, going by the one in front of it.
func (c *readCall) boundary(at uint64) bool {
	if at == firstPosition {
		return true
	}
	_, err := c.side.before(at)
	return err == nil
}

// readStream answers a read of one stream.
func (c *readCall) readStream() error {
	in := c.options.GetStream()
	name := string(in.GetStreamIdentifier().GetStreamName())
	if name == "" {
		return handlerException()
	}
	info, err := c.index.info(name)
	if err != nil {
		return err
	}
	if info.tombstone != 0 {
		return streamDeleted(name)
	}
	meta, err := c.limits(c.side, name)
	if err != nil {
		return err
	}
	if info.last < 0 || meta.softDeleted() {
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
		from = info.last
	case *streams.ReadReq_Options_StreamOptions_Start:
	default:
		return invalid("The revision to read from is missing.")
	}
	low := meta.first(info.last)
	count := c.options.GetCount()
	deliver := func(r *record) error {
		if meta.expired(r.created, c.node.opts.Now()) {
			return nil
		}
		count--
		return c.send(r)
	}
	step := int64(1)
	if c.backwards {
		step, from = -1, min(from, info.last)
	} else {
		from = max(from, low)
	}
	for count > 0 && from >= low && from <= info.last {
		room := info.last - from + 1
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
func (c *readCall) page(name string, from, n int64, deliver func(*record) error) (int64, error) {
	if err := c.alive(); err != nil {
		return 0, err
	}
	positions, err := c.index.positions(name, from, int(n), c.backwards)
	if err != nil {
		return 0, err
	}
	c.rd.end = c.end.Load()
	for i, pos := range positions {
		revision := from + int64(i)
		if c.backwards {
			revision = from - int64(i)
		}
		r, err := c.at(c.rd, pos, name, revision)
		if err != nil {
			return 0, err
		}
		if err := deliver(&r); err != nil {
			return 0, err
		}
	}
	return int64(len(positions)), nil
}
