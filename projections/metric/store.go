package metric

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/projections"
	"aftercare/projections/facet"
)

// Store has the metrics that are installed. It is safe for concurrent use.
type Store struct {
	Pool *pgxpool.Pool
	// Logger defaults to one that discards.
	Logger *slog.Logger

	mu    sync.Mutex
	views map[string]*View
}

// Installed is a metric and how it does.
type Installed struct {
	Definition

	// Ready reports whether its tables are live.
	Ready       bool
	InstalledAt time.Time
	// Error is why it is parked, and ParkedAt since when; nil while it is not.
	Error    *string
	ParkedAt *time.Time
}

// unknown refuses a name that no metric has.
func unknown(name string) error {
	return domain.Refuse(domain.NotFound, "metric.unknown", "name", name)
}

// List returns the installed metrics by name. One that this program cannot read has its error, and is not ready.
func (s *Store) List(ctx context.Context) ([]Installed, error) { return s.load(ctx, nil) }

// Load returns an installed metric, or a refusal of the kind NotFound.
func (s *Store) Load(ctx context.Context, name string) (Installed, error) {
	found, err := s.load(ctx, &name)
	if err != nil {
		return Installed{}, err
	}
	if len(found) == 0 {
		return Installed{}, unknown(name)
	}
	return found[0], nil
}

// marked are the definitions, with whether they made the live tables.
const marked = `
	select m.name, m.manifest, m.create_sql, m.apply_sql, m.installed_at, m.error, m.parked_at, d.description is not null as ready
	  from aftercare.metric m
	  left join pg_catalog.pg_namespace n on n.nspname = $1 || m.name || $2
	  left join pg_catalog.pg_description d
	    on d.objoid = n.oid and d.classoid = 'pg_catalog.pg_namespace'::regclass and d.description = m.mark`

// prefix is what the names of the schemas of metrics begin with.
var prefix = projections.Schema(ViewName(""))

// load reads the live definition of each metric, or of the one named; for one that has none, the last that was installed.
func (s *Store) load(ctx context.Context, name *string) ([]Installed, error) {
	all, err := s.read(ctx, `select distinct on (name) * from (`+marked+`) m where $3::text is null or name = $3 order by name, ready desc, installed_at desc`,
		prefix, "", name)
	if err != nil {
		return nil, fmt.Errorf("read the installed metrics: %w", err)
	}
	return all, nil
}

func (s *Store) read(ctx context.Context, sql string, args ...any) ([]Installed, error) {
	rows, err := s.Pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Installed, err error) {
		var name, yaml, create, apply string
		if err := row.Scan(&name, &yaml, &create, &apply, &m.InstalledAt, &m.Error, &m.ParkedAt, &m.Ready); err != nil {
			return m, err
		}
		if m.Definition, err = New(yaml, create, apply); err != nil { // a newer program may be stricter
			words := err.Error()
			m.Definition, m.Ready, m.Error = Definition{Manifest: Manifest{Name: name}}, false, &words
		}
		return m, nil
	})
}

// Views returns the metrics that a runner is to keep: all that were filled and are not parked. A metric that did not change is
// the same View each time.
func (s *Store) Views(ctx context.Context) ([]projections.View, error) {
	all, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var (
		list []projections.View
		kept = make(map[string]*View)
	)
	for _, m := range all {
		if !m.Ready || m.Error != nil {
			continue
		}
		v, ok := s.views[m.Name]
		if !ok || v.mark() != m.mark() {
			v = &View{Definition: m.Definition, failed: s.parks(m.Definition)}
		}
		kept[m.Name] = v
		list = append(list, v)
	}
	s.views = kept
	return list, nil
}

