package clock_test

import (
	"errors"
	"testing"

	"aftercare/domain"
	"aftercare/domain/clock"
)

func TestMatches(t *testing.T) {
	t.Parallel()
	c := clock.Case{
		Source: "s", Kind: "repair", Channel: "phone", Priority: "2", Category: "c", Subcategory: "d", Product: "p",
		Location: "l", Team: "t", Attributes: map[string]string{"tier": "gold"},
	}
	for name, x := range map[string]struct {
		when map[string][]string
		c    clock.Case
		want bool
	}{
		"no condition":                   {nil, c, true},
		"one of several":                 {map[string][]string{"priority": {"1", "2"}}, c, true},
		"none of several":                {map[string][]string{"priority": {"1", "3"}}, c, false},
		"every entry":                    {map[string][]string{"priority": {"2"}, "kind": {"repair"}}, c, true},
		"one entry does not match":       {map[string][]string{"priority": {"2"}, "kind": {"inquiry"}}, c, false},
		"empty is a case without one":    {map[string][]string{"source": {""}}, clock.Case{}, true},
		"empty is not any":               {map[string][]string{"source": {""}}, c, false},
		"no alternatives match nothing":  {map[string][]string{"source": {}}, clock.Case{}, false},
		"an attribute":                   {map[string][]string{"attributes.tier": {"gold"}}, c, true},
		"another attribute":              {map[string][]string{"attributes.tier": {"silver"}}, c, false},
		"an attribute that is not there": {map[string][]string{"attributes.size": {""}}, clock.Case{}, true},
		"an unknown key":                 {map[string][]string{"colour": {""}}, c, false},
		"case of letters counts":         {map[string][]string{"kind": {"Repair"}}, c, false},
		"every field can be asked": {map[string][]string{
			"source": {"s"}, "channel": {"phone"}, "category": {"c"}, "subcategory": {"d"}, "product": {"p"}, "location": {"l"}, "team": {"t"},
		}, c, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (clock.Definition{When: x.when}).Matches(x.c); got != x.want {
				t.Errorf("got %v, want %v", got, x.want)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		change func(*clock.Definition)
		field  string // "" is valid
	}{
		"a plain one":              {func(*clock.Definition) {}, ""},
		"no clock":                 {func(d *clock.Definition) { d.Clock = "" }, "clock"},
		"no start":                 {func(d *clock.Definition) { d.Start = nil }, "start"},
		"no stop":                  {func(d *clock.Definition) { d.Stop = nil }, "stop"},
		"an unknown start":         {func(d *clock.Definition) { d.Start = []string{"received", "begun"} }, "start"},
		"an unknown stop":          {func(d *clock.Definition) { d.Stop = []string{"done"} }, "stop"},
		"an unknown cancel":        {func(d *clock.Definition) { d.Cancel = []string{"done"} }, "cancel"},
		"no unit":                  {func(d *clock.Definition) { d.Unit = 0 }, "unit"},
		"an unknown unit":          {func(d *clock.Definition) { d.Unit = 77 }, "unit"},
		"an unknown carry":         {func(d *clock.Definition) { d.Carry = 77 }, "carry"},
		"no calendar":              {func(d *clock.Definition) { d.Calendar = "" }, "calendar"},
		"a negative budget":        {func(d *clock.Definition) { d.Budget = -1 }, "budget"},
		"no budget of minutes":     {func(d *clock.Definition) { d.Budget = 0 }, "budget"},
		"the same day":             {func(d *clock.Definition) { d.Budget, d.Unit = 0, clock.WorkingDays }, ""},
		"today":                    {func(d *clock.Definition) { d.Budget, d.Unit = 0, clock.CalendarDays }, ""},
		"no days at the same time": {func(d *clock.Definition) { d.Budget, d.Unit = 0, clock.WorkingDaysSameTime }, "budget"},
		"a century of minutes":     {func(d *clock.Definition) { d.Budget = 36600 * 24 * 60 }, ""},
		"more than a century":      {func(d *clock.Definition) { d.Budget = 36600*24*60 + 1 }, "budget"},
		"more days than a century": {func(d *clock.Definition) { d.Budget, d.Unit = 36601, clock.CalendarDays }, "budget"},
		"an unknown condition":     {func(d *clock.Definition) { d.When = map[string][]string{"colour": {"red"}} }, "when"},
		"an attribute of no name":  {func(d *clock.Definition) { d.When = map[string][]string{"attributes.": {"red"}} }, "when"},
		"an attribute":             {func(d *clock.Definition) { d.When = map[string][]string{"attributes.a": {"red"}} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := resolution(60, clock.Minutes)
			x.change(&d)
			err := d.Validate()
			refusal, ok := errors.AsType[*domain.Error](err)
			switch {
			case x.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case x.field != "" && (!ok || refusal.Code != "clock.bad-definition" || refusal.Params["field"] != x.field):
				t.Errorf("got %v, want a refusal of %s", err, x.field)
			}
		})
	}
}

func TestDefinitionsAreNamed(t *testing.T) {
	t.Parallel()
	if got := (clock.Definition{Clock: "a"}).ID() + (clock.Definition{Clock: "a", Name: "b"}).ID(); got != "ab" {
		t.Errorf("got %q", got)
	}
}
