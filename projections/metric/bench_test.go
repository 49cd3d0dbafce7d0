package metric_test

import (
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"aftercare/projections/metric"
	"aftercare/projections/postgres/pgtest"
	"aftercare/projections/viewtest"
)

// BenchmarkApply gives batches to a shipped metric, each in a transaction.
func BenchmarkApply(b *testing.B) {
	for _, size := range []int{1, 100, 5000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			pool := pgtest.Pool(b)
			s := bench{b, pool, &metric.Store{Pool: pool}}
			d, err := metric.Find("ticket_flow")
			if err != nil {
				b.Fatal(err)
			}
			var h viewtest.History
			for i := 0; len(h.Events) < size; i++ {
				h.Case(i, history(i)...)
			}
			events := raw(b, h.Events)[:size]
			s.install(d)
			v := d.View()
			for b.Loop() {
				if err := pgx.BeginFunc(b.Context(), pool, func(tx pgx.Tx) error {
					if _, err := tx.Exec(b.Context(), "set local search_path to view_metric_ticket_flow"); err != nil {
						return err
					}
					return s.apply(b.Context(), tx, v, events)
				}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
