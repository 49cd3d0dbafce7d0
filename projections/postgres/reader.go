package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Reader reads tables that are replaced now and then by others of the same name. A prepared statement whose columns are of other types since is
// refused by Postgres once on each connection (0A000, "cached plan must not change result type"): a Reader prepares it anew, and asks again. It is
// safe for concurrent use.
type Reader struct{ Pool *pgxpool.Pool }

// Query is Pool.Query. It returns once the first row is there.
func (r Reader) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	for {
		rows, err := r.Pool.Query(ctx, sql, args...)
		if err != nil {
			return rows, err
		}
		begun := &begunRows{Rows: rows, more: rows.Next()}
		if begun.more || !replaced(rows.Err()) {
			return begun, nil
		}
	}
}

// QueryRow is Pool.QueryRow.
func (r Reader) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return row(func(dest ...any) error {
		for {
			if err := r.Pool.QueryRow(ctx, sql, args...).Scan(dest...); !replaced(err) {
				return err
			}
		}
	})
}

// replaced reports whether a statement was prepared for tables with other columns. pgx forgets a statement that failed.
func replaced(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && answer.Code == "0A000" && answer.Routine == "RevalidateCachedQuery"
}

// begunRows are rows of which the first was asked for already.
type begunRows struct {
	pgx.Rows
	begun, more bool
}

// Next is pgx.Rows.Next.
func (r *begunRows) Next() bool {
	if !r.begun {
		r.begun = true
		return r.more
	}
	return r.Rows.Next()
}

// row is what Scan does.
type row func(dest ...any) error

// Scan is pgx.Row.Scan.
func (r row) Scan(dest ...any) error { return r(dest...) }
