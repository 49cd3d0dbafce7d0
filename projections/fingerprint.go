package projections

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Print identifies what a table holds.
type Print struct {
	Rows int
	// Hash is the SHA-256 of all rows as text, in the order of their bytes.
	Hash string
}

// Fingerprint returns what the tables of a schema hold, by name. Two schemas with the same tables hold the same, byte for
// byte, when their fingerprints are equal. It reads every row.
func Fingerprint(ctx context.Context, pool *pgxpool.Pool, schema string) (map[string]Print, error) {
	rows, err := pool.Query(ctx, `
		select c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		 where n.nspname = $1 and c.relkind in ('r', 'p') order by 1`, schema)
	if err != nil {
		return nil, fmt.Errorf("list the tables of %s: %w", schema, err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list the tables of %s: %w", schema, err)
	}
	prints := make(map[string]Print, len(tables))
	for _, table := range tables {
		p, err := fingerprint(ctx, pool, pgx.Identifier{schema, table}.Sanitize())
		if err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", table, schema, err)
		}
		prints[table] = p
	}
	return prints, nil
}

func fingerprint(ctx context.Context, pool *pgxpool.Pool, table string) (Print, error) {
	rows, err := pool.Query(ctx, `select t::text from `+table+` t order by t::text collate "C"`)
	if err != nil {
		return Print{}, err
	}
	var (
		p    Print
		sum  = sha256.New()
		line string
	)
	_, err = pgx.ForEachRow(rows, []any{&line}, func() error {
		p.Rows++
		fmt.Fprintf(sum, "%d:", len(line))
		sum.Write([]byte(line))
		return nil
	})
	p.Hash = hex.EncodeToString(sum.Sum(nil))
	return p, err
}
