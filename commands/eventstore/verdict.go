package eventstore

import (
	"context"
	"errors"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"aftercare/commands"
)

// verdict says what the end of a call tells of its session.
type verdict uint8

const (
	// sound sessions serve further calls.
	sound verdict = iota + 1
	// lame sessions are closed: their connection may be dead, and no others need be.
	lame
	// lost sessions are closed with all idle ones: their server is gone, silent for as long as a call may take, or another
	// than it should be.
	lost
	// moved sessions follow the leader by themselves. The idle ones are not there yet, and are closed.
	moved
)

// errNoAnswer is the cause of a context that ended because the store took longer than a call may.
var errNoAnswer = errors.New("the event store did not answer in time")

// judge tells from the error of a call, and from why its context ended, what becomes of the session. A call that its caller
// gave up says nothing.
func judge(ctx context.Context, err error) verdict {
	switch {
	case err == nil:
		return sound
	case hasCode(err, esdb.ErrorCodeNotLeader):
		return moved
	case unusable(err), errors.Is(context.Cause(ctx), errNoAnswer), errors.Is(err, ErrReplaced):
		return lost
	case errors.Is(context.Cause(ctx), context.Canceled):
		return sound
	case late(err), errors.Is(err, io.EOF):
		return lame
	}
	return sound
}

// unusable reports that the server of the client that returned err is gone.
func unusable(err error) bool {
	if known, ok := errors.AsType[*esdb.Error](err); ok {
		switch known.Code() { //nolint:exhaustive // the others say nothing about the connection
		case esdb.ErrorUnavailable, esdb.ErrorCodeConnectionClosed:
			return true
		default:
		}
	}
	return status.Code(err) == codes.Unavailable || errors.Is(err, commands.ErrUnavailable)
}

// late reports that there was no answer in time, whoever set it.
func late(err error) bool {
	return status.Code(err) == codes.DeadlineExceeded || errors.Is(err, context.DeadlineExceeded)
}
