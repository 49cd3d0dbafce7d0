package fold_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/projections/fold"
	"aftercare/projections/postgres/pgtest"
)

type opened struct{ At time.Time }

func (opened) EventType() string       { return "door.opened.v1" }
func (e opened) OccurredAt() time.Time { return e.At }

type closed struct{ At time.Time }

func (closed) EventType() string       { return "door.closed.v1" }
func (e closed) OccurredAt() time.Time { return e.At }

type visit struct {
	Door   string
	Number int64
	From   time.Time
	To     *time.Time
}

// visits keeps a row for every time a door was open.
func visits() *fold.View[visit] {
	return &fold.View[visit]{
		ID: "visits", Table: "visit",
		Create:  `create table visit (door text not null, number bigint not null, "from" timestamptz not null, "to" timestamptz)`,
		Index:   `create unique index on visit (door, number)`,
		Types:   []string{opened{}.EventType(), closed{}.EventType()},
		Columns: []string{"door", "number", "from", "to"},
		Fields:  func(v *visit) []any { return []any{&v.Door, &v.Number, &v.From, &v.To} },
		Fold: func(rows []visit, r domain.Recorded) ([]visit, error) {
			switch e := r.Event.(type) {
			case opened:
				return append(rows, visit{Door: r.Stream, Number: int64(len(rows)), From: e.At}), nil
			case closed:
				for i := range rows {
					if rows[i].To == nil {
						rows[i].To = &e.At
					}
				}
			}
			return rows, nil
		},
	}
}

func history(doors, each int) []domain.Recorded {
	var all []domain.Recorded
	for i := range each {
		for d := range doors {
			at := time.Date(2026, 1, 1, d, i, 0, 0, time.UTC)
			var e domain.Event = opened{at}
			if i%2 == 1 {
				e = closed{at}
			}
			all = append(all, domain.Recorded{Stream: fmt.Sprintf("door-%d", d), Revision: uint64(i), Type: e.EventType(), Event: e})
		}
	}
	return all
}

// folded makes the tables in a schema of their own, has them filled and returns what is in them.
func folded(t *testing.T, pool *pgxpool.Pool, schema string, fill func(context.Context, pgx.Tx) error) []visit {
	t.Helper()
	var rows []visit
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		v := visits()
		for _, statement := range []string{"create schema " + schema, "set local search_path to " + schema, v.Tables(), v.Indexes()} {
			if _, err := tx.Exec(t.Context(), statement); err != nil {
				return err
			}
		}
		if err := fill(t.Context(), tx); err != nil {
			return err
		}
		found, err := tx.Query(t.Context(), `select door, number, "from", "to" from visit order by door, number`)
		if err != nil {
			return err
		}
		rows, err = pgx.CollectRows(found, pgx.RowToStructByPos[visit])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestTheRowsDoNotDependOnTheBatches(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	events := history(7, 11)
	want := folded(t, pool, "bulk", func(ctx context.Context, tx pgx.Tx) error {
		b := visits().Bulk()
		for _, e := range events {
			if err := b.Add(e); err != nil {
				return err
			}
		}
		return b.Copy(ctx, tx)
	})
	if len(want) != 7*6 || want[0].To == nil || want[5].To != nil {
		t.Fatalf("got %d rows, first %+v: want 42, of which the last of a door is open", len(want), want[0])
	}
	for _, size := range []int{1, 3, 10, len(events)} {
		got := folded(t, pool, fmt.Sprintf("batches_of_%d", size), func(ctx context.Context, tx pgx.Tx) error {
			for start := 0; start < len(events); start += size {
				if err := visits().Apply(ctx, tx, events[start:min(start+size, len(events))]); err != nil {
					return err
				}
			}
			return nil
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in batches of %d, -bulk +batches:\n%s", size, diff)
		}
	}
}
