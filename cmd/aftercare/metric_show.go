package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"aftercare/domain"
	"aftercare/projections/metric"
	"aftercare/projections/page"
)

// tableForm is how the rows of a metric are shown.
type tableForm struct {
	json, csv bool
	order     []string
	most      int
}

// shownRows is how many rows people are shown unless they ask for others.
const shownRows = 50

func (f *tableForm) flags() []cli.Flag {
	return []cli.Flag{
		jsonFlag(&f.json),
		&cli.BoolFlag{Name: "csv", Usage: "for programs: CSV with a line of names", Destination: &f.csv},
		&cli.StringSliceFlag{Name: "order", Usage: "a `COLUMN` to order by, with - before it downwards; several are taken", Destination: &f.order},
		&cli.IntFlag{Name: "most", Usage: fmt.Sprintf("show at most so many `ROWS`; %d in a table and all for programs unless told", shownRows), Destination: &f.most},
	}
}

func (p program) metricShow(c *config) *cli.Command {
	var form tableForm
	return &cli.Command{
		Name:      "show",
		Usage:     "the numbers of an installed metric",
		ArgsUsage: metricName,
		Flags:     form.flags(),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			name, err := one(cmd)
			if err != nil {
				return err
			}
			return c.with(ctx, func(a *app) error { return p.showMetric(ctx, a.metrics(), name, form) })
		},
	}
}

// showMetric writes the rows of a metric.
func (p program) showMetric(ctx context.Context, store *metric.Store, name string, form tableForm) error {
	if form.json && form.csv {
		return usage("--json and --csv exclude each other")
	}
	m, err := store.Load(ctx, name)
	if refusal, ok := errors.AsType[*domain.Error](err); ok && refusal.Kind == domain.NotFound {
		return fmt.Errorf("there is no metric %q; `aftercare metric list` shows them", name)
	}
	if err != nil {
		return err
	}
	if m.Error != nil {
		fmt.Fprintf(p.Err, "%s is parked, and its numbers are those of the last good batch: %s\n", name, *m.Error)
	}
	if form.most == 0 && !form.json && !form.csv {
		form.most = shownRows
	}
	rows, more, err := readMetric(ctx, store, m, form)
	if err != nil {
		return err
	}
	columns := openColumns(m)
	switch {
	case form.json:
		return p.metricJSON(m, columns, rows)
	case form.csv:
		return p.metricCSV(m, columns, rows)
	}
	return p.metricTable(m, columns, rows, more)
}

// readMetric reads the pages of a metric up to as many rows as are wanted, all when that is 0. It reports whether there are more.
func readMetric(ctx context.Context, store *metric.Store, m metric.Installed, form tableForm) (rows []metric.Row, more bool, err error) {
	q := metric.Query{Page: page.Page{First: page.MaxSize}}
	for _, name := range form.order {
		column, down := strings.CutPrefix(name, "-")
		q.Order = append(q.Order, metric.Order{Column: column, Desc: down})
	}
	for {
		if form.most > 0 {
			q.Page.First = min(page.MaxSize, form.most-len(rows))
		}
		part, info, err := store.Read(ctx, m, q)
		if err != nil {
			return nil, false, err
		}
		rows = append(rows, part...)
		if !info.HasNext || form.most > 0 && len(rows) >= form.most {
			return rows, info.HasNext, nil
		}
		q.Page.After = part[len(part)-1].Cursor
	}
}

// openColumns returns the places of the columns that may be shown.
func openColumns(m metric.Installed) []int {
	var open []int
	for i, c := range m.Columns {
		if c.Privacy != metric.Confidential {
			open = append(open, i)
		}
	}
	return open
}

func (p program) metricTable(m metric.Installed, columns []int, rows []metric.Row, more bool) error {
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	line := func(cell func(i int) string) {
		for n, i := range columns {
			if n > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell(i))
		}
		fmt.Fprintln(w)
	}
	line(func(i int) string {
		if unit := m.Columns[i].Unit; unit != "" && unit != "1" {
			return fmt.Sprintf("%s (%s)", m.Columns[i].Name, unit)
		}
		return m.Columns[i].Name
	})
	for _, r := range rows {
		line(func(i int) string { return r.Cells[i].Text })
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if more {
		fmt.Fprintln(p.Err, "there are more rows: see --most, --csv and --json")
	}
	return nil
}

func (p program) metricCSV(m metric.Installed, columns []int, rows []metric.Row) error {
	w := csv.NewWriter(p.Out)
	record := make([]string, len(columns))
	for n, i := range columns {
		record[n] = m.Columns[i].Name
	}
	if err := w.Write(record); err != nil {
		return err
	}
	for _, r := range rows {
		for n, i := range columns {
			record[n] = r.Cells[i].Text
		}
		if err := w.Write(record); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// metricJSON writes the columns and an object a row, its fields in the order of the columns.
func (p program) metricJSON(m metric.Installed, columns []int, rows []metric.Row) error {
	type column struct {
		Name        string `json:"name"`
		Type        string `json:"type"`
		Unit        string `json:"unit,omitempty"`
		Description string `json:"description"`
		Privacy     string `json:"privacy"`
	}
	answer := struct {
		Metric  string            `json:"metric"`
		Version int               `json:"version"`
		Error   *string           `json:"error"`
		Columns []column          `json:"columns"`
		Rows    []json.RawMessage `json:"rows"`
	}{Metric: m.Name, Version: m.Version, Error: m.Error, Rows: make([]json.RawMessage, len(rows))}
	for _, i := range columns {
		c := m.Columns[i]
		answer.Columns = append(answer.Columns, column{c.Name, string(c.Type), c.Unit, c.Description.EN, string(c.Privacy)})
	}
	for n, r := range rows {
		var b bytes.Buffer
		for at, i := range columns {
			b.WriteByte("{,"[min(at, 1)])
			fmt.Fprintf(&b, "%q:", m.Columns[i].Name)
			b.Write(jsonCell(m.Columns[i].Type, r.Cells[i]))
		}
		b.WriteByte('}')
		answer.Rows[n] = b.Bytes()
	}
	return p.printJSON(answer, nil)
}

// jsonCell is a number or a truth as such, where JSON has it, and else a text.
func jsonCell(t metric.Type, c metric.Cell) []byte {
	if c.Null {
		return []byte("null")
	}
	switch t {
	case metric.Int, metric.Float, metric.Bool, metric.Duration:
		if json.Valid([]byte(c.Text)) { // NaN is not
			return []byte(c.Text)
		}
	case metric.Text, metric.Numeric, metric.Time, metric.Date:
	}
	text, _ := json.Marshal(c.Text) //nolint:errchkjson // texts always marshal
	return text
}
