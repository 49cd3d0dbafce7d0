package eventnode

import (
	"context"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"aftercare/deploy/eventnode/storage"
)

// Delete implements the service: the stream reads as if it had never been written, until it is
// written again. Its events stay in the log.
func (s *streamsService) Delete(ctx context.Context, req *streams.DeleteReq) (*streams.DeleteResp, error) {
	o := req.GetOptions()
	q := &storage.Request{Kind: storage.Delete, Stream: string(o.GetStreamIdentifier().GetStreamName())}
	switch e := o.GetExpectedStreamRevision().(type) {
	case *streams.DeleteReq_Options_Revision:
		q.Expected = toRevision(e.Revision)
	case *streams.DeleteReq_Options_NoStream:
		q.Expected = storage.NoStream
	case *streams.DeleteReq_Options_Any:
		q.Expected = storage.Any
	case *streams.DeleteReq_Options_StreamExists:
		q.Expected = storage.StreamExists
	default:
		return nil, invalid("The expected revision is missing.")
	}
	pos, err := s.remove(ctx, q)
	if err != nil {
		return nil, err
	}
	return &streams.DeleteResp{PositionOption: &streams.DeleteResp_Position_{
		Position: &streams.DeleteResp_Position{CommitPosition: pos, PreparePosition: pos},
	}}, nil
}

// Tombstone implements the service: the stream ends for ever.
func (s *streamsService) Tombstone(ctx context.Context, req *streams.TombstoneReq) (*streams.TombstoneResp, error) {
	o := req.GetOptions()
	q := &storage.Request{Kind: storage.Tombstone, Stream: string(o.GetStreamIdentifier().GetStreamName())}
	switch e := o.GetExpectedStreamRevision().(type) {
	case *streams.TombstoneReq_Options_Revision:
		q.Expected = toRevision(e.Revision)
	case *streams.TombstoneReq_Options_NoStream:
		q.Expected = storage.NoStream
	case *streams.TombstoneReq_Options_Any:
		q.Expected = storage.Any
	case *streams.TombstoneReq_Options_StreamExists:
		q.Expected = storage.StreamExists
	default:
		return nil, invalid("The expected revision is missing.")
	}
	pos, err := s.remove(ctx, q)
	if err != nil {
		return nil, err
	}
	return &streams.TombstoneResp{PositionOption: &streams.TombstoneResp_Position_{
		Position: &streams.TombstoneResp_Position{CommitPosition: pos, PreparePosition: pos},
	}}, nil
}
