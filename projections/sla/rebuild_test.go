package sla_test

import (
	"testing"

	"pgregory.net/rapid"

	"aftercare/projections/postgres/pgtest"
	"aftercare/projections/sla"
	"aftercare/projections/viewtest"
)

func TestARebuildGivesTheLiveRows(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	rapid.Check(t, func(rt *rapid.T) {
		viewtest.LiveIsRebuild(rt, pool, sla.View(), "promise", viewtest.Batches(rt))
	})
}
