package satisfaction_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/domain/seal"
	domainticket "aftercare/domain/ticket"
	"aftercare/projections/facet"
	"aftercare/projections/page"
	"aftercare/projections/postgres/pgtest"
	"aftercare/projections/satisfaction"
	"aftercare/projections/stat"
	"aftercare/projections/ticket"
	"aftercare/projections/viewtest"
)

func given(t *testing.T, h viewtest.History) *pgxpool.Pool {
	t.Helper()
	pool := pgtest.Pool(t)
	viewtest.Live(t, pool, ticket.View(), h.Events)
	viewtest.Live(t, pool, satisfaction.View(), h.Events)
	return pool
}

func rated(hours float64, score int, team string) domainticket.Rated {
	return domainticket.Rated{At: viewtest.At(hours), Score: score, Min: 1, Max: 5, Team: team}
}

// hundred is the example of metrics.md §5: 60×5, 25×4, 10×3, 3×2, 2×1, the first forty for team one.
func hundred() viewtest.History {
	var h viewtest.History
	n := 0
	for _, c := range []struct{ times, score int }{{60, 5}, {25, 4}, {10, 3}, {3, 2}, {2, 1}} {
		for range c.times {
			team := "two"
			if n < 40 {
				team = "one"
			}
			h.Case(n, domainticket.Received{At: viewtest.At(0)}, rated(1, c.score, team))
			n++
		}
	}
	return h
}

func one(t *testing.T, pool *pgxpool.Pool, q satisfaction.Query) satisfaction.Ratings {
	t.Helper()
	all, err := satisfaction.ComputeRatings(t.Context(), pool, q)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 {
		t.Fatalf("%d groups, want 1", len(all))
	}
	return all[0]
}

func TestAHundredRatingsLeaveTheGoalUndecided(t *testing.T) {
	t.Parallel()
	pool := given(t, hundred())
	got := one(t, pool, satisfaction.Query{Goal: 90})
	if got.N != 100 || got.Min != 1 || got.Max != 5 || !got.Sufficient || got.Goal != stat.Undecided {
		t.Errorf("ratings = %+v, want 100 on 1..5, undecided", got)
	}
	if got.Mean == nil || math.Abs(*got.Mean.Value-4.38) > 1e-9 || math.Abs(*got.Mean.Low-4.20) > 0.01 || math.Abs(*got.Mean.High-4.56) > 0.01 {
		t.Errorf("mean = %+v, want 4.38 within 4.20 and 4.56", got.Mean)
	}
	if diff := cmp.Diff(stat.Wilson(85, 100), got.TopBox); diff != "" {
		t.Errorf("top box differs (-want +got):\n%s", diff)
	}
	if math.Abs(*got.Percent.Value-87.6) > 1e-9 {
		t.Errorf("percent by ratio = %v, want 87.6", *got.Percent.Value)
	}
	got = one(t, pool, satisfaction.Query{Conversion: satisfaction.ToRange})
	if math.Abs(*got.Percent.Value-84.5) > 1e-9 || got.Goal != 0 {
		t.Errorf("percent by range = %v, goal %v, want 84.5 and none", *got.Percent.Value, got.Goal)
	}
}

func TestAnAnswerLearnedLateIsNotTheLast(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	h.Case(1, domainticket.Received{At: viewtest.At(0)}, rated(5, 5, ""), rated(2, 1, ""))
	pool := given(t, h)
	if got := one(t, pool, satisfaction.Query{}); got.N != 1 || *got.Mean.Value != 5 {
		t.Errorf("ratings = %+v, want only the last answer, a 5", got)
	}
	if got := one(t, pool, satisfaction.Query{AllAnswers: true}); got.N != 2 {
		t.Errorf("%d answers, want both", got.N)
	}
}

func TestAScaleBelowZeroHasARangeButNoRatio(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	h.Case(1, domainticket.Received{At: viewtest.At(0)}, domainticket.Rated{At: viewtest.At(1), Score: 1, Min: -2, Max: 2})
	h.Case(2, domainticket.Received{At: viewtest.At(0)}, domainticket.Rated{At: viewtest.At(1), Score: -2, Min: -2, Max: 2})
	pool := given(t, h)
	if got := one(t, pool, satisfaction.Query{}); got.Percent.N != 0 {
		t.Errorf("percent by ratio = %+v, want none", got.Percent)
	}
	if got := one(t, pool, satisfaction.Query{Conversion: satisfaction.ToRange}); got.Percent.N != 2 || *got.Percent.Value != 37.5 {
		t.Errorf("percent by range = %+v, want 37.5", got.Percent)
	}
}

func TestAScaleOfAnySizeStopsNoFigure(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	h.Case(1, domainticket.Received{At: viewtest.At(0)},
		domainticket.Rated{At: viewtest.At(1), Score: 5, Min: math.MinInt64, Max: math.MaxInt64})
	h.Case(2, domainticket.Received{At: viewtest.At(0)},
		domainticket.Rated{At: viewtest.At(1), Score: 1, Min: math.MinInt32, Max: math.MaxInt32})
	pool := given(t, h)
	for _, c := range []satisfaction.Conversion{satisfaction.ToRatio, satisfaction.ToRange} {
		if got := one(t, pool, satisfaction.Query{Conversion: c}); got.N != 2 {
			t.Errorf("ratings = %+v, want 2", got)
		}
	}
}

