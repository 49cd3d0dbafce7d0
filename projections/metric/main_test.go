package metric_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/domain/codec"
	"aftercare/domain/seal"
	"aftercare/projections"
	"aftercare/projections/metric"
	"aftercare/projections/viewtest"
)

func TestMain(m *testing.M) {
	// The throw-away Postgres outlives the tests.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("aftercare/deploy/localpg.(*server).wait"))
}

// sealer seals everything into the same bytes: metrics never open them.
type sealer struct{}

func (sealer) Seal(context.Context, seal.Subject, []byte, []byte) ([]byte, error) {
	return []byte("sealed"), nil
}

// raw returns events as they are stored.
func raw(tb viewtest.Fataler, events []domain.Recorded) []codec.Raw {
	tb.Helper()
	c := catalog.Codec()
	list := make([]codec.Raw, len(events))
	for i, e := range events {
		encoded, err := c.Encode(context.Background(), sealer{}, e.Stream, e.ID, e.Event, e.Metadata)
		if err != nil {
			tb.Fatalf("encode %s: %v", e.Type, err)
		}
		list[i] = codec.Raw{
			ID: e.ID, Stream: e.Stream, Revision: e.Revision, Position: e.Position, RecordedAt: e.RecordedAt,
			Type: encoded.Type, Data: encoded.Data, Metadata: encoded.Metadata,
		}
	}
	return list
}

// bench is a database with metrics.
type bench struct {
	viewtest.Fataler

	pool  *pgxpool.Pool
	store *metric.Store
}

// install makes a metric live with what the batches hold.
func (b bench) install(d metric.Definition, batches ...[]codec.Raw) {
	b.Helper()
	if err := b.store.Install(context.Background(), d, func(ctx context.Context, v projections.View) error {
		return b.fill(ctx, v, batches...)
	}); err != nil {
		b.Fatalf("install %s: %v", d.Name, err)
	}
}

// fill makes a view's tables anew and gives it batches, each in a transaction.
func (b bench) fill(ctx context.Context, v projections.View, batches ...[]codec.Raw) error {
	schema := pgx.Identifier{projections.Schema(v.Name())}.Sanitize()
	if _, err := b.pool.Exec(ctx, "drop schema if exists "+schema+" cascade; create schema "+schema); err != nil {
		return err
	}
	within := func(f func(tx pgx.Tx) error) error {
		return pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "set local search_path to "+schema+", public"); err != nil {
				return err
			}
			return f(tx)
		})
	}
	if err := within(func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, v.Tables())
		return err
	}); err != nil {
		return err
	}
	for _, batch := range batches {
		if err := within(func(tx pgx.Tx) error { return b.apply(ctx, tx, v, batch) }); err != nil {
			return err
		}
	}
	return nil
}

func (bench) apply(ctx context.Context, tx pgx.Tx, v projections.View, batch []codec.Raw) error {
	var wanted []codec.Raw
	for _, e := range batch {
		if v.Handles(e.Type) {
			wanted = append(wanted, e)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	stored, ok := v.(projections.Stored)
	if !ok {
		return metric.ErrInvalid
	}
	return stored.ApplyStored(ctx, tx, wanted)
}

// rows returns what a statement gives, as text.
func (b bench) rows(sql string) []string {
	b.Helper()
	found, err := b.pool.Query(context.Background(), "select t::text from ("+sql+") t order by 1")
	if err != nil {
		b.Fatalf("%s: %v", sql, err)
	}
	list, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		b.Fatalf("%s: %v", sql, err)
	}
	return list
}

// cut makes batches of so many events.
func cut(events []codec.Raw, size int) [][]codec.Raw {
	var all [][]codec.Raw
	for len(events) > 0 {
		n := min(size, len(events))
		all = append(all, events[:n])
		events = events[n:]
	}
	return all
}
