package projections_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/projections"
	"aftercare/projections/fold"
)

// narrow keeps a row an event, of numbers that fit four bytes.
func narrow() projections.View {
	return &fold.View[line]{
		ID: "narrow", Table: "line", AppendOnly: true,
		Create:  `create table line (stream text not null, revision bigint not null, n integer not null)`,
		Index:   `create unique index on line (stream, revision)`,
		Types:   []string{added{}.EventType()},
		Columns: []string{"stream", "revision", "n"},
		Fields:  func(r *line) []any { return []any{&r.Stream, &r.Revision, &r.N} },
		Fold: func(_ []line, e domain.Recorded) ([]line, error) {
			a, ok := e.Event.(added)
			if !ok {
				return nil, nil
			}
			return []line{{e.Stream, int64(e.Revision), int64(a.N)}}, nil //nolint:gosec // small
		},
	}
}

func TestAnEventWhoseRowDoesNotFitIsParked(t *testing.T) {
	t.Parallel()
	b := newBench(t, narrow())
	b.start(b.runner())
	b.add("sum-1", 1)
	b.add("sum-2", 1<<40)
	b.wait(b.add("sum-1", 3), "narrow")
	if got := b.parked(); got != 1 {
		t.Errorf("got %d parked events, want 1", got)
	}
	got := query[struct{ N int64 }](b, `select n from view_narrow.line order by revision`)
	if diff := cmp.Diff([]struct{ N int64 }{{1}, {3}}, got); diff != "" {
		t.Errorf("rows, -want +got:\n%s", diff)
	}
}
