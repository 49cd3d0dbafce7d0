package graph

import (
	"context"

	"aftercare/graph/model"
	"aftercare/projections/satisfaction"
	"aftercare/projections/sla"
	tickets "aftercare/projections/ticket"
	"aftercare/projections/timeline"
)

// SLAAttainment is the resolver for the slaAttainment field.
func (r *queryResolver) SLAAttainment(ctx context.Context, input model.SLAAttainmentInput, consistency *model.ConsistencyInput) ([]*model.SLAAttainmentRow, error) {
	filter, by, err := grouped(input.Filter, input.By)
	if err != nil {
		return nil, err
	}
	goal, err := goalOf(input.Goal, 1)
	if err != nil {
		return nil, err
	}
	if err := r.await(ctx, consistency, viewSLA); err != nil {
		return nil, err
	}
	found, err := sla.ComputeAttainment(ctx, r.DB, sla.Query{
		Filter: filter, Clocks: input.Clocks, Basis: bases[input.Basis], Cohort: cohorts[input.Cohort], GroupBy: by,
		Zone: input.Zone, From: instant(input.From), To: instant(input.Before), AsOf: instant(input.AsOf),
		FinishedOnly: input.FinishedOnly, Goal: goal,
	})
	if err != nil {
		return nil, err
	}
	rows := make([]*model.SLAAttainmentRow, len(found))
	for i, a := range found {
		rows[i] = &model.SLAAttainmentRow{
			Dimensions: dimensions(a.Group), Attainment: ratio(a.Ratio), Met: a.Met, MetLate: a.MetLate, Missed: a.Missed, OpenBreached: a.OpenBreached,
			Running: a.Running, Cancelled: a.Cancelled, Superseded: a.Superseded,
			OverrunP50: a.OverrunP50, OverrunP90: a.OverrunP90, OverrunP95: a.OverrunP95, Goal: judgement(a.Goal),
		}
	}
	return rows, nil
}

// CaseStatistics is the resolver for the caseStatistics field.
func (r *queryResolver) CaseStatistics(ctx context.Context, input model.CaseStatisticsInput, consistency *model.ConsistencyInput) ([]*model.CaseStatisticsRow, error) {
	filter, by, err := grouped(input.Filter, input.By)
	if err != nil {
		return nil, err
	}
	if err := r.await(ctx, consistency, viewTicket); err != nil {
		return nil, err
	}
	found, err := tickets.ComputeStats(ctx, r.DB, tickets.StatsQuery{Filter: filter, GroupBy: by, Zone: input.Zone})
	if err != nil {
		return nil, err
	}
	rows := make([]*model.CaseStatisticsRow, len(found))
	for i, s := range found {
		rows[i] = &model.CaseStatisticsRow{
			Dimensions: dimensions(s.Group), Cases: s.Cases, SourceRows: s.SourceRows, SourceRowsMean: s.SourceRowsMean,
			SourceRowsMedian: s.SourceRowsMedian, SourceRowsMax: s.SourceRowsMax,
			Reopened: ratio(s.Reopened), ReopenEvents: s.ReopenEvents,
			Reassigned: ratio(s.Reassigned), Reassignments: s.Reassignments, Resolved: ratio(s.Resolved),
		}
	}
	return rows, nil
}

// Durations is the resolver for the durations field.
func (r *queryResolver) Durations(ctx context.Context, input model.DurationsInput, consistency *model.ConsistencyInput) ([]*model.DurationsRow, error) {
	filter, by, err := grouped(input.Filter, input.By)
	if err != nil {
		return nil, err
	}
	from, err := milestone(input.From)
	if err != nil {
		return nil, err
	}
	to, err := milestone(input.To)
	if err != nil {
		return nil, err
	}
	if err := r.await(ctx, consistency, viewTicket, viewTimeline); err != nil {
		return nil, err
	}
	found, err := tickets.ComputeDurations(ctx, r.DB, tickets.DurationsQuery{
		Filter: filter, From: from, To: to, GroupBy: by, Zone: input.Zone, Local: input.WallClock,
	})
	if err != nil {
		return nil, err
	}
	rows := make([]*model.DurationsRow, len(found))
	for i, d := range found {
		rows[i] = &model.DurationsRow{
			Dimensions: dimensions(d.Group), Count: d.N, Total: d.Total, Mean: d.Mean, Median: d.Median, P90: d.P90, Min: d.Min, Max: d.Max,
		}
	}
	return rows, nil
}

// Dwell is the resolver for the dwell field.
func (r *queryResolver) Dwell(ctx context.Context, input model.DwellInput, consistency *model.ConsistencyInput) ([]*model.DwellRow, error) {
	filter, by, err := grouped(input.Filter, input.By)
	if err != nil {
		return nil, err
	}
	if err := r.await(ctx, consistency, viewTicket, viewTimeline); err != nil {
		return nil, err
	}
	found, err := timeline.ComputeDwell(ctx, r.DB, timeline.DwellQuery{Filter: filter, GroupBy: by, Zone: input.Zone})
	if err != nil {
		return nil, err
	}
	rows := make([]*model.DwellRow, len(found))
	for i, d := range found {
		rows[i] = &model.DwellRow{
			Status: d.Status, Dimensions: dimensions(d.Group), Stays: d.N, Cases: d.Cases,
			Total: d.Total, Mean: d.Mean, Median: d.Median, P90: d.P90,
		}
	}
	return rows, nil
}

// Satisfaction is the resolver for the satisfaction field.
func (r *queryResolver) Satisfaction(ctx context.Context, input model.SatisfactionInput, consistency *model.ConsistencyInput) ([]*model.SatisfactionRow, error) {
	filter, by, err := grouped(input.Filter, input.By)
	if err != nil {
		return nil, err
	}
	goal, err := goalOf(input.Goal, 100)
	if err != nil {
		return nil, err
	}
	if err := r.await(ctx, consistency, viewSatisfaction); err != nil {
		return nil, err
	}
	found, err := satisfaction.ComputeRatings(ctx, r.DB, satisfaction.Query{
		Filter: filter, GroupBy: by, Zone: input.Zone, From: instant(input.From), To: instant(input.Before),
		Conversion: conversions[input.Conversion], AllAnswers: input.AllAnswers, Goal: goal,
	})
	if err != nil {
		return nil, err
	}
	rows := make([]*model.SatisfactionRow, len(found))
	for i, s := range found {
		rows[i] = &model.SatisfactionRow{
			Dimensions: dimensions(s.Group), Count: s.N, Percent: mean(s.Percent), TopBox: ratio(s.TopBox),
			Sufficient: s.Sufficient, Goal: judgement(s.Goal),
		}
		if s.Mean != nil { // one scale: its greatest value may be 0
			rows[i].Min, rows[i].Max, rows[i].Mean = &s.Min, &s.Max, mean(*s.Mean)
		}
	}
	return rows, nil
}
