package ticket

import (
	"maps"
	"time"

	"aftercare/domain"
	"aftercare/domain/clock"
)

// State is what of a case's history its decisions need.
type State struct {
	Phase      Phase
	WaitReason string
	ReceivedAt time.Time
	Source     Source
	Details    Details
	Clocks     clock.Board
	Level      int
	// Acknowledged and the others report that the fact happened at least once; Planned and Confirmed since the last opening.
	Acknowledged, Dispatched, Planned, Confirmed bool
	// ResolvedTeam and ResolvedAgent did the last resolving act.
	ResolvedTeam, ResolvedAgent string
	// Rated is the last rating, without its words.
	Rated Rated
	// Recorded is the last row of a foreign history.
	Recorded int
	targets  map[string]time.Time
	verdicts map[string]bool
	// happened are the facts that are, by the names clock definitions use.
	happened map[string]bool
}

// exists reports whether the case was received.
func (s State) exists() bool { return s.Phase != 0 }

// active reports whether there is still work to do.
func (s State) active() bool { return s.Phase == Open || s.Phase == Waiting }

// Evolve folds one event of a case's stream.
func Evolve(s State, e domain.Event) State {
	switch e := e.(type) {
	case Event:
		return s.evolve(e).remember(e)
	case clock.Event:
		return s.evolveClock(e)
	}
	return s
}

func (s State) evolve(e Event) State {
	switch e := e.(type) {
	case Received:
		s.Phase, s.ReceivedAt, s.Details = Open, e.At, e.Details
		s.Details.Attributes = maps.Clone(e.Attributes)
		if e.Source != nil {
			s.Source = *e.Source
		}
	case Acknowledged:
		s.Acknowledged = true
	case Classified:
		s.Details = s.Details.with(e.Details)
	case PriorityChanged:
		s.Details.Priority = e.To
	case Assigned:
		s.Details.Team, s.Details.Agent = e.Team, e.Agent
	case Escalated:
		s.Level = e.Level
	case WaitStarted:
		s.Phase, s.WaitReason = Waiting, e.Reason
	case Resumed:
		s.Phase, s.WaitReason = Open, ""
	case Dispatched:
		s.Dispatched = true
	case Planned:
		s.Planned, s.Confirmed = true, false
	case Confirmed:
		s.Confirmed = true
	case Resolved:
		s.Phase, s.WaitReason = Done, ""
		s.ResolvedTeam, s.ResolvedAgent = s.Details.Team, e.Agent
	case Reopened:
		s.Phase, s.Dispatched, s.Planned, s.Confirmed = Open, false, false, false
	case Closed:
		s.Phase, s.WaitReason = Shut, ""
	case Cancelled:
		s.Phase, s.WaitReason = Void, ""
	case StatusRecorded:
		s.Recorded = e.Seq
	case Rated:
		s.Rated = Rated{At: e.At, Score: e.Score, Min: e.Min, Max: e.Max}
	case Responded, Arrived, Diagnosed, Noted: // decide nothing later
	}
	return s
}

func (s State) evolveClock(e clock.Event) State {
	switch e := e.(type) {
	case clock.TargetRecorded:
		s.targets = put(s.targets, e.Clock, e.Due)
	case clock.VerdictRecorded:
		s.verdicts = put(s.verdicts, e.Clock, e.Met)
	case clock.Started, clock.Paused, clock.Resumed, clock.Met, clock.MetLate, clock.Breached, clock.Cancelled, clock.Superseded:
		s.Clocks = s.Clocks.Evolve(e)
	}
	return s
}

func put[V any](m map[string]V, key string, value V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	m[key] = value
	return m
}

// with returns d with the fields of change that are given.
func (d Details) with(change Details) Details {
	set := func(field *string, value string) {
		if value != "" {
			*field = value
		}
	}
	set(&d.Kind, change.Kind)
	set(&d.Channel, change.Channel)
	set(&d.Priority, change.Priority)
	set(&d.Category, change.Category)
	set(&d.Subcategory, change.Subcategory)
	set(&d.Product, change.Product)
	set(&d.Location, change.Location)
	set(&d.Team, change.Team)
	set(&d.Agent, change.Agent)
	if len(change.Attributes) > 0 {
		merged := maps.Clone(d.Attributes)
		if merged == nil {
			merged = map[string]string{}
		}
		maps.Copy(merged, change.Attributes)
		d.Attributes = merged
	}
	return d
}

// but returns what of change is different from d.
func (d Details) but(change Details) Details {
	drop := func(field *string, value string) {
		if *field == value {
			*field = ""
		}
	}
	drop(&change.Kind, d.Kind)
	drop(&change.Channel, d.Channel)
	drop(&change.Priority, d.Priority)
	drop(&change.Category, d.Category)
	drop(&change.Subcategory, d.Subcategory)
	drop(&change.Product, d.Product)
	drop(&change.Location, d.Location)
	drop(&change.Team, d.Team)
	drop(&change.Agent, d.Agent)
	var attributes map[string]string
	for name, value := range change.Attributes {
		if d.Attributes[name] != value {
			attributes = put(attributes, name, value)
		}
	}
	change.Attributes = attributes
	return change
}

// isZero reports whether nothing is given.
func (d Details) isZero() bool {
	return d.Kind == "" && d.Channel == "" && d.Priority == "" && d.Category == "" && d.Subcategory == "" && d.Product == "" &&
		d.Location == "" && d.Team == "" && d.Agent == "" && len(d.Attributes) == 0
}

// clone returns a state that shares nothing Evolve writes to.
func (s State) clone() State {
	s.Clocks = s.Clocks.Clone()
	s.targets = maps.Clone(s.targets)
	s.verdicts = maps.Clone(s.verdicts)
	s.happened = maps.Clone(s.happened)
	return s
}

func (s State) clockCase() clock.Case {
	d := s.Details
	return clock.Case{
		Source: s.Source.System, Kind: d.Kind, Channel: d.Channel, Priority: d.Priority, Category: d.Category,
		Subcategory: d.Subcategory, Product: d.Product, Location: d.Location, Team: d.Team, Attributes: d.Attributes,
	}
}
