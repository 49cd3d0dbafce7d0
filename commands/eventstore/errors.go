package eventstore

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
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
	case unusable(err), passing(err), hasCode(err, esdb.ErrorCodeNotLeader):
		return fmt.Errorf("%w: %w", commands.ErrUnavailable, err)
	}
	return err
}

func hasCode(err error, code esdb.ErrorCode) bool {
	known, ok := errors.AsType[*esdb.Error](err)
	return ok && known.IsErrorCode(code)
}

// passing reports a failure that may not repeat: the server was too slow, gave the call up, failed, or ended the call before its
// time. The last is how the client reports that a server refused an append while it was still being sent, and, as Internal,
// that whatever is in between reset the call.
func passing(err error) bool {
	switch status.Code(err) { //nolint:exhaustive // the others are answers
	case codes.Aborted, codes.Canceled, codes.Internal:
		return true
	default:
		return late(err) || errors.Is(err, io.EOF)
	}
}

// unreachable gives an error of connecting its meaning: that no node is there, or answers, or would have us for now. Only
// a refusal of who we are is for good.
func unreachable(err error) error {
	if hasCode(err, esdb.ErrorCodeUnauthenticated) || hasCode(err, esdb.ErrorCodeAccessDenied) {
		return err
	}
	return fmt.Errorf("%w: %w", commands.ErrUnavailable, err)
}

var number = regexp.MustCompile(`[0-9]+`)

// limitIn returns the limit that a server names in its refusal of a size: the last number of "Maximum Append Size of 1048576
// Exceeded.", "exceeds Maximum Append Event Size of 300." and "received message larger than max (5000 vs. 4096)". It is 0 when there is none.
func limitIn(err error) int {
	if found := number.FindAllString(status.Convert(err).Message(), -1); len(found) > 0 {
		limit, _ := strconv.Atoi(found[len(found)-1]) // 0 when it is no int
		return limit
	}
	return 0
}

// tooLarge knows the answers of servers that refuse a size: the limit of an append, of an event and of a message.
func tooLarge(err error) bool {
	switch status.Code(err) { //nolint:exhaustive // only these two are about sizes
	case codes.InvalidArgument:
		// "Maximum Append Size of 1048576 Exceeded.", "Event with Id: …, Size: 316, exceeds Maximum Append Event Size of 300."
		return strings.Contains(err.Error(), "Maximum Append")
	case codes.ResourceExhausted:
		return strings.Contains(err.Error(), "larger than max")
	default:
		return false
	}
}
