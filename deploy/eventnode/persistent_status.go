package eventnode

import (
	"errors"

	"google.golang.org/grpc/codes"

	"aftercare/deploy/eventnode/persistent"
)

func groupFailure(code codes.Code, message, exception, stream, group string, more ...string) *wireError {
	return failure(code, message, append([]string{"exception", exception, "stream-name", stream, "group-name", group}, more...)...)
}

func groupExists(stream, group string) error {
	return groupFailure(codes.AlreadyExists, "Subscription group "+group+" on stream "+stream+" exists.",
		"persistent-subscription-exists", stream, group)
}

func groupMissing(stream, group string) error {
	return groupFailure(codes.NotFound, "Subscription group "+group+" on stream "+stream+" does not exist.",
		"persistent-subscription-does-not-exist", stream, group)
}

func groupFailed(stream, group, reason string) error {
	return groupFailure(codes.Internal, "Subscription group "+group+" on stream "+stream+" failed: '"+reason+"'",
		"persistent-subscription-failed", stream, group, "reason", reason)
}

func groupFull(stream, group string) error {
	return groupFailure(codes.FailedPrecondition,
		"Maximum subscriptions reached for subscription group "+group+" on stream "+stream+".",
		"maximum-subscribers-reached", stream, group)
}

func groupDropped(stream, group string) error {
	return groupFailure(codes.Canceled, "Subscription group "+group+" on stream "+stream+" was dropped.",
		"persistent-subscription-dropped", stream, group)
}

// groupError gives the reasons of the engine their status.
func groupError(e *groupEntry, err error) error {
	switch {
	case errors.Is(err, persistent.ErrFull):
		return groupFull(e.Stream, e.Group)
	case errors.Is(err, persistent.ErrDeleted):
		return groupMissing(e.Stream, e.Group)
	case errors.Is(err, persistent.ErrDropped):
		return groupDropped(e.Stream, e.Group)
	case errors.Is(err, persistent.ErrStopped):
		return shuttingDown()
	}
	return err
}
