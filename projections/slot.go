package projections

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
)

// slot is a place that holds a view: its live tables, or those a rebuild fills beside them.
type slot struct {
	view View
	// key names the row of the checkpoint.
	key string
	// schema holds the tables.
	schema string
}

// Schema returns the Postgres schema of a view's live tables.
func Schema(view string) string { return "view_" + view }

// The versions of a view besides the live one, which has no name. Others are named by whoever makes them as of an instant.
const (
	// Next is filled by a rebuild, to take the live one's place.
	Next = "next"
	// Previous was the live one before the last switch.
	Previous = "previous"
	// leaving is the live one in the midst of a switch.
	leaving = "leaving"
)

// asOfName is what a version that is made as of an instant may be called.
var asOfName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,29}$`)

// ErrName says that a version cannot be called that.
var ErrName = errors.New("a name is of small letters, digits and _, begins with a letter, and has at most 30, or fewer where that of the view is long; it is neither next, previous nor leaving")

// nameBytes is how many bytes of a name Postgres keeps.
const nameBytes = 63

func validName(view, name string) error {
	if !asOfName.MatchString(name) || name == Next || name == Previous || name == leaving || len(VersionSchema(view, name)) > nameBytes {
		return fmt.Errorf("%q: %w", name, ErrName)
	}
	return nil
}

func liveSlot(v View) slot { return slot{v, v.Name(), Schema(v.Name())} }

// versionSlot is that of a version by its name.
func versionSlot(v View, name string) slot {
	switch name {
	case Next, Previous, leaving:
		return slot{v, v.Name() + "@" + name, Schema(v.Name()) + "_" + name}
	}
	return slot{v, v.Name() + "@" + name, VersionSchema(v.Name(), name)}
}

// VersionSchema returns the Postgres schema of a version that was made as of an instant.
func VersionSchema(view, name string) string { return Schema(view) + "_as_of_" + name }

func (s slot) quoted() string { return pgx.Identifier{s.schema}.Sanitize() }

// path is the search path while the view's own statements run. Extensions live in public.
func (s slot) path() string { return s.quoted() + ", public" }

// shape identifies the statements that make the tables.
func (s slot) shape() string {
	sum := sha256.Sum256([]byte(s.view.Tables() + "\x00" + s.view.Indexes()))
	return hex.EncodeToString(sum[:16])
}

// checkpoint is how far a slot has come.
type checkpoint struct {
	position   domain.Position
	generation int64
}

// ErrOutdated says that a view's tables were made by other statements than the program's: it needs a rebuild.
var ErrOutdated = errors.New("the tables of the view are of another shape than the program's: rebuild it")

// Ensure makes the tables of the views that have none, empty and at the beginning of the log. It returns ErrOutdated for
// a view whose tables were made by other statements than its own.
func Ensure(ctx context.Context, pool *pgxpool.Pool, views ...View) error {
	for _, v := range views {
		if _, err := ensure(ctx, pool, liveSlot(v)); err != nil {
			return err
		}
	}
	return nil
}

func ensure(ctx context.Context, pool *pgxpool.Pool, s slot) (checkpoint, error) {
	c, shape, there, err := s.look(ctx, pool, "")
	if err == nil && there && shape == s.shape() {
		return c, nil // without waiting for whoever has the checkpoint locked
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var err error
		c, err = ensureIn(ctx, tx, s)
		return err
	})
	if err != nil {
		return c, fmt.Errorf("prepare view %s: %w", s.key, err)
	}
	return c, nil
}

func ensureIn(ctx context.Context, tx pgx.Tx, s slot) (checkpoint, error) {
	made, err := tx.Exec(ctx, `insert into aftercare.checkpoint (view, shape) values ($1, $2) on conflict do nothing`, s.key, s.shape())
	if err != nil {
		return checkpoint{}, err
	}
	c, shape, there, err := s.look(ctx, tx, "for update")
	if err != nil {
		return c, err
	}
	lost := made.RowsAffected() > 0 // nobody knows how far tables without a checkpoint are
	if there && shape == s.shape() && !lost {
		return c, nil
	}
	if there && c.position != (domain.Position{}) {
		return c, ErrOutdated
	}
	if err := create(ctx, tx, s); err != nil {
		return c, err
	}
	if err := execute(ctx, tx, s, s.view.Indexes()); err != nil {
		return c, err
	}
	c.position = domain.Position{}
	c.generation++
	return c, restart(ctx, tx, s)
}

// look reads the checkpoint, which statements made the tables, and whether there are any.
func (s slot) look(ctx context.Context, db interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, lock string,
) (c checkpoint, shape string, there bool, err error) {
	err = db.QueryRow(ctx, `
		select commit_position, prepare_position, generation, shape,
		       exists (select from pg_catalog.pg_namespace where nspname = $2)
		  from aftercare.checkpoint where view = $1 `+lock, s.key, s.schema).
		Scan(&c.position.Commit, &c.position.Prepare, &c.generation, &shape, &there)
	return c, shape, there, err
}

// create makes the slot's tables anew, without indexes.
func create(ctx context.Context, tx pgx.Tx, s slot) error {
	if _, err := tx.Exec(ctx, "drop schema if exists "+s.quoted()+" cascade"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "create schema "+s.quoted()); err != nil {
		return err
	}
	return execute(ctx, tx, s, s.view.Tables())
}

// restart moves the slot to the beginning of the log.
func restart(ctx context.Context, tx pgx.Tx, s slot) error {
	if _, err := tx.Exec(ctx, `delete from aftercare.parked_event where view = $1`, s.key); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		update aftercare.checkpoint
		   set shape = $2, generation = generation + 1, commit_position = 0, prepare_position = 0, events = 0, updated_at = clock_timestamp()
		 where view = $1`, s.key, s.shape())
	return err
}

// execute runs statements of the view in its own schema.
func execute(ctx context.Context, tx pgx.Tx, s slot, statements string) error {
	if _, err := tx.Exec(ctx, "select set_config('search_path', $1, true)", s.path()); err != nil {
		return err
	}
	if statements == "" {
		return nil
	}
	_, err := tx.Exec(ctx, statements)
	return err
}
