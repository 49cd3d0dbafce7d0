package policy

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"aftercare/domain/calendar"
	"aftercare/domain/clock"
)

// Book is all versions of all policies. It is immutable and safe for concurrent use; the nil Book is empty. It implements
// clock.Rules.
type Book struct {
	tz        string
	calendars map[string][]calendarVersion
	packs     map[string][]packVersion
	order     []string // of the packs, by id
}

type calendarVersion struct {
	Version
	compiled *calendar.Calendar
}

type packVersion struct{ Version }

var _ clock.Rules = (*Book)(nil)

// NewBook returns a book of no policies; tz is the version of the tz database in use, which promises record.
func NewBook(tz string) *Book { return &Book{tz: tz} }

// With returns a book with further versions, in the order they were published; those it has already change nothing. It fails for a
// calendar that is not valid and for a version that does not follow the one before, which Publish does not let pass.
func (b *Book) With(events ...Published) (*Book, error) {
	next := &Book{calendars: map[string][]calendarVersion{}, packs: map[string][]packVersion{}}
	if b != nil {
		next.tz = b.tz
		maps.Copy(next.calendars, b.calendars)
		maps.Copy(next.packs, b.packs)
	}
	for _, e := range events {
		v := e.Version
		switch last := max(len(next.packs[v.ID]), len(next.calendars[v.ID])); {
		case v.Number >= 1 && v.Number <= last:
			continue
		case v.Number != last+1:
			return nil, fmt.Errorf("policy %s: version %d follows version %d", v.ID, v.Number, last)
		}
		if v.Calendar == nil {
			next.packs[v.ID] = append(slices.Clip(next.packs[v.ID]), packVersion{v})
			continue
		}
		compiled, err := calendar.New(*v.Calendar)
		if err != nil {
			return nil, fmt.Errorf("calendar %s version %d: %w", v.ID, v.Number, err)
		}
		next.calendars[v.ID] = append(slices.Clip(next.calendars[v.ID]), calendarVersion{v, compiled})
	}
	next.order = slices.Sorted(maps.Keys(next.packs))
	return next, nil
}

// Versions returns every version, policies by id and versions in order.
func (b *Book) Versions() (all []Version) {
	if b == nil {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(b.calendars)) {
		for _, v := range b.calendars[id] {
			all = append(all, v.Version)
		}
	}
	for _, id := range b.order {
		for _, v := range b.packs[id] {
			all = append(all, v.Version)
		}
	}
	return all
}

// TZ implements clock.Rules.
func (b *Book) TZ() string {
	if b == nil {
		return ""
	}
	return b.tz
}

// inForce reports whether a fact of that time falls under the version.
func (v Version) inForce(at time.Time) bool {
	return !at.Before(v.ValidFrom) && (v.ValidTo.IsZero() || at.Before(v.ValidTo))
}

// Applicable implements clock.Rules. Packs are asked in the order of their ids; of the versions in force the newest counts. A
// definition whose calendar has no version in force is passed over.
func (b *Book) Applicable(at time.Time, c clock.Case) (terms []clock.Terms) {
	if b == nil {
		return nil
	}
	for _, id := range b.order {
		pack := newest(b.packs[id], func(v packVersion) bool { return v.inForce(at) })
		if pack == nil {
			continue
		}
		for _, d := range pack.Clocks {
			taken := slices.ContainsFunc(terms, func(t clock.Terms) bool { return t.Definition.Clock == d.Clock })
			if taken || !d.Matches(c) {
				continue
			}
			cal := newest(b.calendars[d.Calendar], func(v calendarVersion) bool { return v.inForce(at) })
			if cal == nil {
				continue
			}
			terms = append(terms, clock.Terms{
				Definition: d, ID: clock.Version{ID: id + "/" + d.ID(), Version: pack.Number},
				CalendarID: clock.Version{ID: d.Calendar, Version: cal.Number}, Calendar: cal.compiled,
			})
		}
	}
	return terms
}

func newest[V any](versions []V, fits func(V) bool) *V {
	for i := len(versions) - 1; i >= 0; i-- {
		if fits(versions[i]) {
			return &versions[i]
		}
	}
	return nil
}

// Terms implements clock.Rules.
func (b *Book) Terms(definition, cal clock.Version) (clock.Terms, bool) {
	if b == nil || cal.Version < 1 || cal.Version > len(b.calendars[cal.ID]) {
		return clock.Terms{}, false
	}
	for _, id := range b.order {
		versions := b.packs[id]
		if len(definition.ID) <= len(id) || definition.ID[:len(id)] != id || definition.ID[len(id)] != '/' ||
			definition.Version < 1 || definition.Version > len(versions) {
			continue
		}
		for _, d := range versions[definition.Version-1].Clocks {
			if id+"/"+d.ID() == definition.ID {
				return clock.Terms{
					Definition: d, ID: definition, CalendarID: cal, Calendar: b.calendars[cal.ID][cal.Version-1].compiled,
				}, true
			}
		}
	}
	return clock.Terms{}, false
}