// Version returns a version of a metric, such as [projections.Previous], as a view: its tables may be of another definition than the live
// ones. It returns projections.ErrNoVersion when there is none.
func (s *Store) Version(ctx context.Context, name, version string) (*View, error) {
	found, err := s.read(ctx, `select * from (`+marked+`) m where name = $3 and ready`, prefix, "_"+version, name)
	if err != nil {
		return nil, fmt.Errorf("look for version %s of metric %s: %w", version, name, err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("version %s of metric %s: %w", version, name, projections.ErrNoVersion)
	}
	return found[0].View(), nil
}

// parkWait bounds how long noting an error may take. Not noted, the metric is tried again, and fails again.
const parkWait = 5 * time.Second

// parks returns what notes that a metric failed, and so keeps runners from it.
func (s *Store) parks(d Definition) func(context.Context, error) {
	return func(ctx context.Context, cause error) {
		ctx, cancel := context.WithTimeout(ctx, parkWait)
		defer cancel()
		_, err := s.Pool.Exec(ctx, `update aftercare.metric set error = $3, parked_at = clock_timestamp() where name = $1 and mark = $2`,
			d.Name, d.mark(), facet.Clean(cause.Error()))
		if s.Logger != nil {
			s.Logger.ErrorContext(ctx, "metric parked", slog.String("metric", d.Name), slog.Any("error", errors.Join(cause, err)))
		}
	}
}

// Install makes a metric, or its new version, live: fill must fill its tables from the whole log, beside those there may be, and
// put them in their place, as a rebuild does. Until then, and when it fails, readers get the old numbers. Installing a parked metric
// again takes its error away.
func (s *Store) Install(ctx context.Context, d Definition, fill func(context.Context, projections.View) error) error {
	v := d.View()
	if err := v.add(ctx, s.Pool); err != nil {
		return fmt.Errorf("install metric %s: %w", d.Name, err)
	}
	if err := fill(ctx, v); err != nil {
		return fmt.Errorf("install metric %s: %w", d.Name, err)
	}
	_, err := s.Pool.Exec(ctx, `
		update aftercare.metric set error = null, parked_at = null, installed_at = clock_timestamp() where name = $1 and mark = $2`, d.Name, d.mark())
	if err != nil {
		return fmt.Errorf("install metric %s: %w", d.Name, err)
	}
	return nil
}

// add keeps the definition.
func (d Definition) add(ctx context.Context, db interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
},
) error {
	_, err := db.Exec(ctx, `
		insert into aftercare.metric (name, mark, manifest, create_sql, apply_sql) values ($1, $2, $3, $4, $5) on conflict do nothing`,
		d.Name, d.mark(), d.YAML, d.Create, d.Apply)
	return err
}

// Resume lets runners go on with a parked metric from where it stopped.
func (s *Store) Resume(ctx context.Context, name string) error {
	tag, err := s.Pool.Exec(ctx, `update aftercare.metric set error = null, parked_at = null where name = $1`, name)
	if err != nil {
		return fmt.Errorf("resume metric %s: %w", name, err)
	}
	if tag.RowsAffected() == 0 {
		return unknown(name)
	}
	return nil
}

// Drop removes a metric: its definition, tables, checkpoints and role. Runners leave it at their next look.
func (s *Store) Drop(ctx context.Context, name string) error {
	view := ViewName(name)
	err := pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `delete from aftercare.metric where name = $1`, name)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return unknown(name)
		}
		// A runner that is at it holds its checkpoint, and afterwards finds none.
		for _, table := range []string{"checkpoint", "parked_event", "rebuild", "rebuild_portion"} {
			if _, err := tx.Exec(ctx, `delete from aftercare.`+table+` where view = $1 or starts_with(view, $1 || '@')`, view); err != nil {
				return err
			}
		}
		if err := dropSchemas(ctx, tx, projections.Schema(view)); err != nil {
			return err
		}
		return dropRole(ctx, tx, name)
	})
	if err != nil {
		return fmt.Errorf("drop metric %s: %w", name, err)
	}
	return nil
}

// dropSchemas drops the tables of all versions of a view.
func dropSchemas(ctx context.Context, tx pgx.Tx, live string) error {
	rows, err := tx.Query(ctx, `
		select nspname from pg_catalog.pg_namespace
		 where nspname = $1 or nspname in ($1 || '_next', $1 || '_previous', $1 || '_leaving') or starts_with(nspname, $1 || '_as_of_')`, live)
	if err != nil {
		return err
	}
	schemas, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, schema := range schemas {
		if _, err := tx.Exec(ctx, "drop schema "+pgx.Identifier{schema}.Sanitize()+" cascade"); err != nil {
			return err
		}
	}
	return nil
}
