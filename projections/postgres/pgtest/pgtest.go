// Package pgtest gives tests of read models a real Postgres: one migrated database per test.
//
// The server is that of [localpgtest], which says how it is found, shared and stopped.
package pgtest

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/deploy/localpg/localpgtest"
	"aftercare/projections/postgres"
)

// URL returns the address of a new database with the migrations applied, which is dropped when the test ends.
func URL(tb testing.TB) string {
	tb.Helper()
	url := localpgtest.URL(tb)
	pool := open(tb, url)
	pool.Close()
	return url
}

// Pool returns a pool of connections to a new database with the migrations applied. It is closed, and the database dropped,
// when the test ends.
func Pool(tb testing.TB) *pgxpool.Pool {
	tb.Helper()
	pool := open(tb, localpgtest.URL(tb))
	tb.Cleanup(pool.Close)
	return pool
}

func open(tb testing.TB, url string) *pgxpool.Pool {
	tb.Helper()
	pool, err := postgres.Open(tb.Context(), url, postgres.Options{ApplicationName: "pgtest"})
	if err != nil {
		tb.Fatal(err)
	}
	if err := postgres.Migrate(tb.Context(), pool); err != nil {
		pool.Close()
		tb.Fatal(err)
	}
	return pool
}
