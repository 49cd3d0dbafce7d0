package metric_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"aftercare/projections/metric"
	"aftercare/projections/page"
	"aftercare/projections/postgres/pgtest"
)

// TestPagesHaveEveryRowWhateverItsValues turns the pages of a result in each order, in both directions.
func TestPagesHaveEveryRowWhateverItsValues(t *testing.T) {
	t.Parallel()
	columns := []struct{ kind, stored, values string }{
		{"int", "bigint", "'-9223372036854775808', '9223372036854775807', '0'"},
		{"numeric", "numeric", "'NaN', 'Infinity', '-Infinity', '0.10', '-123456789012345678901234567890.5', '1e-30'"},
		{"float", "double precision", "'NaN', 'Infinity', '-Infinity', '0.1', '5e-324', '-0'"},
		{"float", "real", "'0.1', '3.4e38', 'NaN'"},
		{"timestamp", "timestamptz", "'infinity', '-infinity', '2026-11-01 00:00:00.000001+08', '10000-01-01 00:00Z', '0044-03-15 12:00Z BC', 'epoch'"},
		{"date", "date", "'infinity', '-infinity', '2026-11-01', '10000-01-01', '0044-03-15 BC'"},
		{"bool", "boolean", "'true', 'false'"},
		{"duration", "interval", "'1 day', '-00:00:00.000001', '100 years 3 mons'"},
		{"text", "text", "'', '=', 'ä\"''\\', '\ud7ff', 'A', 'a', ' a'"},
	}
	var described, kept, rows strings.Builder
	for i, c := range columns {
		fmt.Fprintf(&described, "  - {name: c%d, type: %s, description: {en: Values}}\n", i, c.kind)
		fmt.Fprintf(&kept, ", c%d %s", i, c.stored)
		fmt.Fprintf(&rows, "insert into odd (c%d) select unnest(array[null, null, %s]::%s[]);\n", i, c.values, c.stored)
	}
	d, err := metric.New(`name: odd
version: 1
description: {en: Odd values}
events: [ticket.*]
result: odd
key: [n]
columns:
  - {name: n, type: int, description: {en: The number of the row}}
`+described.String(), "create table odd (n int generated always as identity primary key"+kept.String()+");\n"+rows.String(), "select 1 from batch limit 0;")
	if err != nil {
		t.Fatal(err)
	}
	pool := pgtest.Pool(t)
	b := bench{t, pool, &metric.Store{Pool: pool}}
	b.install(d)
	m, err := b.store.Load(t.Context(), "odd")
	if err != nil {
		t.Fatal(err)
	}
	read := func(q metric.Query) (numbers, cursors []string) {
		found, _, err := b.store.Read(t.Context(), m, q)
		if err != nil {
			t.Errorf("%+v: %v", q, err)
		}
		for _, r := range found {
			numbers, cursors = append(numbers, r.Cells[0].Text), append(cursors, r.Cursor)
		}
		return numbers, cursors
	}
	for _, c := range d.Columns {
		for _, desc := range []bool{false, true} {
			order := []metric.Order{{Column: c.Name, Desc: desc}}
			want, cursors := read(metric.Query{Order: order, Page: page.Page{First: 200}})
			for i, cursor := range cursors {
				after, _ := read(metric.Query{Order: order, Page: page.Page{First: 200, After: cursor}})
				before, _ := read(metric.Query{Order: order, Page: page.Page{Last: 200, Before: cursor}})
				if got := slices.Concat(before, want[i:i+1], after); !slices.Equal(got, want) {
					t.Errorf("by %s, descending %t, at row %s: got %v, want %v", c.Name, desc, want[i], got, want)
				}
			}
		}
	}
}
