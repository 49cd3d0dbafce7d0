package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/tern/v2/migrate"
)

//go:embed migrations/*.sql
var files embed.FS

const versionTable = "public.aftercare_migration"

// ErrNewer says that the database was migrated by a newer program than this one.
var ErrNewer = errors.New("the database is newer than this program")

// Migrate brings the long-lived tables up to date. It may be called by several processes at the same time, and does
// nothing when there is nothing to do. It returns [ErrNewer] for a database of a newer program.
func Migrate(ctx context.Context, pool *pgxpool.Pool) error {
	if err := run(ctx, pool); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

func run(ctx context.Context, pool *pgxpool.Pool) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	migrator, err := migrate.NewMigrator(ctx, conn.Conn(), versionTable)
	if err != nil {
		return err
	}
	sources, err := fs.Sub(files, "migrations")
	if err != nil {
		return err
	}
	if err := migrator.LoadMigrations(sources); err != nil {
		return err
	}
	err = migrator.Migrate(ctx)
	if _, ok := errors.AsType[migrate.BadVersionError](err); ok {
		return fmt.Errorf("%w: %w", ErrNewer, err)
	}
	return err
}
