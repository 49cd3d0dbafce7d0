package sla

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/projections/facet"
)

// foldClock takes an event of a clock into its row. An instance nobody started is left alone.
func foldClock(rows []record, own int, e domain.Event) ([]record, error) {
	ours := func(instance int) *record {
		for i := range rows {
			if r := &rows[i]; r.instance == instance && r.origin == OriginOurs.String() {
				return r
			}
		}
		return &record{}
	}
	switch e := e.(type) {
	case clock.Started:
		return start(rows, own, e)
	case clock.Paused:
		r := ours(e.Instance)
		r.pausedAt, r.pauseReason = facet.InstantOf(e.At), facet.Clean(e.Reason)
	case clock.Resumed:
		r := ours(e.Instance)
		counted, err := spans(e.Counted)
		if err != nil {
			return rows, err
		}
		r.resume(e.At)
		r.dueAt = facet.InstantOf(e.Due)
		if len(e.Counted) > 0 {
			r.counted = counted
		}
	case clock.Met:
		ours(e.Instance).settle(Met, e.At, e.Due, e.Elapsed, 0)
	case clock.MetLate:
		ours(e.Instance).settle(MetLate, e.At, e.Due, e.Elapsed, e.Overrun)
	case clock.Breached:
		r := ours(e.Instance)
		r.breachedAt, r.verdict = facet.InstantOf(e.At), Breached.String()
	case clock.Cancelled:
		r := ours(e.Instance)
		r.resume(e.At)
		r.verdict, r.reason = Cancelled.String(), facet.Clean(e.Reason)
	case clock.Superseded:
		r := ours(e.Instance)
		r.resume(e.At)
		r.supersededBy, r.reason = e.By, facet.Clean(e.Reason)
		if r.verdict == Running.String() {
			r.verdict = Superseded.String()
		}
	case clock.TargetRecorded:
		return target(rows, own, e), nil
	case clock.VerdictRecorded:
		return verdict(rows, own, e), nil
	}
	return rows, nil
}

func start(rows []record, own int, e clock.Started) ([]record, error) {
	counted, err := spans(e.Promise.Counted)
	if err != nil {
		return rows, err
	}
	reasons := e.Promise
	reasons.Counted = nil
	promise, err := json.Marshal(reasons)
	if err != nil {
		return rows, fmt.Errorf("promise: %w", err)
	}
	if len(e.Promise.Counted) > 0 {
		promise = slices.Concat(promise[:len(promise)-1], []byte(`,"counted":`), counted, []byte("}"))
	}
	return append(rows, record{
		stream: rows[own].stream, ticket: rows[own].ticket, origin: OriginOurs.String(), instance: e.Instance,
		clock: facet.Clean(e.Clock), definition: facet.Clean(e.Promise.Definition.ID), definitionVersion: e.Promise.Definition.Version,
		calendar: facet.Clean(e.Promise.Calendar.ID), calendarVersion: e.Promise.Calendar.Version,
		startedAt: facet.InstantOf(e.Promise.Start), dueAt: facet.InstantOf(e.Promise.Due),
		promisedDueAt: facet.InstantOf(e.Promise.Due), verdict: Running.String(), supersedes: e.Supersedes,
		promise: promise, counted: counted, stops: map[string]time.Time{}, Case: rows[own].Case,
	}), nil
}

// spans returns the list as JSON. There are up to hundreds in a promise, and encoding/json takes several times as long.
func spans(counted []clock.Span) (_ json.RawMessage, err error) {
	if len(counted) == 0 {
		return none, nil
	}
	b := make([]byte, 0, 1+len(counted)*len(`{"start":"2006-01-02T15:04:05.123456Z","end":"2006-01-02T15:04:05.123456Z"},`))
	for _, one := range counted {
		b = append(b, `,{"start":"`...)
		if b, err = one.Start.AppendText(b); err != nil {
			return nil, fmt.Errorf("counted time: %w", err)
		}
		b = append(b, `","end":"`...)
		if b, err = one.End.AppendText(b); err != nil {
			return nil, fmt.Errorf("counted time: %w", err)
		}
		b = append(b, `"}`...)
	}
	b[0] = '['
	return append(b, ']'), nil
}

// resume ends a pause, if there is one.
func (r *record) resume(at time.Time) {
	if r.pausedAt != nil {
		r.pausedSeconds += int64(facet.Instant(at).Sub(*r.pausedAt) / time.Second)
	}
	r.pausedAt, r.pauseReason = nil, ""
}

// settle takes over the verdict of the event: what counts as late is the clock's to say, not this view's.
func (r *record) settle(verdict Verdict, at, due time.Time, elapsed, overrun int64) {
	r.resume(at)
	r.stoppedAt, r.dueAt = facet.InstantOf(at), facet.InstantOf(due)
	r.elapsed, r.overrun, r.verdict = &elapsed, &overrun, verdict.String()
}

// target keeps the due time a source had set: the last one it names, beside the first.
func target(rows []record, own int, e clock.TargetRecorded) []record {
	rows, r := recorded(rows, own, OriginTarget, e.Clock, e.Source)
	r.dueAt = facet.InstantOf(e.Due)
	if r.promisedDueAt == nil {
		r.startedAt, r.promisedDueAt = facet.InstantOf(rows[own].ReceivedAt), r.dueAt
	}
	r.judge(rows[own].stops)
	return rows
}

// verdict keeps a source's last word.
func verdict(rows []record, own int, e clock.VerdictRecorded) []record {
	rows, r := recorded(rows, own, OriginVerdict, e.Clock, e.Source)
	r.Case = rows[own].Case
	r.stoppedAt, r.verdict = facet.InstantOf(e.At), Missed.String()
	if e.Met {
		r.verdict = Met.String()
	}
	return rows
}

// recorded returns the row of what a source recorded about a clock, which it makes if need be.
func recorded(rows []record, own int, origin Origin, clock, source string) ([]record, *record) {
	clock, source = facet.Clean(clock), facet.Clean(source)
	for i := range rows {
		if r := &rows[i]; r.clock == clock && r.recordedBy == source && r.origin == origin.String() {
			return rows, r
		}
	}
	rows = append(rows, record{
		stream: rows[own].stream, ticket: rows[own].ticket, origin: origin.String(), clock: clock, recordedBy: source,
		promise: nothing, counted: none, stops: map[string]time.Time{}, Case: rows[own].Case,
	})
	return rows, &rows[len(rows)-1]
}
