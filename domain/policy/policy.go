package policy

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"aftercare/domain"
	"aftercare/domain/calendar"
	"aftercare/domain/clock"
)

// Category names the streams of policies.
const Category = "policy"

// TypePublished is the stored name of Published.
const TypePublished = "policy.published.v1"

// Version is one version of a policy: a calendar, or the clock definitions of a rule pack.
type Version struct {
	ID     string `json:"id" yaml:"id"`
	Number int    `json:"version" yaml:"version"`
	// ValidFrom and ValidTo bound the time of the facts it applies to; zero is without bound. ValidTo is not part of it.
	ValidFrom time.Time `json:"validFrom,omitzero" yaml:"validFrom,omitempty"`
	ValidTo   time.Time `json:"validTo,omitzero" yaml:"validTo,omitempty"`
	// Title and Origin are for people: what it is, and where the rule comes from.
	Title  string `json:"title,omitempty" yaml:"title,omitempty"`
	Origin string `json:"origin,omitempty" yaml:"origin,omitempty"`
	// Exactly one of Calendar and Clocks is set.
	Calendar *calendar.Definition `json:"calendar,omitempty" yaml:"calendar,omitempty"`
	Clocks   []clock.Definition   `json:"clocks,omitempty" yaml:"clocks,omitempty"`
}

// Publish asks for a version to be put in force.
type Publish struct {
	At      time.Time
	Version Version
}

// Published says that a version was put in force.
type Published struct {
	At time.Time `json:"at"`
	Version
}

// EventType returns the stored name.
func (Published) EventType() string { return TypePublished }

// OccurredAt returns when it was published.
func (e Published) OccurredAt() time.Time { return e.At }

// State is what of a policy's history decides: its versions, in order.
type State struct {
	versions []Version
}

// Decider returns the aggregate of one policy; its streams are "policy-<id>".
func Decider() domain.Decider[State, Publish, Published] {
	return domain.Decider[State, Publish, Published]{
		Category: Category,
		Decide:   decide,
		Evolve: func(s State, e Published) State {
			s.versions = append(s.versions, e.Version)
			return s
		},
	}
}

func decide(s State, c Publish) ([]Published, error) {
	v := c.Version.utc()
	if err := v.Validate(); err != nil {
		return nil, err
	}
	number := strconv.Itoa(v.Number)
	switch {
	case c.At.IsZero():
		return nil, domain.Refuse(domain.Invalid, "command.time-missing")
	case v.Number >= 1 && v.Number <= len(s.versions) && equal(s.versions[v.Number-1].utc(), v):
		return nil, nil
	case v.Number >= 1 && v.Number <= len(s.versions):
		return nil, domain.Refuse(domain.Conflict, "policy.version-exists", "id", v.ID, "version", number)
	case len(s.versions) > 0 && (s.versions[0].Calendar == nil) != (v.Calendar == nil):
		return nil, domain.Refuse(domain.Conflict, "policy.other-content", "id", v.ID, "version", number)
	case v.Number != len(s.versions)+1:
		return nil, domain.Refuse(domain.Invalid, "policy.version-gap", "id", v.ID, "version", number, "next", strconv.Itoa(len(s.versions)+1))
	}
	return []Published{{At: c.At.UTC(), Version: v}}, nil
}

// utc returns the same version with its times in UTC.
func (v Version) utc() Version {
	v.ValidFrom, v.ValidTo = v.ValidFrom.UTC(), v.ValidTo.UTC()
	return v
}

// Validate refuses a version that cannot be in force.
func (v Version) Validate() error {
	if v.ID == "" {
		return domain.Refuse(domain.Invalid, "policy.id-missing")
	}
	if strings.Contains(v.ID, "/") { // it sets policy and definition apart in the name of a promise's terms
		return domain.Refuse(domain.Invalid, "policy.malformed-id", "id", v.ID)
	}
	if (v.Calendar == nil) == (len(v.Clocks) == 0) {
		return domain.Refuse(domain.Invalid, "policy.content-missing", "id", v.ID)
	}
	if !v.ValidTo.IsZero() && !v.ValidFrom.Before(v.ValidTo) {
		return domain.Refuse(domain.Invalid, "policy.never-valid", "id", v.ID)
	}
	if v.Calendar != nil {
		_, err := calendar.New(*v.Calendar)
		return err
	}
	seen := map[string]bool{}
	for _, d := range v.Clocks {
		if err := d.Validate(); err != nil {
			return err
		}
		if seen[d.ID()] {
			return domain.Refuse(domain.Invalid, "policy.definition-twice", "id", v.ID, "name", d.ID())
		}
		seen[d.ID()] = true
	}
	return nil
}

// equal compares what would be stored.
func equal(a, b Version) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
