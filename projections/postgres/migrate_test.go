package postgres_test

import (
	"errors"
	"testing"

	"golang.org/x/sync/errgroup"

	"aftercare/deploy/localpg/localpgtest"
	"aftercare/projections/postgres"
	"aftercare/projections/postgres/pgtest"
)

func TestProcessesMayMigrateTogether(t *testing.T) {
	t.Parallel()
	url := localpgtest.URL(t)
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			pool, err := postgres.Open(t.Context(), url, postgres.Options{})
			if err != nil {
				return err
			}
			defer pool.Close()
			return postgres.Migrate(t.Context(), pool)
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}

	pool, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var tables int
	if err := pool.QueryRow(t.Context(),
		"SELECT count(*) FROM pg_tables WHERE schemaname = 'aftercare'").Scan(&tables); err != nil {
		t.Fatal(err)
	}
	if tables == 0 {
		t.Error("migrated, but there are no tables")
	}
}

func TestMigratingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), `INSERT INTO aftercare.checkpoint (view, shape, commit_position, prepare_position)
		VALUES ('ticket', 1, 7, 7)`); err != nil {
		t.Fatal(err)
	}
	if err := postgres.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	var position int64
	if err := pool.QueryRow(t.Context(), "SELECT commit_position FROM aftercare.checkpoint").Scan(&position); err != nil {
		t.Fatal(err)
	}
	if position != 7 {
		t.Errorf("got position %d, want 7", position)
	}
}

func TestADatabaseOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), "UPDATE public.aftercare_migration SET version = version + 1"); err != nil {
		t.Fatal(err)
	}
	if err := postgres.Migrate(t.Context(), pool); !errors.Is(err, postgres.ErrNewer) {
		t.Errorf("got %v, want %v", err, postgres.ErrNewer)
	}
}
