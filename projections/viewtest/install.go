package viewtest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/projections"
)

// Live makes the view's tables and indexes anew and applies the batches, each in a transaction.
func Live(tb Fataler, pool *pgxpool.Pool, v projections.View, batches ...[]domain.Recorded) {
	tb.Helper()
	reset(tb, pool, v)
	within(tb, pool, v, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, v.Tables()+";"+v.Indexes())
		return err
	})
	for _, batch := range batches {
		Apply(tb, pool, v, batch)
	}
}

// Apply applies a batch in a transaction, without the events the view does not handle.
func Apply(tb Fataler, pool *pgxpool.Pool, v projections.View, batch []domain.Recorded) {
	tb.Helper()
	within(tb, pool, v, func(ctx context.Context, tx pgx.Tx) error { return v.Apply(ctx, tx, handled(v, batch)) })
}

// Rebuild makes the view's tables anew, loads the history in bulk, and makes the indexes.
func Rebuild(tb Fataler, pool *pgxpool.Pool, v projections.View, history []domain.Recorded) {
	tb.Helper()
	reset(tb, pool, v)
	bulk := v.Bulk()
	for _, e := range handled(v, history) {
		if err := bulk.Add(e); err != nil {
			tb.Fatalf("add %s: %v", e.Type, err)
		}
	}
	within(tb, pool, v, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, v.Tables()); err != nil {
			return err
		}
		if err := bulk.Copy(ctx, tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, v.Indexes())
		return err
	})
}

// Rows returns the rows of a table as text, in an order of their own.
func Rows(tb Fataler, pool *pgxpool.Pool, v projections.View, table string) []string {
	tb.Helper()
	name := pgx.Identifier{"view_" + v.Name(), table}.Sanitize()
	found, err := pool.Query(context.Background(), "select t::text from "+name+" t order by 1")
	if err != nil {
		tb.Fatalf("read %s: %v", name, err)
	}
	rows, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		tb.Fatalf("read %s: %v", name, err)
	}
	return rows
}

// LiveIsRebuild fails unless the batches, applied one after another, and a rebuild lead to the same rows, and to some.
func LiveIsRebuild(tb Fataler, pool *pgxpool.Pool, v projections.View, table string, batches [][]domain.Recorded) {
	tb.Helper()
	Live(tb, pool, v, batches...)
	live := Rows(tb, pool, v, table)
	var history []domain.Recorded
	for _, batch := range batches {
		history = append(history, batch...)
	}
	Rebuild(tb, pool, v, history)
	if diff := cmp.Diff(live, Rows(tb, pool, v, table)); diff != "" {
		tb.Fatalf("live and rebuilt rows differ (-live +rebuilt):\n%s", diff)
	}
	if len(live) == 0 {
		tb.Fatalf("no rows in %s", table)
	}
}

// Fataler is what testing and rapid have in common.
type Fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

var _ Fataler = testing.TB(nil)

func handled(v projections.View, all []domain.Recorded) []domain.Recorded {
	var some []domain.Recorded
	for _, e := range all {
		if v.Handles(e.Type) {
			some = append(some, e)
		}
	}
	return some
}

func reset(tb Fataler, pool *pgxpool.Pool, v projections.View) {
	tb.Helper()
	schema := pgx.Identifier{"view_" + v.Name()}.Sanitize()
	if _, err := pool.Exec(context.Background(), "drop schema if exists "+schema+" cascade; create schema "+schema); err != nil {
		tb.Fatalf("make %s: %v", schema, err)
	}
}

func within(tb Fataler, pool *pgxpool.Pool, v projections.View, f func(context.Context, pgx.Tx) error) {
	tb.Helper()
	ctx := context.Background()
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "set local search_path to "+pgx.Identifier{"view_" + v.Name()}.Sanitize()); err != nil {
			return err
		}
		return f(ctx, tx)
	})
	if err != nil {
		tb.Fatalf("view %s: %v", v.Name(), err)
	}
}
