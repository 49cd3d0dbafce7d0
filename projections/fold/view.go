package fold

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/projections"
)

// View keeps the rows of one table. It implements projections.View.
type View[R any] struct {
	// ID is the view's name.
	ID string
	// Table is the table's name, and Create and Index make it: see Tables and Indexes of projections.View. They may make
	// further tables and SQL views, which the fold leaves alone.
	Table, Create, Index string
	// Types are the stored names of the events the fold wants.
	Types []string
	// Columns are the table's columns, in the order of Fields. The first one holds the name of the stream.
	Columns []string
	// Fields returns pointers to the fields of a row, in the order of Columns. A pgx scan must be able to fill them and a
	// COPY to write them; a column that may be null is a pointer field.
	Fields func(*R) []any
	// Fold returns the rows of the event's stream after the event. Rows are those before it, in no particular order; they
	// are the fold's to change and to return. With an error they must be as they were. It never meets an event of a type
	// that is not in Types.
	Fold func(rows []R, e domain.Recorded) ([]R, error)
	// AppendOnly says that rows never change once written. Fold is then given an empty slice, to append the new rows to, and returns
	// only those.
	AppendOnly bool

	once    sync.Once
	handled map[string]struct{} // Types
}

// Name returns the view's name.
func (v *View[R]) Name() string { return v.ID }

// Tables returns the statements that make the table. They name Types, too: a view that wants others than it did is rebuilt, since
// it has not folded those that are in the log already, or has folded what is now read as another.
func (v *View[R]) Tables() string {
	return v.Create + "\n-- Rows are of " + strings.Join(slices.Sorted(slices.Values(v.Types)), ", ") + "\n"
}

// Indexes returns the statements that make the indexes.
func (v *View[R]) Indexes() string { return v.Index }

// Handles reports whether the type is one of Types.
func (v *View[R]) Handles(eventType string) bool {
	v.once.Do(func() {
		v.handled = make(map[string]struct{}, len(v.Types))
		for _, t := range v.Types {
			v.handled[t] = struct{}{}
		}
	})
	_, ok := v.handled[eventType]
	return ok
}

// Apply loads the rows of the batch's streams, folds and writes them.
func (v *View[R]) Apply(ctx context.Context, tx pgx.Tx, batch []domain.Recorded) error {
	if v.AppendOnly {
		var rows []R
		for _, e := range batch {
			more, err := v.Fold(rows[len(rows):], e)
			if err != nil {
				return fmt.Errorf("fold %s at %d@%s: %w", e.Type, e.Revision, e.Stream, err)
			}
			rows = append(rows, more...)
		}
		return v.copy(ctx, tx, rows)
	}
	streams := make(map[string]struct{})
	for _, e := range batch {
		streams[e.Stream] = struct{}{}
	}
	names := make([]string, 0, len(streams))
	for name := range streams {
		names = append(names, name)
	}
	slices.Sort(names)
	rows, err := v.load(ctx, tx, names)
	if err != nil {
		return err
	}
	old := make([]string, 0, len(rows))
	for name := range rows {
		old = append(old, name)
	}
	for _, e := range batch {
		folded, err := v.Fold(rows[e.Stream], e)
		if err != nil {
			return fmt.Errorf("fold %s at %d@%s: %w", e.Type, e.Revision, e.Stream, err)
		}
		rows[e.Stream] = folded
	}
	if len(old) > 0 {
		if _, err := tx.Exec(ctx, "delete from "+v.table()+" where "+v.stream()+" = any($1)", old); err != nil {
			return fmt.Errorf("replace rows of %s: %w", v.Table, err)
		}
	}
	var all []R
	for _, name := range names {
		all = append(all, rows[name]...)
	}
	return v.copy(ctx, tx, all)
}

// Bulk returns an empty fold for a rebuild.
func (v *View[R]) Bulk() projections.Bulk {
	return &bulk[R]{view: v, rows: make(map[string][]R)}
}

func (v *View[R]) table() string  { return pgx.Identifier{v.Table}.Sanitize() }
func (v *View[R]) stream() string { return pgx.Identifier{v.Columns[0]}.Sanitize() }

// load returns the rows of the streams, by stream.
func (v *View[R]) load(ctx context.Context, tx pgx.Tx, streams []string) (map[string][]R, error) {
	columns := []string{v.stream()}
	for _, c := range v.Columns {
		columns = append(columns, pgx.Identifier{c}.Sanitize())
	}
	found, err := tx.Query(ctx, "select "+strings.Join(columns, ", ")+" from "+v.table()+" where "+v.stream()+" = any($1)", streams)
	if err != nil {
		return nil, fmt.Errorf("load rows of %s: %w", v.Table, err)
	}
	defer found.Close()
	rows := make(map[string][]R)
	for found.Next() {
		var (
			stream string
			row    R
		)
		if err := found.Scan(append([]any{&stream}, v.Fields(&row)...)...); err != nil {
			return nil, fmt.Errorf("load rows of %s: %w", v.Table, err)
		}
		rows[stream] = append(rows[stream], row)
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("load rows of %s: %w", v.Table, err)
	}
	return rows, nil
}
