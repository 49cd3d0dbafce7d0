package projections

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aftercare/domain"
)

// ErrTaken says that another runner moves the view's checkpoint: only one may.
var ErrTaken = errors.New("another runner moves the view's checkpoint")

// ErrBroken is wrapped by the errors of a view that cannot go on whatever event it is given: it is not for one event to be set
// aside, nor for time to mend. A rebuild gives up, and a runner begins another round, which the view is to stay out of: see Runner.More. Nothing
// of the batch is kept.
var ErrBroken = errors.New("the view is broken")

// errMoved says that a rebuild took the view's place, or that it was restarted: its checkpoint is to be read again.
var errMoved = errors.New("the view's tables were replaced")

// errBack says that a view's checkpoint lies before where it was: the view was emptied, or the database came back without
// its last commits. Rows and checkpoint went together, so folding goes on from there, with another subscription.
var errBack = errors.New("the view's checkpoint went back")

// passing reports whether an error says nothing about the event: the database or a service behind it cannot answer now, or
// the tables are not there. Trying again later is right, however often; setting the event aside is wrong.
func passing(err error) bool {
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		if answer.Code == "57014" && strings.HasPrefix(answer.Message, "COPY from stdin failed") {
			return false // we ended it ourselves: a value does not fit its column
		}
		switch answer.Code {
		case "40001", "40P01", "25P03", // serialization failure, deadlock, a transaction that we said nothing in for long
			"55P03", "55006", "25006", // lock not available, object in use, read-only (a replica before it is promoted)
			"0A000",                                     // a cached plan whose tables changed under it
			"42P01", "42703", "3F000", "42501", "3D000": // no such table, column, schema; not allowed; no such database
			return true
		}
		switch answer.Code[:2] {
		case "08", "53", "57", "58", "28", "XX": // connection, resources, operator, system, sign-in, internal
			return true
		}
		return false
	}
	if _, ok := errors.AsType[*eventError](err); ok {
		return false
	}
	var (
		network net.Error
		refusal *domain.Error
		connect *pgconn.ConnectError
	)
	return errors.As(err, &network) || errors.As(err, &connect) ||
		errors.As(err, &refusal) && refusal.Kind == domain.Unavailable ||
		errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, pgx.ErrTxClosed) || pgconn.SafeToRetry(err) ||
		strings.Contains(err.Error(), "unexpected EOF") || strings.Contains(err.Error(), "conn closed") ||
		strings.Contains(err.Error(), "closed pool")
}

// eventError is an error that came up while there was a connection, or that needs none: it is of the event, even if it looks like one of a
// network, as those of texts that are no addresses do. What Postgres answered is told by its code all the same.
type eventError struct{ error }

// Unwrap returns the error.
func (e *eventError) Unwrap() error { return e.error }

// guard makes an error of a panic.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}
