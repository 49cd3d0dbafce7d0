package clock

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"aftercare/domain"
	"aftercare/domain/calendar"
)

// Definition is a kind of promise: between which facts, how much time, and what pauses it. Its zero fields mean what their comments
// say; budget, unit, start and stop are required.
type Definition struct {
	// Clock is the kind, such as "first_response". Of several definitions of one kind that match a case, the first counts.
	Clock string `json:"clock" yaml:"clock"`
	// Name tells definitions of one kind apart within their policy. Defaults to Clock.
	Name string `json:"name,omitempty" yaml:"name,omitempty"`
	// Start and Stop are facts of the case: see Facts.
	Start []string `json:"start" yaml:"start"`
	Stop  []string `json:"stop" yaml:"stop"`
	// Cancel are facts that end the promise without a verdict: a case that is resolved needs no visit any more.
	Cancel []string `json:"cancel,omitempty" yaml:"cancel,omitempty"`
	// Budget counts Unit.
	Budget int  `json:"budget" yaml:"budget"`
	Unit   Unit `json:"unit" yaml:"unit"`
	// Calendar is the id of the calendar it counts in.
	Calendar string `json:"calendar" yaml:"calendar"`
	// Pause are the reasons of waiting during which time does not count. None: it never pauses.
	Pause []string `json:"pause,omitempty" yaml:"pause,omitempty"`
	// When restricts the cases: every entry must match. A key is "kind", "channel", "priority", "category", "subcategory",
	// "product", "location", "team", "source" or "attributes.<name>"; the values are alternatives, "" matches a case without one.
	When map[string][]string `json:"when,omitempty" yaml:"when,omitempty"`
	// Carry says how an instance under this definition takes another's place. Defaults to FromOrigin.
	Carry Carry `json:"carry,omitzero" yaml:"carry,omitempty"`
}

// ID is the definition's name within its policy.
func (d Definition) ID() string {
	if d.Name != "" {
		return d.Name
	}
	return d.Clock
}

// Facts are the names a definition's Start and Stop may use.
func Facts() []string {
	return []string{
		"received", "acknowledged", "responded", "classified", "assigned", "escalated", "dispatched", "arrived", "diagnosed",
		"planned", "confirmed", "resolved", "reopened", "closed", "cancelled",
	}
}

// Validate refuses a definition that no case could be held to.
func (d Definition) Validate() error {
	bad := func(field, value string) error {
		return domain.Refuse(domain.Invalid, "clock.bad-definition", "clock", d.Clock, "field", field, "value", value)
	}
	if d.Clock == "" {
		return bad("clock", "")
	}
	for _, list := range []struct {
		field string
		facts []string
	}{{"start", d.Start}, {"stop", d.Stop}, {"cancel", d.Cancel}} {
		if len(list.facts) == 0 && list.field != "cancel" {
			return bad(list.field, "")
		}
		for _, f := range list.facts {
			if !slices.Contains(Facts(), f) {
				return bad(list.field, f)
			}
		}
	}
	if d.Unit.String() == "" {
		return bad("unit", "")
	}
	if d.Budget < d.Unit.least() || d.Budget > d.Unit.most() {
		return bad("budget", strconv.Itoa(d.Budget))
	}
	if d.Carry != 0 && d.Carry.String() == "" {
		return bad("carry", strconv.Itoa(int(d.Carry)))
	}
	if d.Calendar == "" {
		return bad("calendar", "")
	}
	for key := range d.When {
		if _, ok := (Case{}).value(key); !ok {
			return bad("when", key)
		}
	}
	return nil
}

// least is 0 where that means the day of the start; a promise that is due the moment it is made is none.
func (u Unit) least() int {
	if u == WorkingDays || u == CalendarDays {
		return 0
	}
	return 1
}

// most keeps due times within what can be written: a hundred years.
func (u Unit) most() int {
	const days = 100 * 366
	if u == Minutes {
		return days * 24 * 60
	}
	return days
}

// Case is what of a case decides which clocks it has.
type Case struct {
	Source      string
	Kind        string
	Channel     string
	Priority    string
	Category    string
	Subcategory string
	Product     string
	Location    string
	Team        string
	Attributes  map[string]string
}

func (c Case) value(key string) (string, bool) {
	switch key {
	case "source":
		return c.Source, true
	case "kind":
		return c.Kind, true
	case "channel":
		return c.Channel, true
	case "priority":
		return c.Priority, true
	case "category":
		return c.Category, true
	case "subcategory":
		return c.Subcategory, true
	case "product":
		return c.Product, true
	case "location":
		return c.Location, true
	case "team":
		return c.Team, true
	}
	if name, ok := strings.CutPrefix(key, "attributes."); ok && name != "" {
		return c.Attributes[name], true
	}
	return "", false
}

// Matches reports whether the definition is about such a case.
func (d Definition) Matches(c Case) bool {
	for key, values := range d.When {
		if v, ok := c.value(key); !ok || !slices.Contains(values, v) {
			return false
		}
	}
	return true
}

// Terms are one version of a definition with the version of the calendar in force beside it.
type Terms struct {
	Definition Definition
	// ID names the version of the definition, Calendar that of the calendar.
	ID         Version
	CalendarID Version
	Calendar   *calendar.Calendar
}

// Rules are the policies that decide about clocks. A version it once knew it knows for ever.
type Rules interface {
	// Applicable returns the terms in force for such a case, one for each kind of clock.
	Applicable(at time.Time, c Case) []Terms
	// Terms returns the terms a promise was made under.
	Terms(definition, calendar Version) (Terms, bool)
	// TZ is the version of the tz database in use.
	TZ() string
}
