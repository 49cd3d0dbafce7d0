package metric

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Roles are of the whole server, so their names have the number of the database in them; install.sql makes them.

// ErrRoles says that the database user may not make the roles that metrics need.
var ErrRoles = errors.New("metrics run under database roles of their own, which this database user may not make")

// mayMakeRoles returns ErrRoles, and what an administrator is to be asked for, when the user cannot make roles.
func mayMakeRoles(ctx context.Context, tx pgx.Tx) error {
	var (
		may  bool
		user string
	)
	err := tx.QueryRow(ctx, `select rolsuper or rolcreaterole, quote_ident(rolname) from pg_catalog.pg_roles where rolname = current_user`).Scan(&may, &user)
	if err != nil {
		return fmt.Errorf("look at the database user: %w", err)
	}
	if !may {
		return fmt.Errorf("%w: ask its administrator for `alter role %s createrole`", ErrRoles, user)
	}
	return nil
}

const (
	database   = `(select oid from pg_catalog.pg_database where datname = current_database())`
	metricRole = `'aftercare_metric_' || ` + database + ` || '_' || $1`
	readerRole = `'aftercare_bi_' || ` + database
)

// dropRole drops the role of a metric, which owns nothing any more.
func dropRole(ctx context.Context, tx pgx.Tx, name string) error {
	var role string
	err := tx.QueryRow(ctx, `select rolname from pg_catalog.pg_roles where rolname = `+metricRole, name).Scan(&role)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	quoted := pgx.Identifier{role}.Sanitize()
	_, err = tx.Exec(ctx, "drop owned by "+quoted+"; drop role "+quoted)
	return err
}

// Grant lets a role of the server, such as that of a tool for business intelligence, read the results of all metrics, those of
// later versions and metrics too, without confidential columns. It returns the name of the role it was made a member of.
func (s *Store) Grant(ctx context.Context, to string) (string, error) {
	var group string
	err := pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		if err := mayMakeRoles(ctx, tx); err != nil {
			return err
		}
		var there bool
		err := tx.QueryRow(ctx, `select name, exists (select from pg_catalog.pg_roles where rolname = name) from (select `+readerRole+`) r (name)`).Scan(&group, &there)
		if err != nil {
			return err
		}
		if !there {
			if _, err := tx.Exec(ctx, "create role "+pgx.Identifier{group}.Sanitize()+" nologin"); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, "grant "+pgx.Identifier{group}.Sanitize()+" to "+pgx.Identifier{to}.Sanitize())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("let %s read the metrics: %w", to, err)
	}
	return group, nil
}
