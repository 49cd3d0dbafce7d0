package satisfaction_test

import (
	"testing"

	"pgregory.net/rapid"

	"aftercare/projections/postgres/pgtest"
	"aftercare/projections/satisfaction"
	"aftercare/projections/viewtest"
)

func TestARebuildGivesTheLiveRows(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	rapid.Check(t, func(rt *rapid.T) {
		viewtest.LiveIsRebuild(rt, pool, satisfaction.View(), "answer", viewtest.Batches(rt))
	})
}
