package ticket_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aftercare/domain"
	domainticket "aftercare/domain/ticket"
	"aftercare/projections/facet"
	"aftercare/projections/stat"
	"aftercare/projections/ticket"
	"aftercare/projections/viewtest"
)

// four are cases with 1, 2, 3 and 6 source rows; two came back, one of them twice; one was never resolved.
func four() viewtest.History {
	var h viewtest.History
	low, high := domainticket.Details{Priority: "low", Team: "one"}, domainticket.Details{Priority: "high", Team: "one"}
	row := func(hours float64, seq int, status string) domainticket.StatusRecorded {
		return domainticket.StatusRecorded{At: at(hours), Seq: seq, Status: status}
	}
	h.Case(1, domainticket.Received{At: at(0), Details: low}, row(0, 1, "New"))
	h.Case(2, domainticket.Received{At: at(0), Details: low}, row(0, 1, "New"), row(10, 2, "Done"), domainticket.Resolved{At: at(10)})
	h.Case(3, domainticket.Received{At: at(0), Details: low}, row(0, 1, "New"), row(20, 2, "Done"), domainticket.Resolved{At: at(20)},
		row(24, 3, "New"), domainticket.Reopened{At: at(24)}, domainticket.Responded{At: at(24), By: domainticket.Autoresponder},
		domainticket.Assigned{At: at(25), Team: "two"}, domainticket.Assigned{At: at(26), Team: "one"})
	// 16:30 UTC of 31 January is February in Shanghai.
	h.Case(4, domainticket.Received{At: at(632.5), Details: high, Source: &domainticket.Source{System: "old", Key: "4"}},
		row(632.5, 1, "New"), row(633, 2, "Done"), domainticket.Resolved{At: at(633)}, row(634, 3, "New"), domainticket.Reopened{At: at(634)},
		row(672.5, 4, "Done"), domainticket.Resolved{At: at(672.5)}, row(673, 5, "Open"), domainticket.Reopened{At: at(673)},
		row(680, 6, "Open"), domainticket.Classified{At: at(680), Details: domainticket.Details{Attributes: map[string]string{
			"resolved_at": "2026-02-01T17:30:00+08:00", "nonsense": "2026-02-31T00:00:00Z",
		}}})
	return h
}

func TestStatsCountCases(t *testing.T) {
	t.Parallel()
	pool := given(t, four())
	got, err := ticket.ComputeStats(t.Context(), pool, ticket.StatsQuery{})
	if err != nil {
		t.Fatal(err)
	}
	want := []ticket.Stats{{
		Cases: 4, SourceRows: 12, SourceRowsMean: 3, SourceRowsMedian: 2.5, SourceRowsMax: 6, Reopened: stat.Wilson(2, 4), ReopenEvents: 3,
		Reassigned: stat.Wilson(1, 4), Reassignments: 2, Resolved: stat.Wilson(3, 4),
	}}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("statistics differ (-want +got):\n%s", diff)
	}
}

