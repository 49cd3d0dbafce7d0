package projections

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// indexMemory is what making an index may use: a sort that does not fit takes several times as long.
const indexMemory = "256MB"

// index makes the indexes of a version's tables, and says up to where they hold the log.
func (b *rebuild) index(ctx context.Context, f *filling) error {
	if f.filled {
		return nil
	}
	b.Observe(RebuildProgress{Phase: Indexing, View: f.view.Name()})
	err := b.waitOut(ctx, func() error {
		return pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error { return f.finish(ctx, tx) })
	})
	if err != nil {
		return fmt.Errorf("index %s: %w", f.key, err)
	}
	return nil
}

func (f *filling) finish(ctx context.Context, tx pgx.Tx) error {
	var filled bool // the answer to an earlier commit may have been lost
	if err := tx.QueryRow(ctx, `select filled from aftercare.rebuild where view = $1 for update`, f.key).Scan(&filled); err != nil || filled {
		return err
	}
	if f.portions > 0 {
		if _, err := tx.Exec(ctx, `select set_config('maintenance_work_mem', $1, true)`, indexMemory); err != nil {
			return err
		}
		if err := execute(ctx, tx, f.slot, f.view.Indexes()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			update aftercare.checkpoint
			   set commit_position = $2, prepare_position = $3, updated_at = clock_timestamp(),
			       events = (select coalesce(sum(p.events), 0) from aftercare.rebuild_portion p where p.view = $1)
			 where view = $1`, f.key, stored(f.until.Commit), stored(f.until.Prepare))
		if err != nil {
			return err
		}
	}
	if err := f.analyze(ctx, tx); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `update aftercare.rebuild set filled = true where view = $1`, f.key)
	return err
}

// analyze tells the planner what the tables hold: nobody else will before they are asked.
func (s slot) analyze(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `
		select format('analyze %I.%I', n.nspname, c.relname)
		  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		 where n.nspname = $1 and c.relkind = 'r'`, s.schema)
	if err != nil {
		return err
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
