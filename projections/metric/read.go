package metric

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/projections"
	"aftercare/projections/page"
)

// Query chooses rows of a metric's result.
type Query struct {
	// Filters must all hold.
	Filters []Filter
	// Order is by these columns and then by the key. Without any it is by the key.
	Order []Order
	Page  page.Page
}

// Row is one of the result: a cell a column, in the order of the manifest, and its cursor.
type Row struct {
	Cells  []Cell
	Cursor string
}

// Cell is a value. It is neither of the two while its Text is what it says.
type Cell struct {
	// Closed says that there may be a value which is not for this reader.
	Closed bool
	// Null says that there is no value.
	Null bool
	// Text is the value as the doc of the column's type says.
	Text string
}

// Read returns a page of a metric's result. Confidential columns are closed. It returns refusals for columns that the
// metric does not have, values that are not of the column's type, and a metric that has no tables yet.
func (s *Store) Read(ctx context.Context, m Installed, q Query) ([]Row, page.Info, error) {
	if !m.Ready {
		return nil, page.Info{}, domain.Refuse(domain.Unavailable, "metric.not-ready", "name", m.Name)
	}
	size, backward, err := q.Page.Size()
	if err != nil {
		return nil, page.Info{}, err
	}
	b := builder{Definition: m.Definition}
	order, err := b.order(q.Order)
	if err != nil {
		return nil, page.Info{}, err
	}
	where, err := b.filters(q.Filters)
	if err != nil {
		return nil, page.Info{}, err
	}
	name := orderName(m.Definition, order)
	keyset, err := b.keyset(order, name, q.Page)
	if err != nil {
		return nil, page.Info{}, err
	}
	where = append(where, keyset...)

	var cells, by []string
	for _, c := range m.Columns {
		if c.Privacy == Confidential {
			cells = append(cells, "null")
			continue
		}
		cells = append(cells, c.expression())
	}
	for _, o := range order {
		cells = append(cells, o.column.expression())
		by = append(by, o.column.compared()+o.direction(backward))
	}
	choose, rest := "select jsonb_build_array("+strings.Join(cells, ", ")+") from ", ""
	if len(where) > 0 {
		rest = " where " + strings.Join(where, " and ")
	}
	rest += fmt.Sprintf(" order by %s limit %d", strings.Join(by, ", "), size+1)

	found, err := s.ask(ctx, m, func(table string) string { return choose + table + rest }, b.given)
	if err != nil {
		return nil, page.Info{}, err
	}
	rows := make([]Row, len(found))
	for i, f := range found {
		for j, c := range m.Columns {
			switch {
			case c.Privacy == Confidential:
				rows[i].Cells = append(rows[i].Cells, Cell{Closed: true})
			case f[j] == nil:
				rows[i].Cells = append(rows[i].Cells, Cell{Null: true})
			default:
				rows[i].Cells = append(rows[i].Cells, Cell{Text: *f[j]})
			}
		}
		rows[i].Cursor = page.Encode(name, place(f[len(m.Columns):])...)
	}
	kept, info := page.Trim(rows, size, backward, q.Page)
	return kept, info, nil
}

// asks is how often a question is put again when the tables were replaced meanwhile.
const asks = 5

// ask asks through the metric's own function and role, of the tables that the definition made. Those that were replaced a moment ago are
// there still, as the previous version, so whoever has the definition in hand gets the rows that belong to it.
func (s *Store) ask(ctx context.Context, m Installed, question func(table string) string, given []string) ([][]*string, error) {
	for attempt := 1; ; attempt++ {
		home, err := m.where(ctx, s.Pool)
		if err != nil {
			return nil, err
		}
		rows, err := s.once(ctx, home, question(pgx.Identifier{home, m.Result}.Sanitize()), given)
		still, lost := m.where(ctx, s.Pool)
		switch {
		case lost != nil:
			return nil, lost
		case still != home && attempt < asks:
			continue
		case err == nil:
			return rows, nil
		}
		if answer, ok := errors.AsType[*pgconn.PgError](err); ok && ours(err) {
			return nil, domain.Refuse(domain.Unavailable, "metric.unreadable", "name", m.Name, "error", answer.Message)
		}
		return nil, fmt.Errorf("read metric %s: %w", m.Name, err)
	}
}

// where returns the schema of the tables that the definition made: the live one, or the previous one.
func (d Definition) where(ctx context.Context, pool *pgxpool.Pool) (home string, err error) {
	live := projections.Schema(ViewName(d.Name))
	err = pool.QueryRow(ctx, `
		select n.nspname from pg_catalog.pg_namespace n join pg_catalog.pg_description d
		    on d.objoid = n.oid and d.classoid = 'pg_catalog.pg_namespace'::regclass
		 where n.nspname = any($1) and d.description = $2 order by n.nspname limit 1`, []string{live, live + "_" + projections.Previous}, d.mark()).Scan(&home)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", domain.Refuse(domain.Unavailable, "metric.not-ready", "name", d.Name)
	}
	if err != nil {
		return "", fmt.Errorf("look for the tables of metric %s: %w", d.Name, err)
	}
	return home, nil
}

// once asks in a transaction that leaves nothing behind.
func (s *Store) once(ctx context.Context, home, question string, given []string) (rows [][]*string, err error) {
	conn, err := s.Pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if rows, err = collect(ctx, tx, home, question, given); err != nil {
			return err
		}
		return errRead
	})
	if errors.Is(err, errRead) {
		err = nil
	}
	if conn.Conn().IsClosed() {
		return rows, err
	}
	_, unlocked := conn.Exec(ctx, "select pg_catalog.pg_advisory_unlock_all()")
	return rows, errors.Join(err, unlocked)
}

// errRead ends a transaction that read what it was for.
var errRead = errors.New("read")

// collect returns the arrays that a question gives.
func collect(ctx context.Context, tx pgx.Tx, home, question string, given []string) ([][]*string, error) {
	rows, err := tx.Query(ctx, "select "+pgx.Identifier{home, "aftercare_ask"}.Sanitize()+"($1, $2)", question, append([]string{}, given...))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (cells []*string, err error) {
		var text []byte
		if err := row.Scan(&text); err != nil {
			return nil, err
		}
		return cells, json.Unmarshal(text, &cells)
	})
}

// rows returns the whole result, confidential columns too, in the order of its key.
func (v *View) rows(ctx context.Context, tx pgx.Tx, home string) ([][]*string, error) {
	var cells, by []string
	for _, c := range v.Columns {
		cells = append(cells, c.expression())
		if slices.Contains(v.Key, c.Name) {
			by = append(by, c.compared())
		}
	}
	return collect(ctx, tx, home, fmt.Sprintf("select jsonb_build_array(%s) from %s order by %s", strings.Join(cells, ", "),
		pgx.Identifier{home, v.Result}.Sanitize(), strings.Join(by, ", ")), nil)
}

// place is the key of a cursor: each part is preceded by what tells null from a text.
func place(cells []*string) []string {
	key := make([]string, len(cells))
	for i, c := range cells {
		if c != nil {
			key[i] = "=" + *c
		}
	}
	return key
}
