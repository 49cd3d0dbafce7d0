package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"aftercare/projections"
	"aftercare/projections/ticket"
)

// copied is a table whose rows are in a file, in Postgres's binary format.
type copied struct {
	view, table, file string
}

// copySchema returns the schema that the rows of a view are copied to.
func copySchema(view string) string { return "copied_" + view }

// dump writes the rows of all views to files.
func (b *bench) dump(ctx context.Context) (all []copied, err error) {
	for _, v := range views() {
		tables, err := projections.Fingerprint(ctx, b.pool, projections.Schema(v.Name()))
		if err != nil {
			return nil, err
		}
		for table := range tables {
			c := copied{v.Name(), table, filepath.Join(b.dir, v.Name()+"."+table)}
			source := pgx.Identifier{projections.Schema(c.view), c.table}.Sanitize()
			if err := b.dumpTable(ctx, source, c.file); err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return all, nil
}

func (b *bench) dumpTable(ctx context.Context, table, path string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return b.raw(ctx, func(conn *pgconn.PgConn) error {
		_, err := conn.CopyTo(ctx, file, "copy "+table+" to stdout binary")
		return err
	})
}

// copiers returns what copies the rows of one view, and of all, without indexes and with them: what Postgres alone takes for them.
func (b *bench) copiers(all []copied) []contender {
	var schemas []string
	for _, c := range all {
		schemas = append(schemas, copySchema(c.view))
	}
	one := ticket.View()
	mine := slices.DeleteFunc(slices.Clone(all), func(c copied) bool { return c.view != one.Name() })
	copier := func(rows []copied, indexed ...projections.View) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) { return b.copyRows(ctx, rows, indexed) }
	}
	return []contender{
		{onlyCopy + ": one view", copier(mine), []string{copySchema(one.Name())}},
		{onlyCopy + ": all views", copier(all), schemas},
		{onlyCopy + " and indexes: one view", copier(mine, one), nil},
		{onlyCopy + " and indexes: all views", copier(all, views()...), nil},
	}
}

// copyRows copies the same rows into new tables, each table by a connection of its own, and then makes the indexes of some views.
func (b *bench) copyRows(ctx context.Context, all []copied, indexed []projections.View) (events int, err error) {
	for _, c := range all {
		schema := pgx.Identifier{copySchema(c.view)}.Sanitize()
		if _, err := b.pool.Exec(ctx, "drop schema if exists "+schema+" cascade; create schema "+schema); err != nil {
			return 0, err
		}
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for _, c := range all {
		group.Go(func() error { return b.copyTable(groupCtx, c) })
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	group, groupCtx = errgroup.WithContext(ctx)
	for _, v := range indexed {
		group.Go(func() error {
			schema := pgx.Identifier{copySchema(v.Name())}.Sanitize()
			_, err := b.pool.Exec(groupCtx, "begin; set local search_path to "+schema+"; "+v.Indexes()+"; commit")
			return err
		})
	}
	return b.options.events, group.Wait()
}

func (b *bench) copyTable(ctx context.Context, c copied) error {
	file, err := os.Open(c.file)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read
	target, source := pgx.Identifier{copySchema(c.view), c.table}.Sanitize(), pgx.Identifier{projections.Schema(c.view), c.table}.Sanitize()
	return b.raw(ctx, func(conn *pgconn.PgConn) error {
		// Within the transaction that makes the table, rows need no write-ahead log.
		if err := conn.Exec(ctx, "begin; create table "+target+" (like "+source+" including generated)").Close(); err != nil {
			return err
		}
		if _, err := conn.CopyFrom(ctx, file, "copy "+target+" from stdin binary"); err != nil {
			return err
		}
		return conn.Exec(ctx, "commit").Close()
	})
}

// raw lends a connection.
func (b *bench) raw(ctx context.Context, use func(*pgconn.PgConn) error) error {
	conn, err := b.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return use(conn.Conn().PgConn())
}
