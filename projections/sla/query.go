package sla

import (
	"encoding/json"
	"time"

	"aftercare/domain"
	"aftercare/projections/facet"
	"aftercare/projections/stat"
)

// Instance is one clock of a case.
type Instance struct {
	Ticket domain.UUID
	// Instance numbers our clocks of the case from 1; it is 0 for what a source recorded.
	Instance int
	Clock    string
	Origin   Origin
	// Source names the system that recorded a target or verdict.
	Source string
	// Definition and Calendar, with their versions, are what the promise was made under.
	Definition        string
	DefinitionVersion int
	Calendar          string
	CalendarVersion   int
	// StartedAt is when counting began; nil for a source's verdict.
	StartedAt *time.Time
	// DueAt is the due time as of the last pause, PromisedDueAt as first promised.
	DueAt         *time.Time
	PromisedDueAt *time.Time
	StoppedAt     *time.Time
	BreachedAt    *time.Time
	Verdict       Verdict
	// Paused reports that time does not count at present, for PauseReason.
	Paused      bool
	PauseReason string
	// ElapsedSeconds and OverrunSeconds are counted time for our clocks and wall time for a source's target; nil before the
	// verdict and for a source's verdict.
	ElapsedSeconds *int64
	OverrunSeconds *int64
	// PausedSeconds is wall time in finished pauses.
	PausedSeconds int64
	// Supersedes and SupersededBy are instances, 0 for none. Reason is why it was cancelled or superseded.
	Supersedes   int
	SupersededBy int
	Reason       string
	// Promise is the promise as recorded, a clock.Promise; Counted are the open stretches up to DueAt, []clock.Span.
	Promise json.RawMessage
	Counted json.RawMessage
	// ReceivedAt and the dimensions are those of the case: see the package.
	ReceivedAt  time.Time
	CaseSource  string
	Kind        string
	Channel     string
	Priority    string
	Category    string
	Subcategory string
	Product     string
	Location    string
	Team        string
	Agent       string
}

// Cohort says which instances a window and a month choose.
type Cohort uint8

// The cohorts. The zero Cohort is Due, so that a month cannot look good because its late cases are still open.
const (
	Due Cohort = iota + 1
	Received
	Finished
)

// Basis says whose promises and verdicts count.
type Basis uint8

// The bases. The zero Basis is Ours.
const (
	// Ours are the clocks that ran here.
	Ours Basis = iota + 1
	// SourceTarget judges the due times that sources had set by what happened.
	SourceTarget
	// SourceVerdict repeats what sources said.
	SourceVerdict
	// OursElseSourceTarget takes, for each clock of a case, ours where there is one, and the source's target elsewhere.
	OursElseSourceTarget
)

// Query asks for attainment.
type Query struct {
	Filter facet.Filter
	// Clocks leaves out other clocks; empty means all.
	Clocks  []string
	Basis   Basis
	Cohort  Cohort
	GroupBy []facet.By
	// Zone is the reporting zone of months and years. Defaults to UTC.
	Zone string
	// From and To bound the instant of the cohort: from, inclusive, to, exclusive. Zero is unbounded.
	From, To time.Time
	// AsOf is the present of the report: what runs and was due before counts as breached. When zero, only recorded breaches do.
	AsOf time.Time
	// FinishedOnly leaves out what still runs, breached or not.
	FinishedOnly bool
	// Goal, between 0 and 1, is what the ratio is judged against; zero for none.
	Goal float64
}

// Attainment is how one group of promises was kept.
type Attainment struct {
	Group []facet.Value
	// Ratio is met among met, met late, open breached and missed.
	Ratio stat.Ratio
	// Met, MetLate, OpenBreached and, of sources' verdicts, Missed are its parts; Running, Cancelled and Superseded are left
	// out of it.
	Met          int64
	MetLate      int64
	OpenBreached int64
	Missed       int64
	Running      int64
	Cancelled    int64
	Superseded   int64
	// Overruns of what was met late, in seconds; nil without any.
	OverrunP50 *float64
	OverrunP90 *float64
	OverrunP95 *float64
	// Goal compares the interval with Query.Goal; zero when none was given.
	Goal stat.Goal
}
