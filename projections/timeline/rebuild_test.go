package timeline_test

import (
	"testing"

	"pgregory.net/rapid"

	"aftercare/projections/postgres/pgtest"
	"aftercare/projections/timeline"
	"aftercare/projections/viewtest"
)

func TestARebuildGivesTheLiveRows(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	rapid.Check(t, func(rt *rapid.T) {
		viewtest.LiveIsRebuild(rt, pool, timeline.View(), "entry", viewtest.Batches(rt))
	})
}
