package keyring

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"aftercare/domain"
)

// unavailable makes a failure to reach the database a refusal that may be tried again. It leaves alone what the database
// answered, unless it answered that it cannot now, and what was cancelled.
func unavailable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch answer.Code[:2] {
		case "08", "53", "57": // connection, resources, operator
		default:
			return err
		}
	} else if !connection(err) {
		return err
	}
	return fmt.Errorf("%w: %w", domain.Refuse(domain.Unavailable, "keyring.unavailable"), err)
}

// connection reports that the database was not reached or did not answer in time.
func connection(err error) bool {
	_, refused := errors.AsType[*pgconn.ConnectError](err)
	_, broken := errors.AsType[net.Error](err)
	return refused || broken || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) || pgconn.SafeToRetry(err)
}