func TestStatsAreGrouped(t *testing.T) {
	t.Parallel()
	pool := given(t, four())
	for name, c := range map[string]struct {
		query ticket.StatsQuery
		want  map[string]int64
	}{
		"priority":          {ticket.StatsQuery{GroupBy: []facet.By{{Dimension: facet.Priority}}}, map[string]int64{"low": 3, "high": 1}},
		"source":            {ticket.StatsQuery{GroupBy: []facet.By{{Dimension: facet.Source}}}, map[string]int64{"": 3, "old": 1}},
		"phase":             {ticket.StatsQuery{GroupBy: []facet.By{{Dimension: facet.Phase}}}, map[string]int64{"open": 3, "resolved": 1}},
		"attribute":         {ticket.StatsQuery{GroupBy: []facet.By{{Dimension: facet.Attribute, Name: "nonsense"}}}, map[string]int64{"": 3, "2026-02-31T00:00:00Z": 1}},
		"month in UTC":      {ticket.StatsQuery{GroupBy: []facet.By{{Dimension: facet.Month}}}, map[string]int64{"2026-01": 4}},
		"month in Shanghai": {ticket.StatsQuery{GroupBy: []facet.By{{Dimension: facet.Month}}, Zone: "Asia/Shanghai"}, map[string]int64{"2026-01": 3, "2026-02": 1}},
		"week":              {ticket.StatsQuery{GroupBy: []facet.By{{Dimension: facet.Week}}}, map[string]int64{"2026-W02": 3, "2026-W05": 1}},
		"year and day": {
			ticket.StatsQuery{GroupBy: []facet.By{{Dimension: facet.Year}, {Dimension: facet.Day}}},
			map[string]int64{"2026 2026-01-05": 3, "2026 2026-01-31": 1},
		},
		"filtered": {ticket.StatsQuery{GroupBy: []facet.By{{Dimension: facet.Team}}, Filter: facet.Filter{Priorities: []string{"high"}}}, map[string]int64{"one": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := ticket.ComputeStats(t.Context(), pool, c.query)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]int64{}
			for _, s := range all {
				var key []string
				for i, v := range s.Group {
					if v.By != c.query.GroupBy[i] {
						t.Errorf("coordinate %d is of %v, want %v", i, v.By, c.query.GroupBy[i])
					}
					key = append(key, v.Value)
				}
				got[strings.Join(key, " ")] = s.Cases
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("groups differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDurationsLieBetweenMilestones(t *testing.T) {
	t.Parallel()
	pool := given(t, four())
	received := ticket.Milestone{Kind: ticket.Fact, Fact: "received"}
	hour := func(h float64) *float64 { s := h * 3600; return &s }
	for name, c := range map[string]struct {
		query ticket.DurationsQuery
		want  []ticket.Durations
	}{
		// 10, 20 and 0.5 hours.
		"to the first resolution": {
			ticket.DurationsQuery{From: received, To: ticket.Milestone{Kind: ticket.Fact, Fact: "resolved"}},
			[]ticket.Durations{{N: 3, Total: 30.5 * 3600, Mean: hour(30.5 / 3), Median: hour(10), P90: hour(18), Min: hour(0.5), Max: hour(20)}},
		},
		// 10, 20 and 40 hours.
		"to the last resolution": {
			ticket.DurationsQuery{From: received, To: ticket.Milestone{Kind: ticket.Fact, Fact: "resolved", Last: true}},
			[]ticket.Durations{{N: 3, Total: 70 * 3600, Mean: hour(70.0 / 3), Median: hour(20), P90: hour(36), Min: hour(10), Max: hour(40)}},
		},
		"to a status of several words": {
			ticket.DurationsQuery{
				Filter: facet.Filter{Teams: []string{"one"}, Priorities: []string{"high"}}, From: received,
				To: ticket.Milestone{Kind: ticket.Status, Statuses: []string{"Open", "Nothing"}},
			},
			[]ticket.Durations{{N: 1, Total: 40.5 * 3600, Mean: hour(40.5), Median: hour(40.5), P90: hour(40.5), Min: hour(40.5), Max: hour(40.5)}},
		},
		"to an attribute": {
			ticket.DurationsQuery{From: received, To: ticket.Milestone{Kind: ticket.Attribute, Attribute: "resolved_at"}},
			[]ticket.Durations{{N: 1, Total: 17 * 3600, Mean: hour(17), Median: hour(17), P90: hour(17), Min: hour(17), Max: hour(17)}},
		},
		"to what is no instant":  {ticket.DurationsQuery{From: received, To: ticket.Milestone{Kind: ticket.Attribute, Attribute: "nonsense"}}, []ticket.Durations{{}}},
		"to an automatic answer": {ticket.DurationsQuery{From: received, To: ticket.Milestone{Kind: ticket.Fact, Fact: "responded"}}, []ticket.Durations{{}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ticket.ComputeDurations(t.Context(), pool, c.query)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
				t.Errorf("durations differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDurationsAreGrouped(t *testing.T) {
	t.Parallel()
	got, err := ticket.ComputeDurations(t.Context(), given(t, four()), ticket.DurationsQuery{
		From: ticket.Milestone{Kind: ticket.FirstEvent}, To: ticket.Milestone{Kind: ticket.LastEvent}, GroupBy: []facet.By{{Dimension: facet.Priority}},
	})
	if err != nil {
		t.Fatal(err)
	}
	totals := map[string]float64{}
	for _, d := range got {
		totals[d.Group[0].Value] = d.Total / 3600
	}
	if diff := cmp.Diff(map[string]float64{"high": 47.5, "low": 0 + 10 + 26}, totals); diff != "" {
		t.Errorf("hours differ (-want +got):\n%s", diff)
	}
}

func TestDurationsAreElapsedTimeUnlessLocal(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	// The night New York's clocks go from 2:00 to 3:00.
	h.Case(1, domainticket.Received{At: time.Date(2026, 3, 8, 6, 30, 0, 0, time.UTC)}, domainticket.Closed{At: time.Date(2026, 3, 8, 7, 30, 0, 0, time.UTC)})
	pool := given(t, h)
	q := ticket.DurationsQuery{From: ticket.Milestone{Kind: ticket.FirstEvent}, To: ticket.Milestone{Kind: ticket.Fact, Fact: "closed"}, Zone: "America/New_York"}
	for local, want := range map[bool]float64{false: 3600, true: 7200} {
		q.Local = local
		got, err := ticket.ComputeDurations(t.Context(), pool, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Total != want {
			t.Errorf("local %v: durations %+v, want %v seconds", local, got, want)
		}
	}
}

func TestABadQuestionIsRefused(t *testing.T) {
	t.Parallel()
	pool := given(t, four())
	first := ticket.Milestone{Kind: ticket.FirstEvent}
	for name, ask := range map[string]func() error{
		"unknown zone": func() error {
			_, err := ticket.ComputeStats(t.Context(), pool, ticket.StatsQuery{Zone: "Mars/Olympus"})
			return err
		},
		"clock of a case": func() error {
			_, err := ticket.ComputeStats(t.Context(), pool, ticket.StatsQuery{GroupBy: []facet.By{{Dimension: facet.Clock}}})
			return err
		},
		"attribute without a name": func() error {
			_, err := ticket.ComputeStats(t.Context(), pool, ticket.StatsQuery{GroupBy: []facet.By{{Dimension: facet.Attribute}}})
			return err
		},
		"unknown fact": func() error {
			_, err := ticket.ComputeDurations(t.Context(), pool, ticket.DurationsQuery{From: first, To: ticket.Milestone{Kind: ticket.Fact, Fact: "solved"}})
			return err
		},
		"status without a word": func() error {
			_, err := ticket.ComputeDurations(t.Context(), pool, ticket.DurationsQuery{From: first, To: ticket.Milestone{Kind: ticket.Status}})
			return err
		},
		"no milestone": func() error {
			_, err := ticket.ComputeDurations(t.Context(), pool, ticket.DurationsQuery{From: first})
			return err
		},
	} {
		var refusal *domain.Error
		if err := ask(); !errors.As(err, &refusal) || refusal.Kind != domain.Invalid {
			t.Errorf("%s: error %v, want a refusal", name, err)
		}
	}
}
