package eventstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"aftercare/commands"
)

// translate gives the client's errors the meaning they have for the write side and keeps them wrapped.
func translate(err error) error {
	switch {
	case err == nil, errors.Is(err, commands.ErrUnavailable):
		return err
	case hasCode(err, esdb.ErrorCodeWrongExpectedVersion):
		return fmt.Errorf("%w: %w", commands.ErrConflict, err)
	case tooLarge(err):
		return fmt.Errorf("%w: %w", commands.ErrTooLarge, err)
	case unusable(err), passing(err):
		return fmt.Errorf("%w: %w", commands.ErrUnavailable, err)
	}
	return err
}

func hasCode(err error, code esdb.ErrorCode) bool {
	known, ok := errors.AsType[*esdb.Error](err)
	return ok && known.IsErrorCode(code)
}

// unusable reports that the client that returned err should get no further calls.
func unusable(err error) bool {
	if known, ok := errors.AsType[*esdb.Error](err); ok {
		switch known.Code() { //nolint:exhaustive // the others say nothing about the connection
		case esdb.ErrorUnavailable, esdb.ErrorCodeConnectionClosed, esdb.ErrorCodeNotLeader:
			return true
		default:
		}
	}
	return status.Code(err) == codes.Unavailable || errors.Is(err, commands.ErrUnavailable)
}

// passing reports a failure that may not repeat: the server was too slow, or ended the call before its time. The last is
// how the client reports that a server refused an append while it was still being sent.
func passing(err error) bool {
	switch status.Code(err) { //nolint:exhaustive // the others are answers
	case codes.DeadlineExceeded, codes.Aborted:
		return true
	default:
		return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	}
}

// tooLarge knows the answers of servers that refuse a size: the limit of an append, of an event and of a message.
func tooLarge(err error) bool {
	switch status.Code(err) { //nolint:exhaustive // only these two are about sizes
	case codes.InvalidArgument:
		return strings.Contains(err.Error(), "Size") && strings.Contains(err.Error(), "Exceeded")
	case codes.ResourceExhausted:
		return strings.Contains(err.Error(), "larger than max")
	default:
		return false
	}
}
