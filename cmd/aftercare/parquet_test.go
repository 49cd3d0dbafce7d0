package main_test

import (
	"encoding/csv"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/parquet-go/parquet-go"
)

// exported is what a data team reads of an exported event.
type exported struct {
	Stream     string    `parquet:"stream"`
	Revision   int64     `parquet:"revision"`
	Type       string    `parquet:"type"`
	OccurredAt time.Time `parquet:"occurred_at,timestamp(microsecond)"`
}

// flow is the directly-follows graph in SQL that shares nothing with the metric's: each fact is joined to the one with the next number
// of its ticket, and the median is the middle of the sorted gaps.
const flow = `
	with fact as (
	    select stream, split_part(type, '.', 2) as name, occurred_at, row_number() over (partition by stream order by revision) as n
	      from public.exported where type like 'ticket.%'
	), edge as (
	    select a.stream, a.name as from_fact, b.name as to_fact, extract(epoch from b.occurred_at - a.occurred_at)::float8 as gap
	      from fact a join fact b on b.stream = a.stream and b.n = a.n + 1
	), ranked as (
	    select *, row_number() over w as rank, count(*) over (partition by from_fact, to_fact) as times
	      from edge window w as (partition by from_fact, to_fact order by gap)
	)
	select from_fact, to_fact, max(times), count(distinct stream), avg(gap) filter (where rank in ((times + 1) / 2, times / 2 + 1))
	  from ranked group by from_fact, to_fact order by from_fact, to_fact`

// TestAMetricSaysWhatSQLOverTheExportSays imports real history, has the metric reckon over it in one command, and reckons the same from the
// Parquet files alone.
func TestAMetricSaysWhatSQLOverTheExportSays(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.up()
	p.run("import", "--mapping", "bpic2013", shared(t, "bpic2013/07_bpic2013_incidents.xes.gz"))
	records, err := csv.NewReader(strings.NewReader(p.run("metric", "run", "ticket_flow", "--csv", "--order", "from_fact,to_fact", "--most", "1000").out.text())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(p.work, "export")
	p.run("export", "events", "--format", "parquet", "--to", dir)
	n := p.loadParquet(dir)
	if n < 73_087 {
		t.Errorf("%d events are exported, want at least the 73087 facts of the history", n)
	}
	var want [][]string
	for _, line := range p.rows(flow) {
		want = append(want, strings.Fields(line))
	}
	got := records[1:]
	if diff := gocmp.Diff(want, got, gocmp.Comparer(equalFigures)); diff != "" || len(got) < 5 {
		t.Errorf("%d edges, -SQL over the export +metric:\n%s", len(got), diff)
	}
	t.Logf("%d events, %d edges; the first: %v", n, len(got), got[0])
}

// equalFigures compares texts, and numbers by what they say.
func equalFigures(a, b string) bool {
	var x, y float64
	if _, err := fmt.Sscan(a, &x); err != nil {
		return a == b
	}
	if _, err := fmt.Sscan(b, &y); err != nil {
		return a == b
	}
	return x == y || (x-y)/max(x, y, 1e-9) < 1e-9 && (y-x)/max(x, y, 1e-9) < 1e-9
}

// loadParquet copies exported events into a table, and returns how many there are.
func (p *place) loadParquet(dir string) (n int64) {
	p.tb.Helper()
	conn, err := pgx.Connect(p.tb.Context(), p.instance().PostgresURL)
	if err != nil {
		p.tb.Fatal(err)
	}
	defer conn.Close(p.tb.Context()) //nolint:errcheck // nothing is lost with it
	if _, err := conn.Exec(p.tb.Context(), `create table public.exported (stream text, revision bigint, type text, occurred_at timestamptz)`); err != nil {
		p.tb.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".parquet" {
			return err
		}
		rows, err := parquet.ReadFile[exported](path)
		if err != nil {
			return err
		}
		copied, err := conn.CopyFrom(p.tb.Context(), pgx.Identifier{"public", "exported"}, []string{"stream", "revision", "type", "occurred_at"},
			pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
				return []any{rows[i].Stream, rows[i].Revision, rows[i].Type, rows[i].OccurredAt}, nil
			}))
		n += copied
		return err
	})
	if err != nil {
		p.tb.Fatal(err)
	}
	return n
}
