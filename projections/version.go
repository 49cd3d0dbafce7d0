package projections

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
)

// ErrNoVersion says that a view has no version of a name, or none that is ready.
var ErrNoVersion = errors.New("the view has no such version that is ready")

// Switch puts another version of a view in the place of the live one: Next, as a rebuild with Hold has left it, or Previous, as the last
// switch has. It is caught up with the log first. What was live is the previous version then. ErrNoVersion says that there is none, and
// ErrOutdated that its tables are of another program, which can switch to them.
func (r *Rebuilder) Switch(ctx context.Context, v View, version string) error {
	if version != Next && version != Previous {
		return fmt.Errorf("switch %s to %s: %w", v.Name(), version, ErrNoVersion)
	}
	b := r.with([]View{v})
	release, err := b.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	s := versionSlot(v, version)
	ready, err := b.ready(ctx, s)
	if err == nil && !ready {
		err = ErrNoVersion
	}
	if err == nil {
		err = b.take(ctx, s)
	}
	if err != nil {
		return fmt.Errorf("switch %s to %s: %w", v.Name(), version, err)
	}
	return nil
}

// ready reports whether a version has tables that hold the log up to some position.
func (b *rebuild) ready(ctx context.Context, s slot) (ready bool, err error) {
	err = b.Pool.QueryRow(ctx, `
		select exists (select from aftercare.checkpoint where view = $1)
		   and exists (select from pg_catalog.pg_namespace where nspname = $2)
		   and not exists (select from aftercare.rebuild where view = $1 and not filled)`, s.key, s.schema).Scan(&ready)
	return ready, err
}

// Drop removes a version of a view that is not live: Next, Previous, or one that was made as of an instant. ErrNoVersion says that there is
// none. The view need not be one of the program's any more.
func (r *Rebuilder) Drop(ctx context.Context, view, version string) error {
	if version != Next && version != Previous {
		if err := validName(view, version); err != nil {
			return err
		}
	}
	v := named(view)
	b := r.with([]View{v})
	release, err := b.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	s := versionSlot(v, version)
	var there bool
	err = b.Pool.QueryRow(ctx, `
		select exists (select from aftercare.checkpoint where view = $1)
		    or exists (select from pg_catalog.pg_namespace where nspname = $2)`, s.key, s.schema).Scan(&there)
	if err == nil && !there {
		err = ErrNoVersion
	}
	if err == nil {
		err = b.drop(ctx, s)
	}
	if err != nil {
		return fmt.Errorf("drop version %s of %s: %w", version, view, err)
	}
	return nil
}

// named is a view of which no more is known than its name.
type named string

// Name returns the name.
func (n named) Name() string                                         { return string(n) }
func (named) Tables() string                                         { return "" }
func (named) Indexes() string                                        { return "" }
func (named) Handles(string) bool                                    { return false }
func (named) Apply(context.Context, pgx.Tx, []domain.Recorded) error { return nil }
func (named) Bulk() Bulk                                             { return nil }

// drop removes a version. Queries that still read it are waited for, a little at a time, so that nobody waits behind the drop.
func (b *rebuild) drop(ctx context.Context, s slot) error {
	return b.waitOut(ctx, func() error {
		return pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `set local lock_timeout = '200ms'`); err != nil {
				return err
			}
			if err := s.forget(ctx, tx); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "drop schema if exists "+s.quoted()+" cascade")
			return err
		})
	})
}
