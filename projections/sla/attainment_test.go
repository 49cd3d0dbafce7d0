package sla_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aftercare/domain"
	"aftercare/domain/clock"
	domainticket "aftercare/domain/ticket"
	"aftercare/projections/facet"
	"aftercare/projections/sla"
	"aftercare/projections/stat"
	"aftercare/projections/viewtest"
)

// mixed has, of ours: met, late by 1 h, late by 3 h, breached, running, cancelled, superseded; of targets: one beside a
// clock of ours, one on time, one late by 2 h, one open; of verdicts: one met, one missed.
func mixed() viewtest.History {
	var h viewtest.History
	received := func(priority string) domainticket.Received {
		return domainticket.Received{At: at(0), Details: domainticket.Details{Priority: priority}}
	}
	target := clock.TargetRecorded{At: at(0), Clock: "resolution", Due: at(8), Source: "old"}
	h.Case(1, received("low"), started(1, 0, 8), target, domainticket.Resolved{At: at(8)}, clock.Met{At: at(8), Instance: 1, Due: at(8), Elapsed: 1})
	h.Case(2, received("low"), started(1, 0, 8), clock.MetLate{At: at(9), Instance: 1, Due: at(8), Elapsed: 1, Overrun: 3600})
	h.Case(3, received("high"), started(1, 0, 8), clock.MetLate{At: at(11), Instance: 1, Due: at(8), Elapsed: 1, Overrun: 3 * 3600})
	h.Case(4, received("high"), started(1, 0, 8), clock.Breached{At: at(8), Instance: 1})
	h.Case(5, received("high"), started(1, 0, 660), clock.Superseded{At: at(1), Instance: 1, By: 2}, started(2, 1, 650))
	h.Case(6, received("high"), started(1, 0, 8), clock.Cancelled{At: at(1), Instance: 1})
	h.Case(7, received("low"), target, domainticket.Closed{At: at(7)}, clock.VerdictRecorded{At: at(9), Clock: "resolution", Met: true, Source: "old"})
	h.Case(8, received("low"), target, domainticket.Closed{At: at(10)}, clock.VerdictRecorded{At: at(9), Clock: "resolution", Met: false, Source: "old"})
	h.Case(9, received("high"), target)
	return h
}

func TestAttainmentTakesTheBasisAskedFor(t *testing.T) {
	t.Parallel()
	pool := given(t, mixed())
	hours := func(h float64) *float64 { s := h * 3600; return &s }
	ours := sla.Attainment{
		Ratio: stat.Wilson(1, 4), Met: 1, MetLate: 2, OpenBreached: 1, Running: 1, Cancelled: 1, Superseded: 1,
		OverrunP50: hours(2), OverrunP90: hours(2.8), OverrunP95: hours(2.9),
	}
	month := []facet.By{{Dimension: facet.Month}}
	for name, c := range map[string]struct {
		query sla.Query
		want  []sla.Attainment
	}{
		"ours": {sla.Query{}, []sla.Attainment{ours}},
		"targets": {sla.Query{Basis: sla.SourceTarget}, []sla.Attainment{{
			Ratio: stat.Wilson(2, 3), Met: 2, MetLate: 1, Running: 1, OverrunP50: hours(2), OverrunP90: hours(2), OverrunP95: hours(2),
		}}},
		"targets as of a day": {sla.Query{Basis: sla.SourceTarget, AsOf: at(24)}, []sla.Attainment{{
			Ratio: stat.Wilson(2, 4), Met: 2, MetLate: 1, OpenBreached: 1, OverrunP50: hours(2), OverrunP90: hours(2), OverrunP95: hours(2),
		}}},
		"verdicts": {sla.Query{Basis: sla.SourceVerdict, Cohort: sla.Received, From: at(0)}, []sla.Attainment{{Ratio: stat.Wilson(1, 2), Met: 1, Missed: 1}}},
		// Case 1 counts once, by our clock.
		"ours, else targets, finished": {
			sla.Query{Basis: sla.OursElseSourceTarget, FinishedOnly: true},
			[]sla.Attainment{{Ratio: stat.Wilson(2, 5), Met: 2, MetLate: 3, OverrunP50: hours(2), OverrunP90: hours(2.8), OverrunP95: hours(2.9)}},
		},
		"by priority": {sla.Query{GroupBy: []facet.By{{Dimension: facet.Priority}}, FinishedOnly: true, Goal: 0.9}, []sla.Attainment{
			{
				Group: []facet.Value{{By: facet.By{Dimension: facet.Priority}, Value: "high"}}, Ratio: stat.Wilson(0, 1), MetLate: 1,
				OverrunP50: hours(3), OverrunP90: hours(3), OverrunP95: hours(3), Goal: stat.Missed,
			},
			{
				Group: []facet.Value{{By: facet.By{Dimension: facet.Priority}, Value: "low"}}, Ratio: stat.Wilson(1, 2), Met: 1, MetLate: 1,
				OverrunP50: hours(1), OverrunP90: hours(1), OverrunP95: hours(1), Goal: stat.Undecided,
			},
		}},
		// Due at 650 and 660 hours, on the first of February.
		"due in February": {sla.Query{From: at(640), GroupBy: append(month, facet.By{Dimension: facet.Clock})}, []sla.Attainment{
			{
				Group: []facet.Value{{By: month[0], Value: "2026-02"}, {By: facet.By{Dimension: facet.Clock}, Value: "resolution"}},
				Ratio: stat.Wilson(0, 0), Running: 1, Superseded: 1,
			},
		}},
		"finished in a window":  {sla.Query{Cohort: sla.Finished, From: at(8), To: at(9)}, []sla.Attainment{{Ratio: stat.Wilson(1, 1), Met: 1}}},
		"no such clock":         {sla.Query{Clocks: []string{"first_response"}}, []sla.Attainment{{Ratio: stat.Wilson(0, 0)}}},
		"by what a case is now": {sla.Query{Filter: facet.Filter{Phases: []domainticket.Phase{domainticket.Done}}}, []sla.Attainment{{Ratio: stat.Wilson(1, 1), Met: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := sla.ComputeAttainment(t.Context(), pool, c.query)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
				t.Errorf("attainment differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAVerdictHasNoDueTime(t *testing.T) {
	t.Parallel()
	pool := given(t, mixed())
	for name, q := range map[string]sla.Query{
		"window":          {Basis: sla.SourceVerdict, From: at(0)},
		"period":          {Basis: sla.SourceVerdict, GroupBy: []facet.By{{Dimension: facet.Year}}},
		"unknown basis":   {Basis: 99},
		"unknown cohort":  {Cohort: 99},
		"unknown zone":    {Zone: "nowhere"},
		"unknown grouped": {GroupBy: []facet.By{{Dimension: 99}}},
	} {
		_, err := sla.ComputeAttainment(t.Context(), pool, q)
		var refusal *domain.Error
		if !errors.As(err, &refusal) || refusal.Kind != domain.Invalid {
			t.Errorf("%s: error %v, want a refusal", name, err)
		}
	}
}
