package ticket

import (
	"aftercare/projections/facet"
	"aftercare/projections/stat"
)

// StatsQuery asks for counts of cases. Months and years are those of receipt in Zone, which defaults to UTC.
type StatsQuery struct {
	Filter  facet.Filter
	GroupBy []facet.By
	Zone    string
}

// Stats are the counts of one group of cases.
type Stats struct {
	Group []facet.Value
	Cases int64
	// SourceRows counts the rows of the cases' histories in the systems they came from; the mean, median and maximum are
	// per case.
	SourceRows       int64
	SourceRowsMean   float64
	SourceRowsMedian float64
	SourceRowsMax    int64
	// Reopened are the cases that came back at least once, ReopenEvents how often that happened.
	Reopened     stat.Ratio
	ReopenEvents int64
	// Reassigned are the cases whose team or agent changed after the first.
	Reassigned    stat.Ratio
	Reassignments int64
	// Resolved are the cases that were resolved at least once.
	Resolved stat.Ratio
}

// MilestoneKind says what a milestone is.
type MilestoneKind uint8

// The kinds of milestone.
const (
	// Fact is a fact of the case, such as "received" or "resolved".
	Fact MilestoneKind = iota + 1
	// Status is a row of the history in the system the case came from, with one of these words.
	Status
	// FirstEvent is the earliest fact.
	FirstEvent
	// LastEvent is the latest fact.
	LastEvent
	// Attribute is an attribute of the case that holds an instant in the form of RFC 3339, such as a time that only a
	// column of the source knows.
	Attribute
)

// Milestone is an instant in the life of a case.
type Milestone struct {
	Kind MilestoneKind
	// Fact is the name of the fact: the middle of the stored name of its event, such as "received", "responded",
	// "resolved", "closed". The answer of a program is not a response.
	Fact string
	// Statuses are the words, verbatim, of which any is meant.
	Statuses []string
	// Attribute is the name of the attribute.
	Attribute string
	// Last takes the last occurrence. Defaults to the first.
	Last bool
}

// DurationsQuery asks for the time between two milestones, over the cases that have both. Months and years are those of
// receipt in Zone, which defaults to UTC.
type DurationsQuery struct {
	Filter  facet.Filter
	From    Milestone
	To      Milestone
	GroupBy []facet.By
	Zone    string
	// Local measures on the clocks of Zone: from 1:30 to 3:30 is two hours, also in the night that skips one of them. By
	// default it is one: durations are elapsed time.
	Local bool
}

// Durations describe the time between two instants, in seconds. Without cases the figures are nil. Percentiles interpolate.
type Durations struct {
	Group  []facet.Value
	N      int64
	Total  float64
	Mean   *float64
	Median *float64
	P90    *float64
	Min    *float64
	Max    *float64
}
