package graph

import (
	"strconv"
	"strings"

	"aftercare/domain"
	"aftercare/graph/model"
	"aftercare/projections/facet"
	"aftercare/projections/satisfaction"
	"aftercare/projections/sla"
	"aftercare/projections/stat"
	tickets "aftercare/projections/ticket"
)

var (
	bases = map[model.Basis]sla.Basis{
		model.BasisOurs: sla.Ours, model.BasisSourceTarget: sla.SourceTarget, model.BasisSourceVerdict: sla.SourceVerdict,
		model.BasisOursElseSourceTarget: sla.OursElseSourceTarget,
	}
	cohorts = map[model.Cohort]sla.Cohort{
		model.CohortDue: sla.Due, model.CohortReceived: sla.Received, model.CohortFinished: sla.Finished,
	}
	conversions = map[model.Conversion]satisfaction.Conversion{
		model.ConversionToRatio: satisfaction.ToRatio, model.ConversionToRange: satisfaction.ToRange,
	}
)

// maxDimensions bounds by how many dimensions rows are told apart.
const maxDimensions = 4

func groupBy(by []*model.GroupBy) ([]facet.By, error) {
	if len(by) > maxDimensions {
		return nil, domain.Refuse(domain.Invalid, "dimensions.too-many", "max", "4")
	}
	list := make([]facet.By, len(by))
	for i, b := range by {
		d, err := facet.ParseDimension(strings.ToLower(string(b.Dimension)))
		if err != nil {
			return nil, err
		}
		if (d == facet.Attribute) != (text(b.Attribute) != "") {
			return nil, domain.Refuse(domain.Invalid, "dimension.attribute-name")
		}
		list[i] = facet.By{Dimension: d, Name: text(b.Attribute)}
	}
	return list, nil
}

// dimensions shows the coordinates of a group: attributes under their own names.
func dimensions(group []facet.Value) []*model.Attribute {
	list := make([]*model.Attribute, len(group))
	for i, v := range group {
		name := v.Dimension.String()
		if v.Dimension == facet.Attribute {
			name = v.Name
		}
		list[i] = &model.Attribute{Name: name, Value: v.Value}
	}
	return list
}

func milestone(m *model.MilestoneInput) (tickets.Milestone, error) {
	given := 0
	for _, ok := range []bool{m.Fact != nil, len(m.Status) > 0, m.Attribute != nil, truth(m.FirstEvent), truth(m.LastEvent)} {
		if ok {
			given++
		}
	}
	if given != 1 {
		return tickets.Milestone{}, domain.Refuse(domain.Invalid, "milestone.one-of")
	}
	switch {
	case m.Fact != nil:
		return tickets.Milestone{Kind: tickets.Fact, Fact: *m.Fact, Last: m.Last}, nil
	case len(m.Status) > 0:
		return tickets.Milestone{Kind: tickets.Status, Statuses: m.Status, Last: m.Last}, nil
	case m.Attribute != nil:
		return tickets.Milestone{Kind: tickets.Attribute, Attribute: *m.Attribute}, nil
	case truth(m.FirstEvent):
		return tickets.Milestone{Kind: tickets.FirstEvent}, nil
	}
	return tickets.Milestone{Kind: tickets.LastEvent}, nil
}

func ratio(r stat.Ratio) *model.Ratio {
	return &model.Ratio{
		Numerator: r.Numerator, Denominator: r.Denominator, Value: r.Value, Low: r.Low, High: r.High, Method: r.Method,
	}
}

func mean(m stat.Mean) *model.Mean {
	return &model.Mean{Count: m.N, Value: m.Value, Low: m.Low, High: m.High, Deviation: m.Deviation, Method: m.Method}
}

func judgement(g stat.Goal) *model.Goal {
	if g == 0 {
		return nil
	}
	shown := model.Goal(strings.ToUpper(g.String()))
	return &shown
}

// goalOf reads what to judge by. It refuses what no figure can reach or miss.
func goalOf(f *float64, highest float64) (float64, error) {
	if f == nil {
		return 0, nil
	}
	if !(*f > 0 && *f <= highest) {
		return 0, domain.Refuse(domain.Invalid, "goal.out-of-range", "max", strconv.FormatFloat(highest, 'f', -1, 64))
	}
	return *f, nil
}

func truth(b *bool) bool { return b != nil && *b }

func grouped(f *model.TicketFilter, by []*model.GroupBy) (facet.Filter, []facet.By, error) {
	filter, err := filterOf(f)
	if err != nil {
		return facet.Filter{}, nil, err
	}
	list, err := groupBy(by)
	return filter, list, err
}
