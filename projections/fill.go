package projections

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
)

// filling is one view's new tables while a rebuild fills them. They are made, filled and indexed in one transaction: an
// interrupted rebuild leaves nothing behind, and a Postgres that keeps no log for replicas writes each page only once.
type filling struct {
	slot
	conn *pgx.Conn
	// mu is held while a partition uses the transaction.
	mu     sync.Mutex
	tx     pgx.Tx
	events int
	parked int
}

// fill begins to fill new tables. It takes the connection out of the pool: what decodes events may need all of that.
func (b *rebuild) fill(ctx context.Context, v View) (*filling, error) {
	pooled, err := b.Pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	f := &filling{slot: nextSlot(v), conn: pooled.Hijack()}
	if f.tx, err = f.conn.Begin(ctx); err == nil {
		err = create(ctx, f.tx, f.slot)
	}
	if err != nil {
		f.close(ctx)
		return nil, err
	}
	return f, nil
}

// close gives up what is not committed.
func (f *filling) close(ctx context.Context) {
	_ = f.conn.Close(context.WithoutCancel(ctx))
}

// copy writes what a partition folded since the last time.
func (f *filling) copy(ctx context.Context, p *fold) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range p.refused {
		if err := f.park(ctx, f.tx, r.Recorded, r.reason, r.attempts); err != nil {
			return err
		}
	}
	f.events += p.events
	f.parked += len(p.refused)
	p.events, p.refused = 0, nil
	err := guard(func() error { return p.bulk.Copy(ctx, f.tx) })
	if err != nil && ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	return err
}

// finish makes the indexes of the filled tables, says how far they are, and commits.
func (f *filling) finish(ctx context.Context, at domain.Position) error {
	if _, err := f.tx.Exec(ctx, f.view.Indexes()); err != nil {
		return err
	}
	rows, err := f.tx.Query(ctx, `
		select format('analyze %I.%I', n.nspname, c.relname)
		  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		 where n.nspname = $1 and c.relkind = 'r'`, f.schema)
	if err != nil {
		return err
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := f.tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	_, err = f.tx.Exec(ctx, `
		update aftercare.checkpoint set commit_position = $2, prepare_position = $3, events = $4, updated_at = clock_timestamp()
		 where view = $1`, f.key, stored(at.Commit), stored(at.Prepare), f.events)
	if err != nil {
		return err
	}
	if err := f.tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
