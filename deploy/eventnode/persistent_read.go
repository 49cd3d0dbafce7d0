package eventnode

import (
	"context"
	"errors"
	"io"
	"strings"

	wire "github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"google.golang.org/grpc/metadata"

	"aftercare/deploy/eventnode/persistent"
	"aftercare/deploy/eventnode/storage"
)

// maxInHand is how many events a consumer may have that it did not answer yet, even if it asks for more.
const maxInHand = 32_768

// maxReason is how many bytes of the reason for a refusal are kept.
const maxReason = 4 << 10

// consumerCall is one call of Read: a consumer of a group.
type consumerCall struct {
	node     *Node
	stream   wire.PersistentSubscriptions_ReadServer
	group    *activeGroup
	consumer *persistent.Consumer
	encoder  encoder
	rd, side *storage.Reader
}

// Read implements the service: a consumer joins a group, gets events and answers.
func (s *persistentService) Read(stream wire.PersistentSubscriptions_ReadServer) error {
	first, err := stream.Recv()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	o := first.GetOptions()
	var name string
	switch in := o.GetStreamOption().(type) {
	case *wire.ReadReq_Options_All:
		name = streamAll
	case *wire.ReadReq_Options_StreamIdentifier:
		name = string(in.StreamIdentifier.GetStreamName())
	default:
		return errRequest
	}
	if o.GetBufferSize() <= 0 {
		return errRequest
	}
	c := &consumerCall{node: s.node, stream: stream}
	_, c.encoder.stringIDs = o.GetUuidOption().GetContent().(*wire.ReadReq_Options_UUIDOption_String_)
	err = s.node.groups.do(name, o.GetGroupName(), func(a *activeGroup) error {
		c.group = a
		c.consumer, err = a.runner.Join(stream.Context(), int(min(o.GetBufferSize(), maxInHand)), s.node.consumerInfo(stream.Context()))
		return err
	})
	if err != nil {
		return err
	}
	defer c.consumer.Leave()
	return groupError(&c.group.entry, c.serve())
}

// consumerInfo is what a call tells about its caller.
func (n *Node) consumerInfo(ctx context.Context) persistent.ConsumerInfo {
	info := persistent.ConsumerInfo{Name: "<unknown>", User: "anonymous"}
	if names := metadata.ValueFromIncomingContext(ctx, "connection-name"); len(names) > 0 {
		info.Name = strings.ToValidUTF8(names[0], "\uFFFD") // answers hold only text, headers anything
	}
	if header := metadata.ValueFromIncomingContext(ctx, "authorization"); n.users != nil && len(header) == 1 {
		name, _, _ := basic(header[0]) // the call is authenticated
		info.User = strings.ToValidUTF8(name, "\uFFFD")
	}
	info.From = callerOf(ctx)
	return info
}

// serve sends events until the consumer leaves or is dropped.
func (c *consumerCall) serve() error {
	ctx, cancel := context.WithCancelCause(c.stream.Context())
	defer cancel(nil)
	err := c.stream.Send(&wire.ReadResp{Content: &wire.ReadResp_SubscriptionConfirmation_{
		SubscriptionConfirmation: &wire.ReadResp_SubscriptionConfirmation{SubscriptionId: c.group.entry.key()},
	}})
	if err != nil {
		return err
	}
	// It ends with the call, which ends with this one.
	c.node.groups.receivers.Go(func() {
		if err := c.receive(ctx); err != nil {
			cancel(err)
		}
	})
	for {
		d, err := c.consumer.Next(ctx)
		if err != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		if err := c.send(d); err != nil {
			return err
		}
	}
}

// receive takes answers until the consumer has no more.
func (c *consumerCall) receive(ctx context.Context) error {
	for {
		m, err := c.stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil // it may still listen
		}
		if err != nil {
			return err
		}
		switch in := m.GetContent().(type) {
		case *wire.ReadReq_Ack_:
			ids, err := parseIDs(in.Ack.GetIds())
			if err != nil {
				return err
			}
			if err := c.consumer.Ack(ctx, ids...); err != nil {
				return err
			}
		case *wire.ReadReq_Nack_:
			ids, err := parseIDs(in.Nack.GetIds())
			if err != nil {
				return err
			}
			action, ok := nackActions[in.Nack.GetAction()]
			if !ok {
				return invalid("'" + in.Nack.GetAction().String() + "' is not a valid action.")
			}
			if err := c.consumer.Nack(ctx, action, bounded(in.Nack.GetReason()), ids...); err != nil {
				return err
			}
		default:
			return invalid("A consumer can only acknowledge events or refuse them.")
		}
	}
}

// bounded cuts off what is too long of a reason: it is stored with each event that it parks.
func bounded(reason string) string {
	return strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
}

var nackActions = map[wire.ReadReq_Nack_Action]persistent.Action{
	wire.ReadReq_Nack_Unknown: persistent.ActionRetry,
	wire.ReadReq_Nack_Retry:   persistent.ActionRetry,
	wire.ReadReq_Nack_Park:    persistent.ActionPark,
	wire.ReadReq_Nack_Skip:    persistent.ActionSkip,
	wire.ReadReq_Nack_Stop:    persistent.ActionStop,
}

// send loads an event and sends it.
func (c *consumerCall) send(d persistent.Delivery) error {
	if c.rd == nil {
		c.rd, c.side = c.node.store.Reader(), c.node.store.Reader()
	}
	c.rd.End = c.node.store.End()
	r, err := c.rd.At(d.Event.At)
	if errors.Is(err, storage.ErrRemoved) { // a scavenge came in between
		return c.consumer.Nack(c.stream.Context(), persistent.ActionSkip, "", d.Event.ID)
	}
	if err != nil {
		return err
	}
	resolve := d.Event.Replayed || c.group.log.settings.ResolveLinks
	if !resolve || string(r.Type) != storage.TypeLink {
		return c.stream.SendMsg(c.encoder.encode(&r, nil, d.Retries))
	}
	target, err := follow(c.node.store, c.side, &r, c.node.opts.Now())
	if err != nil {
		return err
	}
	return c.stream.SendMsg(c.encoder.encode(target, &r, d.Retries))
}

func parseIDs(in []*shared.UUID) ([]persistent.ID, error) {
	out := make([]persistent.ID, len(in))
	for i := range in {
		id, err := parseID(in[i])
		if err != nil {
			return nil, err
		}
		out[i] = id
	}
	return out, nil
}
