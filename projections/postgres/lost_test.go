package postgres_test

import (
	"context"
	"testing"

	"aftercare/projections/postgres"
	"aftercare/projections/postgres/pgtest"
)

func TestALostConnectionIsToldFromARefusal(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), "select nothing"); err == nil || postgres.Lost(err) {
		t.Errorf("a refused statement: %v, is lost", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := pool.Exec(ended, "select 1"); err == nil || postgres.Lost(err) {
		t.Errorf("a caller that went away: %v, is lost", err)
	}
	if _, err := pool.Exec(t.Context(), "select pg_terminate_backend($1)", conn.Conn().PgConn().PID()); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"first", "later"} {
		if _, err := conn.Exec(t.Context(), "select 1"); !postgres.Lost(err) {
			t.Errorf("%s: %v, is not lost", when, err)
		}
	}
}
