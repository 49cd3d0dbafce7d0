package metric

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain/codec"
	"aftercare/projections"
)

// Trial is what a check found.
type Trial struct {
	// Events were tried, and led to so many Rows of the result.
	Events, Rows int
}

// Check tries a metric in a transaction that is rolled back: its tables are made, the columns of the result are compared with the
// manifest, and apply.sql is given the events, once in one batch and once in many, which must come to the same. Types are
// the stored types there are. Its errors wrap [ErrInvalid] when the metric is to blame.
func Check(ctx context.Context, pool *pgxpool.Pool, d Definition, types []string, events []codec.Raw) (Trial, error) {
	if unknown := d.Unknown(types); len(unknown) > 0 {
		return Trial{}, fmt.Errorf("metric.yaml: %w: no stored type is %s; there are %s", ErrInvalid, strings.Join(unknown, ", "), strings.Join(types, ", "))
	}
	v := d.View()
	events = slices.DeleteFunc(slices.Clone(events), func(e codec.Raw) bool { return !v.Handles(e.Type) })
	tx, err := pool.Begin(ctx)
	if err != nil {
		return Trial{}, fmt.Errorf("check metric %s: %w", d.Name, err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing of it is to stay
	if err := v.prepare(ctx, tx); err != nil {
		return Trial{}, fmt.Errorf("check metric %s: %w", d.Name, err)
	}
	once, err := v.try(ctx, tx, "once", [][]codec.Raw{events})
	if err != nil {
		return Trial{}, err
	}
	many, err := v.try(ctx, tx, "many", cut(events))
	if err != nil {
		return Trial{}, err
	}
	if diff := cmp.Diff(once, many, cmp.Comparer(same)); diff != "" {
		return Trial{}, fmt.Errorf("apply.sql: %w: the same events give other numbers when they come in other batches (-in one batch +in many):\n%s", ErrInvalid, diff)
	}
	return Trial{Events: len(events), Rows: len(once)}, nil
}

// prepare makes a row for a metric that may not be installed yet.
func (v *View) prepare(ctx context.Context, tx pgx.Tx) error {
	if err := mayMakeRoles(ctx, tx); err != nil {
		return err
	}
	return v.add(ctx, tx)
}

// try makes the tables in a schema of their own, gives them the batches and returns the rows.
func (v *View) try(ctx context.Context, tx pgx.Tx, name string, batches [][]codec.Raw) ([][]*string, error) {
	home := projections.Schema(v.Name()) + "_" + name
	quoted := pgx.Identifier{home}.Sanitize()
	setup := fmt.Sprintf("create schema %s; select set_config('search_path', %s, true), set_config('statement_timeout', '%d', true)",
		quoted, literal(quoted), v.Timeout.Milliseconds())
	if _, err := tx.Exec(ctx, setup); err != nil {
		return nil, fmt.Errorf("check metric %s: %w", v.Definition.Name, err)
	}
	if _, err := tx.Exec(ctx, v.Tables()); err != nil {
		return nil, v.invalid("create.sql", v.creates, err)
	}
	if err := tidy(ctx, tx); err != nil {
		return nil, err
	}
	if err := v.compare(ctx, tx, home); err != nil {
		return nil, err
	}
	for _, batch := range batches {
		if err := v.run(ctx, tx, home, batch); err != nil {
			return nil, v.invalid("apply.sql", v.applies, err)
		}
		if _, err := tx.Exec(ctx, "truncate pg_temp.batch"); err != nil {
			return nil, fmt.Errorf("check metric %s: %w", v.Definition.Name, err)
		}
	}
	rows, err := v.rows(ctx, tx, home)
	if err != nil {
		return nil, v.invalid("create.sql", v.creates, err)
	}
	return rows, v.unique(rows)
}

func (v *View) invalid(file string, all []statement, err error) error {
	if !ours(err) {
		return fmt.Errorf("check metric %s: %w", v.Definition.Name, err)
	}
	return fmt.Errorf("%w: %w", ErrInvalid, v.explain(file, all, err))
}

// compare holds the columns of the result against the manifest.
func (v *View) compare(ctx context.Context, tx pgx.Tx, home string) error {
	rows, err := tx.Query(ctx, `
		select a.attname, case when t.typtype = 'e' then 'text' else pg_catalog.format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null) end
		  from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
		 where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`, pgx.Identifier{home, v.Result}.Sanitize())
	if err != nil {
		return fmt.Errorf("look at the result of metric %s: %w", v.Definition.Name, err)
	}
	var (
		problems   []error
		name, kind string
		is         = map[string]string{}
	)
	if _, err := pgx.ForEachRow(rows, []any{&name, &kind}, func() error {
		is[name] = kind
		if _, ok := v.Column(name); !ok {
			problems = append(problems, fmt.Errorf("  %s has a column %s (%s) that metric.yaml does not describe", v.Result, name, kind))
		}
		return nil
	}); err != nil {
		return fmt.Errorf("look at the result of metric %s: %w", v.Definition.Name, err)
	}
	for _, c := range v.Columns {
		switch got, ok := is[c.Name]; {
		case !ok:
			problems = append(problems, fmt.Errorf("  metric.yaml describes a column %s that %s does not have", c.Name, v.Result))
		case !slices.Contains(stored[c.Type], got):
			problems = append(problems, fmt.Errorf("  column %s of %s is %s, but %s in metric.yaml stands for %s",
				c.Name, v.Result, got, c.Type, strings.Join(stored[c.Type], " or ")))
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("create.sql: %w:\n%w", ErrInvalid, errors.Join(problems...))
	}
	return nil
}

// unique refuses rows that the key does not tell apart.
func (v *View) unique(rows [][]*string) error {
	seen := map[string]bool{}
	for _, row := range rows {
		var key []string
		for i, c := range v.Columns {
			if slices.Contains(v.Key, c.Name) {
				key = append(key, c.Name+" "+value(row[i]))
			}
		}
		k := strings.Join(key, ", ")
		if seen[k] {
			return fmt.Errorf("metric.yaml: %w: key: several rows of %s have %s", ErrInvalid, v.Result, k)
		}
		seen[k] = true
	}
	return nil
}

// cut makes batches of one event, two, four and so on.
func cut(events []codec.Raw) [][]codec.Raw {
	var all [][]codec.Raw
	for size := 1; len(events) > 0; size *= 2 {
		n := min(size, len(events))
		all = append(all, events[:n])
		events = events[n:]
	}
	return all
}
