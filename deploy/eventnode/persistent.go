package eventnode

import (
	"context"
	"unicode/utf8"

	wire "github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"aftercare/deploy/eventnode/storage"
)

const streamAll = "$all"

// persistentService serves persistent subscriptions: groups of consumers that share the events of a
// stream or of $all. The engine is the package persistent.
type persistentService struct {
	wire.UnimplementedPersistentSubscriptionsServer
	node *Node
}

// named reports whether a stream and a group can have a persistent subscription.
func named(e *groupEntry, all bool) error {
	switch {
	case e.Stream == "", !utf8.ValidString(e.Stream): // definitions, answers and metrics hold only text
		return groupFailed(e.Stream, e.Group, "Bad stream name.")
	case e.Stream == streamAll && !all:
		return groupFailed(e.Stream, e.Group, "Persistent subscriptions to $all are only supported over gRPC through gRPC clients")
	case e.Group == "":
		return groupFailed(e.Stream, e.Group, "Bad group name.")
	}
	return nil
}

// Create implements the service: the group runs, and is there for good, or is refused.
func (s *persistentService) Create(ctx context.Context, req *wire.CreateReq) (*wire.CreateResp, error) {
	e, err := createdEntry(req.GetOptions())
	if err != nil {
		return nil, err
	}
	_, all := req.GetOptions().GetStreamOption().(*wire.CreateReq_Options_All)
	if err := named(&e, all); err != nil {
		return nil, err
	}
	if len(checkpointStream(e.key())) > storage.MaxName {
		return nil, groupFailed("", "", "The names of the stream and the group are too long.")
	}
	return &wire.CreateResp{}, s.node.groups.create(ctx, e)
}

// Update implements the service: consumers are dropped, and the group goes on with its new settings.
func (s *persistentService) Update(ctx context.Context, req *wire.UpdateReq) (*wire.UpdateResp, error) {
	e, err := updatedEntry(req.GetOptions())
	if err != nil {
		return nil, err
	}
	_, all := req.GetOptions().GetStreamOption().(*wire.UpdateReq_Options_All)
	if err := named(&e, all); err != nil {
		return nil, err
	}
	return &wire.UpdateResp{}, s.node.groups.update(ctx, e)
}

// Delete implements the service: consumers are dropped, and nothing of the group is left.
func (s *persistentService) Delete(ctx context.Context, req *wire.DeleteReq) (*wire.DeleteResp, error) {
	o := req.GetOptions()
	e := groupEntry{Group: o.GetGroupName()}
	_, all := o.GetStreamOption().(*wire.DeleteReq_Options_All)
	if e.Stream = string(o.GetStreamIdentifier().GetStreamName()); all {
		e.Stream = streamAll
	}
	if err := named(&e, all); err != nil {
		return nil, err
	}
	return &wire.DeleteResp{}, s.node.groups.remove(ctx, e.Stream, e.Group)
}

// ReplayParked implements the service: what is parked now is delivered again, and stays parked until it
// is finished.
func (s *persistentService) ReplayParked(ctx context.Context, req *wire.ReplayParkedReq) (*wire.ReplayParkedResp, error) {
	o := req.GetOptions()
	var stream string
	switch in := o.GetStreamOption().(type) {
	case *wire.ReplayParkedReq_Options_All:
		stream = streamAll
	case *wire.ReplayParkedReq_Options_StreamIdentifier:
		stream = string(in.StreamIdentifier.GetStreamName())
	default:
		return nil, errRequest
	}
	stop := int64(-1)
	switch at := o.GetStopAtOption().(type) {
	case *wire.ReplayParkedReq_Options_StopAt:
		if stop = at.StopAt; stop < 0 {
			return nil, groupFailed(stream, o.GetGroupName(), "Cannot stop replaying parked message at a negative version.")
		}
	case *wire.ReplayParkedReq_Options_NoLimit:
	default:
		return nil, errRequest
	}
	return &wire.ReplayParkedResp{}, s.node.groups.do(stream, o.GetGroupName(), func(a *activeGroup) error {
		return a.runner.Replay(ctx, stop)
	})
}

// RestartSubsystem implements the service: all consumers are dropped, and all groups start again from
// what is on disk.
func (s *persistentService) RestartSubsystem(ctx context.Context, _ *shared.Empty) (*shared.Empty, error) {
	return &shared.Empty{}, s.node.groups.restart(ctx)
}
