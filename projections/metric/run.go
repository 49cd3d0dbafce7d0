package metric

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aftercare/domain/codec"
	"aftercare/projections"
)

// home returns the schema that the search path begins with, and makes sure that this definition made it.
func (v *View) home(ctx context.Context, tx pgx.Tx) (string, error) {
	var home, mark *string
	err := tx.QueryRow(ctx, `select current_schema(), pg_catalog.obj_description(current_schema()::regnamespace, 'pg_namespace')`).Scan(&home, &mark)
	if err != nil {
		return "", fmt.Errorf("look at the tables of metric %s: %w", v.Definition.Name, err)
	}
	if home == nil || mark == nil || *mark != v.mark() {
		return "", fmt.Errorf("metric %s: %w", v.Definition.Name, projections.ErrOutdated)
	}
	return *home, nil
}

// run fills the batch and runs apply.sql, within a savepoint.
func (v *View) run(ctx context.Context, tx pgx.Tx, home string, events []codec.Raw) error {
	var made bool
	err := tx.QueryRow(ctx, `select set_config('search_path', $1, true) is not null and to_regclass('pg_temp.batch') is not null`,
		pgx.Identifier{home}.Sanitize()+", pg_temp").Scan(&made)
	if err != nil {
		return err
	}
	if err := fill(ctx, tx, made, events); err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		statement := "select " + pgx.Identifier{home, "aftercare_run"}.Sanitize() + "($1)"
		if _, err := tx.Exec(ctx, "select set_config('statement_timeout', $1, true)", strconv.FormatInt(v.Timeout.Milliseconds(), 10)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, statement, texts(v.applies))
		return err
	})
	if cleared := tidy(ctx, tx); cleared != nil && err == nil {
		err = cleared
	}
	return err
}

// tidy sets right what functions of Postgres can change of a session, and of the transaction around.
func tidy(ctx context.Context, tx pgx.Tx) error {
	if tx.Conn().IsClosed() {
		return nil
	}
	if _, err := tx.Exec(ctx, "reset all; set local idle_in_transaction_session_timeout = '10s'; select pg_catalog.pg_advisory_unlock_all()"); err != nil {
		return fmt.Errorf("tidy up after the metric: %w", err)
	}
	return nil
}

// fault is an error of the metric's own in words for its author.
func (v *View) fault(err error, events []codec.Raw) error {
	return fmt.Errorf("%w: %w; at position %d, in a batch of %d events", projections.ErrBroken,
		v.explain("apply.sql", v.applies, err), events[0].Position.Commit, len(events))
}

// ours reports whether an error is the metric's own, and not one of the database or of the way to it, which passes.
func ours(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch answer.Code {
	case "40001", "40P01", "55P03", "55006", "25006": // serialization failure, deadlock, locks, read-only (a replica before it is promoted)
		return false
	case "57014": // cancelled: by the timeout, or by a person
		return timeout(answer)
	case "53400": // a limit that was set, such as that of temporary files
		return true
	}
	switch answer.Code[:2] {
	case "08", "53", "57", "58", "28": // connection, resources, operator, system, sign-in
		return false
	}
	return true
}
