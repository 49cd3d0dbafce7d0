package eventnode

import (
	"errors"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/emptypb"

	"aftercare/deploy/eventnode/storage"
)

// The statuses of batches name what happened in their message and say the rest in their details.

func batchStatus(c codes.Code, message string, details protoadapt.MessageV1) *status.Status {
	s, err := status.New(c, message).WithDetails(details)
	if err != nil { // cannot happen to a message of ours
		return status.New(codes.Internal, err.Error())
	}
	return s
}

func badRequest(message string) *status.Status {
	return batchStatus(codes.InvalidArgument, "BadRequest", &shared.BadRequest{Message: message})
}

// timedOut says that the outcome is not known, unless because says otherwise.
func timedOut(because string) *status.Status {
	return batchStatus(codes.DeadlineExceeded, "Timeout"+because, &shared.Timeout{})
}

func batchTooLarge(limit int) *status.Status {
	return batchStatus(codes.InvalidArgument, "MaximumAppendSizeExceeded",
		&shared.MaximumAppendSizeExceeded{MaxAppendSize: uint32(min(limit, math.MaxUint32))}) //nolint:gosec // bounded, not negative
}

// batchRefusal says in a status of batches what refuses a single append.
func batchRefusal(err error) *status.Status {
	var wire *wireError
	if errors.As(err, &wire) && wire.status.Code() == codes.PermissionDenied {
		return batchStatus(codes.PermissionDenied, "AccessDenied", &shared.AccessDenied{})
	}
	return badRequest(err.Error())
}

// batchOutcome is the answer to a batch that the writer is done with.
func batchOutcome(q *storage.Request, res storage.Result) *streams.BatchAppendResp {
	var notStored *storage.NotStoredError
	switch err := res.Err(); {
	case errors.As(err, &notStored):
		return batchFailed(timedOut(": " + err.Error()))
	case err != nil:
		return batchFailed(batchStatus(codes.Unknown, err.Error(), &shared.Unknown{}))
	}
	switch res.Verdict {
	case storage.WrongRevision:
		return batchFailed(batchStatus(codes.AlreadyExists, "WrongExpectedVersion", wrongBatch(q.Expected, res.Revision)))
	case storage.Deleted:
		return batchFailed(batchStatus(codes.NotFound, "StreamDeleted",
			&shared.StreamDeleted{StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(q.Stream)}}))
	case storage.Written, storage.Repeated:
	}
	return batchSucceeded(res)
}

func batchFailed(s *status.Status) *streams.BatchAppendResp {
	return &streams.BatchAppendResp{Result: &streams.BatchAppendResp_Error{Error: s.Proto()}}
}

func batchSucceeded(res storage.Result) *streams.BatchAppendResp {
	ok := &streams.BatchAppendResp_Success{}
	if res.Revision >= 0 {
		ok.CurrentRevisionOption = &streams.BatchAppendResp_Success_CurrentRevision{CurrentRevision: uint64(res.Revision)}
	} else {
		ok.CurrentRevisionOption = &streams.BatchAppendResp_Success_NoStream{NoStream: &emptypb.Empty{}}
	}
	if res.Position > 0 {
		ok.PositionOption = &streams.BatchAppendResp_Success_Position{
			Position: &shared.AllStreamPosition{CommitPosition: res.Position, PreparePosition: res.Position},
		}
	} else {
		ok.PositionOption = &streams.BatchAppendResp_Success_NoPosition{NoPosition: &emptypb.Empty{}}
	}
	return &streams.BatchAppendResp{Result: &streams.BatchAppendResp_Success_{Success: ok}}
}

func wrongBatch(expected, current int64) *shared.WrongExpectedVersion {
	m := &shared.WrongExpectedVersion{}
	if current >= 0 {
		m.CurrentStreamRevisionOption = &shared.WrongExpectedVersion_CurrentStreamRevision{CurrentStreamRevision: uint64(current)}
	} else {
		m.CurrentStreamRevisionOption = &shared.WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &emptypb.Empty{}}
	}
	switch expected {
	case storage.Any:
		m.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedAny{ExpectedAny: &emptypb.Empty{}}
	case storage.StreamExists:
		m.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &emptypb.Empty{}}
	case storage.NoStream:
		m.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &emptypb.Empty{}}
	default:
		m.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedStreamPosition{ExpectedStreamPosition: uint64(expected)} //nolint:gosec // not negative
	}
	return m
}
