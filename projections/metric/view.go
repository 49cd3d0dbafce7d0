package metric

import (
	"context"
	_ "embed" // the statements
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections"
)

//go:embed install.sql
var install string

// ViewName returns the name of a metric's view. Its tables are in the Postgres schema "view_metric_<name>".
func ViewName(metric string) string { return "metric_" + metric }

// View is a metric as the runner and the rebuilder take it.
type View struct {
	Definition

	// failed hears that live tables could not take a batch.
	failed func(context.Context, error)
}

// View returns the metric as a view that tells nobody of its failures.
func (d Definition) View() *View { return &View{Definition: d} }

// Name returns the name of the view, which is not that of the metric.
func (v *View) Name() string { return ViewName(v.Definition.Name) }

// Tables returns one statement that makes role, tables and grants. It refuses a metric that is not installed: a runner cannot bring
// one back that was dropped meanwhile.
func (v *View) Tables() string {
	var open []string
	for _, c := range v.Columns {
		if c.Privacy != Confidential {
			open = append(open, c.Name)
		}
	}
	return strings.NewReplacer(
		"{name}", literal(v.Definition.Name), "{create}", array(texts(v.creates)), "{result}", literal(v.Result),
		"{open}", array(open), "{mark}", literal(v.mark()),
		"{tag}", "install_"+v.fingerprint(), // no file has its own hash in it
	).Replace(install)
}

// Indexes returns nothing: those in create.sql are made with the tables, which apply.sql may need at once.
func (*View) Indexes() string { return "" }

// Handles reports whether the manifest names the type.
func (v *View) Handles(eventType string) bool { return v.Definition.Handles(eventType) }

// Bulk returns nil: only apply.sql knows how to fold.
func (*View) Bulk() projections.Bulk { return nil }

// Apply fails: events come to ApplyStored.
func (*View) Apply(context.Context, pgx.Tx, []domain.Recorded) error {
	return errors.New("a metric takes events as they are stored")
}

// ApplyStored gives a batch to apply.sql. An error of the metric's own wraps [projections.ErrBroken].
func (v *View) ApplyStored(ctx context.Context, tx pgx.Tx, events []codec.Raw) error {
	home, err := v.home(ctx, tx)
	if err != nil {
		return err
	}
	err = v.run(ctx, tx, home, events)
	if err == nil {
		return nil
	}
	if !ours(err) {
		return fmt.Errorf("metric %s: %w", v.Definition.Name, err)
	}
	fault := v.fault(err, events)
	if home == projections.Schema(v.Name()) && v.failed != nil {
		v.failed(ctx, fault)
	}
	return fault
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func array(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = literal(s)
	}
	return "array[" + strings.Join(quoted, ", ") + "]::text[]"
}
