package fold

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
)

// bulk holds the rows of the streams of one partition of a rebuild.
type bulk[R any] struct {
	view *View[R]
	rows map[string][]R
	flat []R
}

// Add folds one event.
func (b *bulk[R]) Add(e domain.Recorded) error {
	if b.view.AppendOnly {
		more, err := b.view.Fold(b.flat[len(b.flat):], e)
		if err != nil {
			return fmt.Errorf("fold %s at %d@%s: %w", e.Type, e.Revision, e.Stream, err)
		}
		b.flat = append(b.flat, more...)
		return nil
	}
	folded, err := b.view.Fold(b.rows[e.Stream], e)
	if err != nil {
		return fmt.Errorf("fold %s at %d@%s: %w", e.Type, e.Revision, e.Stream, err)
	}
	b.rows[e.Stream] = folded
	return nil
}

// Copy writes the rows, those of one stream together.
func (b *bulk[R]) Copy(ctx context.Context, tx pgx.Tx) error {
	all := b.flat
	for _, stream := range slices.Sorted(maps.Keys(b.rows)) {
		all = append(all, b.rows[stream]...)
	}
	return b.view.copy(ctx, tx, all)
}
