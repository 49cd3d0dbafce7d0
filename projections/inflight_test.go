package projections_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"aftercare/domain/codec"
	"aftercare/projections"
	"aftercare/projections/postgres"
)

// pair is a view of two tables.
type pair struct{ counted }

func (pair) Name() string { return "pair" }
func (pair) Tables() string {
	return `create table a (mark bigint not null); create table b (mark bigint not null)`
}

func (pair) ApplyStored(ctx context.Context, tx pgx.Tx, _ []codec.Raw) error {
	_, err := tx.Exec(ctx, `insert into a select 1 where not exists (select from a); insert into b select 1 where not exists (select from b)`)
	return err
}

func TestReadersDoNotNoticeASwitch(t *testing.T) {
	t.Parallel()
	b := newBench(t, pair{})
	b.start(b.runner())
	b.wait(b.fill(1, 5), "pair")
	r := b.rebuilder()
	if _, err := r.Rebuild(t.Context(), b.views...); err != nil {
		t.Fatal(err)
	}
	b.exec(`update view_pair_previous.a set mark = 2; update view_pair_previous.b set mark = 2;
		alter table view_pair_previous.a alter mark type integer; alter table view_pair_previous.b alter mark type integer`)
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	marks := make([]map[int64]int, 4)
	for i := range marks {
		readers.Go(func() {
			marks[i] = make(map[int64]int)
			for ctx.Err() == nil {
				rows, err := postgres.Reader{Pool: b.pool}.Query(context.WithoutCancel(ctx), `select a.mark, b.mark from view_pair.a join view_pair.b on true`)
				if err == nil {
					_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (_ struct{}, err error) {
						var first, second int64
						if err = row.Scan(&first, &second); err == nil && first != second {
							err = fmt.Errorf("a row of version %d is joined with one of %d", first, second)
						}
						marks[i][first]++
						return struct{}{}, err
					})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 200 {
		if err := r.Switch(t.Context(), b.views[0], projections.Previous); err != nil {
			t.Error(err)
			break
		}
	}
	cancel()
	readers.Wait()
	for i, m := range marks {
		if m[1] == 0 || m[2] == 0 || len(m) != 2 {
			t.Errorf("reader %d met versions %v, want 1 and 2", i, m)
		}
	}
}

func TestASwitchDoesNotWaitForALongQuery(t *testing.T) {
	t.Parallel()
	b := newBench(t, pair{})
	b.start(b.runner())
	b.wait(b.fill(1, 5), "pair")
	r := b.rebuilder()
	if _, err := r.Rebuild(t.Context(), b.views...); err != nil {
		t.Fatal(err)
	}
	b.exec(`update view_pair_previous.a set mark = 2`)
	tx, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), `declare slow cursor for select mark from view_pair.a`); err != nil {
		t.Fatal(err)
	}
	if err := r.Switch(t.Context(), b.views[0], projections.Previous); err != nil {
		t.Fatal(err)
	}
	var slow int
	if err := tx.QueryRow(t.Context(), `fetch 1 from slow`).Scan(&slow); err != nil {
		t.Fatal(err)
	}
	if now := query[struct{ Mark int }](b, `select mark from view_pair.a`)[0].Mark; slow != 1 || now != 2 {
		t.Errorf("the query in flight got version %d and the next one %d, want 1 and 2", slow, now)
	}
}
