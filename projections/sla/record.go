package sla

import (
	"encoding/json"
	"slices"
	"time"

	"aftercare/projections/facet"
)

// ofCase is the origin of the row that is no promise but what the fold knows of the case.
const ofCase = "case"

// nothing is an empty JSON object, and none an empty list.
var (
	nothing = json.RawMessage("{}") //nolint:gochecknoglobals // constant
	none    = json.RawMessage("[]") //nolint:gochecknoglobals // constant
)

// record is a row of the table.
type record struct {
	stream            string
	ticket            [16]byte
	origin            string
	instance          int
	clock             string
	recordedBy        string
	definition        string
	definitionVersion int
	calendar          string
	calendarVersion   int
	startedAt         *time.Time
	dueAt             *time.Time
	promisedDueAt     *time.Time
	stoppedAt         *time.Time
	breachedAt        *time.Time
	pausedAt          *time.Time
	pauseReason       string
	verdict           string
	elapsed           *int64
	overrun           *int64
	pausedSeconds     int64
	supersedes        int
	supersededBy      int
	reason            string
	promise           json.RawMessage
	counted           json.RawMessage
	stops             map[string]time.Time
	facet.Case
}

// shown are the columns readers get.
func shown() []string {
	return slices.Concat([]string{
		"ticket", "origin", "instance", "clock", "recorded_by", "definition", "definition_version", "calendar",
		"calendar_version", "started_at", "due_at", "promised_due_at", "stopped_at", "breached_at", "paused_at", "pause_reason",
		"verdict", "elapsed_seconds", "overrun_seconds", "paused_seconds", "supersedes", "superseded_by", "reason", "promise",
		"counted",
	}, facet.CaseColumns())
}

func (r *record) shown() []any {
	return slices.Concat([]any{
		&r.ticket, &r.origin, &r.instance, &r.clock, &r.recordedBy, &r.definition, &r.definitionVersion, &r.calendar,
		&r.calendarVersion, &r.startedAt, &r.dueAt, &r.promisedDueAt, &r.stoppedAt, &r.breachedAt, &r.pausedAt, &r.pauseReason,
		&r.verdict, &r.elapsed, &r.overrun, &r.pausedSeconds, &r.supersedes, &r.supersededBy, &r.reason, &r.promise,
		&r.counted,
	}, r.Fields())
}

func columns() []string { return append([]string{"stream", "stops"}, shown()...) }

func (r *record) fields() []any { return append([]any{&r.stream, &r.stops}, r.shown()...) }

// open reports whether no verdict has settled the row, so that it still follows its case.
func (r *record) open() bool {
	return r.stoppedAt == nil && r.supersededBy == 0 && (r.verdict == Running.String() || r.verdict == Breached.String())
}