func TestRatingsBelongToWhomTheEventSays(t *testing.T) {
	t.Parallel()
	got, err := satisfaction.ComputeRatings(t.Context(), given(t, hundred()), satisfaction.Query{GroupBy: []facet.By{{Dimension: facet.Team}}})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int64{}
	for _, r := range got {
		counts[r.Group[0].Value] = r.N
	}
	if diff := cmp.Diff(map[string]int64{"one": 40, "two": 60}, counts); diff != "" {
		t.Errorf("ratings differ (-want +got):\n%s", diff)
	}
}

func TestTheLastRatingOfACaseCounts(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	h.Case(1, domainticket.Received{At: viewtest.At(0)}, rated(1, 1, ""), rated(2, 5, ""))
	// 16:30 UTC of 31 January is February in Shanghai.
	h.Case(2, domainticket.Received{At: viewtest.At(0)}, rated(632.5, 4, ""))
	pool := given(t, h)
	if got := one(t, pool, satisfaction.Query{}); got.N != 2 || *got.Mean.Value != 4.5 || got.Sufficient {
		t.Errorf("last ratings = %+v, want 2 with mean 4.5, insufficient", got)
	}
	if got := one(t, pool, satisfaction.Query{AllAnswers: true, To: viewtest.At(600)}); got.N != 2 || *got.Mean.Value != 3 {
		t.Errorf("all ratings = %+v, want 2 with mean 3", got)
	}
	months, err := satisfaction.ComputeRatings(t.Context(), pool, satisfaction.Query{GroupBy: []facet.By{{Dimension: facet.Month}}, Zone: "Asia/Shanghai"})
	if err != nil {
		t.Fatal(err)
	}
	if len(months) != 2 || months[1].Group[0].Value != "2026-02" {
		t.Errorf("months = %+v, want January and February", months)
	}
}

func TestScalesAreNotMixed(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	h.Case(1, domainticket.Received{At: viewtest.At(0)}, rated(1, 5, ""))
	h.Case(2, domainticket.Received{At: viewtest.At(0)}, domainticket.Rated{At: viewtest.At(1), Score: 5, Min: 0, Max: 10})
	got := one(t, given(t, h), satisfaction.Query{})
	if got.Mean != nil || got.Min != 0 || got.Max != 0 || *got.Percent.Value != 75 || got.TopBox.Numerator != 1 {
		t.Errorf("ratings on two scales = %+v, want no mean, 75 percent, one at the top", got)
	}
}

func TestNoRatingsAreOneEmptyGroup(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	h.Case(1, domainticket.Received{At: viewtest.At(0)})
	got := one(t, given(t, h), satisfaction.Query{Goal: 90})
	if got.N != 0 || got.Mean != nil || got.Percent.Value != nil || got.TopBox.Value != nil || got.Goal != stat.Undecided {
		t.Errorf("no ratings = %+v, want nothing", got)
	}
}

func TestRatingsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	first := rated(1, 1, "one")
	first.Comment = seal.New("li", "never again")
	second := rated(2, 5, "two")
	second.Comment = viewtest.Forgotten("li")
	h.Case(1, domainticket.Received{At: viewtest.At(0), Details: domainticket.Details{Priority: "high", Team: "three"}}, first, second)
	h.Case(2, domainticket.Received{At: viewtest.At(0)}, rated(3, 4, ""), rated(3, 3, ""))
	pool := given(t, h)
	got, err := satisfaction.OfTickets(t.Context(), pool, []domain.UUID{viewtest.ID(1)})
	if err != nil {
		t.Fatal(err)
	}
	want := []satisfaction.Rating{
		{Ticket: viewtest.ID(1), Revision: 1, At: viewtest.At(1), Score: 1, Min: 1, Max: 5, Comment: "never again", Team: "one", ReceivedAt: viewtest.At(0), Priority: "high"},
		{Ticket: viewtest.ID(1), Revision: 2, At: viewtest.At(2), Score: 5, Min: 1, Max: 5, CommentForgotten: true, Latest: true, Team: "two", ReceivedAt: viewtest.At(0), Priority: "high"},
	}
	if diff := cmp.Diff(want, got[viewtest.ID(1)], cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("ratings differ (-want +got):\n%s", diff)
	}
	var forward, backward []int
	q := satisfaction.ListQuery{Page: page.Page{First: 3}}
	for more := true; more; {
		list, err := satisfaction.Find(t.Context(), pool, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list.Rows {
			forward = append(forward, r.Score)
		}
		q.Page.After, more = list.Cursors[len(list.Cursors)-1], list.HasNext
	}
	q = satisfaction.ListQuery{Page: page.Page{Last: 3}}
	for more := true; more; {
		list, err := satisfaction.Find(t.Context(), pool, q)
		if err != nil {
			t.Fatal(err)
		}
		var scores []int
		for _, r := range list.Rows {
			scores = append(scores, r.Score)
		}
		backward = append(scores, backward...)
		q.Page.Before, more = list.Cursors[0], list.HasPrevious
	}
	if diff := cmp.Diff([]int{3, 4, 5, 1}, forward); diff != "" {
		t.Errorf("pages forward differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{3, 4, 5, 1}, backward); diff != "" {
		t.Errorf("pages backward differ (-want +got):\n%s", diff)
	}
}
