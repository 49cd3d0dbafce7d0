package eventnode

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"aftercare/deploy/eventnode/storage"
)

// wireError is a gRPC status with the trailers that clients of EventStoreDB decode.
type wireError struct {
	status   *status.Status
	trailers metadata.MD
}

func (e *wireError) Error() string { return e.status.Message() }

// GRPCStatus lets grpc-go answer with the status.
func (e *wireError) GRPCStatus() *status.Status { return e.status }

// failure returns a status with trailers: their names, each with its value.
func failure(code codes.Code, message string, trailers ...string) *wireError {
	for i := range trailers {
		trailers[i] = strings.Map(printable, trailers[i])
	}
	return &wireError{status.New(code, message), metadata.Pairs(trailers...)}
}

// printable replaces what no header may contain: a client would see a broken answer in place of all of it.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

func streamDeleted(stream string) error {
	return failure(codes.FailedPrecondition, "Event stream '"+stream+"' is deleted.",
		"exception", "stream-deleted", "stream-name", stream)
}

func invalid(message string) error { return failure(codes.InvalidArgument, message) }

// handlerException is what the real server says when a handler throws.
func handlerException() error {
	return failure(codes.Unknown, "Exception was thrown by handler.")
}

func invalidPosition() error { return invalid("Trying to read from an invalid position.") }

func shuttingDown() error { return failure(codes.Unavailable, "Server Is Shutting Down") }

func wrongDelete(q *storage.Request, actual int64) error {
	expected, got := strconv.FormatInt(q.Expected, 10), strconv.FormatInt(actual, 10)
	return failure(codes.FailedPrecondition,
		"Delete failed due to WrongExpectedVersion. Stream: "+q.Stream+", Expected version: "+expected+", Actual version: "+got,
		"exception", "wrong-expected-version", "stream-name", q.Stream, "expected-version", expected, "actual-version", got)
}

// toWire gives every error a status: damage is DATA_LOSS, what was not stored is ABORTED.
func toWire(err error) error {
	var wire *wireError
	var notStored *storage.NotStoredError
	var corrupt *storage.CorruptError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wire):
		return wire
	case errors.As(err, &notStored):
		return failure(codes.Aborted, "Operation timed out: "+err.Error())
	case errors.Is(err, storage.ErrTooLarge):
		return invalid(err.Error())
	case errors.As(err, &corrupt):
		return failure(codes.DataLoss, err.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return status.FromContextError(err).Err()
	}
	if s, ok := status.FromError(err); ok {
		return s.Err()
	}
	return failure(codes.Internal, err.Error())
}
