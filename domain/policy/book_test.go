package policy_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/domain/calendar"
	"aftercare/domain/clock"
	"aftercare/domain/policy"
)

func book(t *testing.T, versions ...policy.Version) *policy.Book {
	t.Helper()
	b, err := policy.NewBook("2026a").With(published(versions...)...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// budgets are those of the terms that apply, in their order.
func budgets(b *policy.Book, at time.Time, c clock.Case) (all []int) {
	for _, t := range b.Applicable(at, c) {
		all = append(all, t.Definition.Budget)
	}
	return all
}

func named(clock string, budget int) clock.Definition {
	d := within(budget)
	d.Clock = clock
	return d
}

func repairs(d clock.Definition) clock.Definition {
	d.When = map[string][]string{"kind": {"repair"}}
	d.Name = d.Clock + "_repair"
	return d
}

func valid(v policy.Version, from, to int) policy.Version {
	if from > 0 {
		v.ValidFrom = day(from)
	}
	if to > 0 {
		v.ValidTo = day(to)
	}
	return v
}

func TestApplicable(t *testing.T) {
	t.Parallel()
	repair := clock.Case{Kind: "repair"}
	for name, x := range map[string]struct {
		versions []policy.Version
		at       time.Time
		c        clock.Case
		want     []int
	}{
		"nothing is published":                      {nil, day(2), repair, nil},
		"a version without bounds is always":        {[]policy.Version{office(1), pack("p", 1, within(1))}, day(2), repair, []int{1}},
		"the newest version in force counts":        {[]policy.Version{office(1), pack("p", 1, within(1)), pack("p", 2, within(2))}, day(2), repair, []int{2}},
		"a version is in force from its first":      {[]policy.Version{office(1), pack("p", 1, within(1)), valid(pack("p", 2, within(2)), 5, 0)}, day(5), repair, []int{2}},
		"before its first the older one is":         {[]policy.Version{office(1), pack("p", 1, within(1)), valid(pack("p", 2, within(2)), 5, 0)}, day(5).Add(-1), repair, []int{1}},
		"its end is not part of it":                 {[]policy.Version{office(1), pack("p", 1, within(1)), valid(pack("p", 2, within(2)), 0, 5)}, day(5), repair, []int{1}},
		"before its end it is in force":             {[]policy.Version{office(1), pack("p", 1, within(1)), valid(pack("p", 2, within(2)), 0, 5)}, day(5).Add(-1), repair, []int{2}},
		"none is in force":                          {[]policy.Version{office(1), valid(pack("p", 1, within(1)), 5, 6)}, day(7), repair, nil},
		"packs come in the order of their ids":      {[]policy.Version{office(1), pack("b", 1, within(1)), pack("a", 1, within(2))}, day(2), repair, []int{2}},
		"each kind of clock once":                   {[]policy.Version{office(1), pack("a", 1, within(1), named("x", 2)), pack("b", 1, named("x", 3), named("y", 4))}, day(2), repair, []int{1, 2, 4}},
		"the first definition that matches":         {[]policy.Version{office(1), pack("a", 1, repairs(within(1)), within(2))}, day(2), repair, []int{1}},
		"a definition of other cases is skipped":    {[]policy.Version{office(1), pack("a", 1, repairs(within(1)), within(2))}, day(2), clock.Case{}, []int{2}},
		"without its calendar it does not apply":    {[]policy.Version{pack("a", 1, within(1))}, day(2), repair, nil},
		"nor before its calendar is in force":       {[]policy.Version{valid(office(1), 5, 0), pack("a", 1, within(1))}, day(2), repair, nil},
		"a newer version may drop a clock":          {[]policy.Version{office(1), pack("a", 1, within(1), named("x", 2)), pack("a", 2, named("x", 3))}, day(2), repair, []int{3}},
		"another pack may hold what it has dropped": {[]policy.Version{office(1), pack("a", 1, within(1)), pack("a", 2, named("x", 3)), pack("b", 1, within(4))}, day(2), repair, []int{3, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(x.want, budgets(book(t, x.versions...), x.at, x.c)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestTermsNameVersionsAndFindThemForEver(t *testing.T) {
	t.Parallel()
	wide := office(2)
	wide.Calendar = new(calendar.AlwaysOpen("Asia/Shanghai"))
	b := book(t, office(1), pack("p", 1, within(1)), pack("q", 1, within(9)))
	old := b.Applicable(day(2), clock.Case{})[0]
	b, err := b.With(published(wide, pack("p", 2, within(2)))...)
	if err != nil {
		t.Fatal(err)
	}
	newer := b.Applicable(day(2), clock.Case{})[0]
	type version = clock.Version
	if old.ID != (version{ID: "p/resolution", Version: 1}) || old.CalendarID != (version{ID: "office", Version: 1}) {
		t.Errorf("the old terms are %v in %v", old.ID, old.CalendarID)
	}
	if newer.ID != (version{ID: "p/resolution", Version: 2}) || newer.CalendarID != (version{ID: "office", Version: 2}) {
		t.Errorf("the new terms are %v in %v", newer.ID, newer.CalendarID)
	}
	for _, want := range []clock.Terms{old, newer} {
		got, ok := b.Terms(want.ID, want.CalendarID)
		if !ok || got.Definition.Budget != want.Definition.Budget || got.ID != want.ID || got.CalendarID != want.CalendarID {
			t.Errorf("got %+v, %v, want %+v", got, ok, want)
		}
		sunday := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
		if got.Calendar.IsOpen(sunday) != (want.CalendarID.Version == 2) {
			t.Errorf("calendar version %d is another's", want.CalendarID.Version)
		}
	}
	for name, ask := range map[string][2]version{
		"no such pack":             {{ID: "r/resolution", Version: 1}, old.CalendarID},
		"no such definition":       {{ID: "p/x", Version: 1}, old.CalendarID},
		"no definition named":      {{ID: "p", Version: 1}, old.CalendarID},
		"no such version":          {{ID: "p/resolution", Version: 3}, old.CalendarID},
		"no version":               {{ID: "p/resolution"}, old.CalendarID},
		"no such calendar":         {old.ID, {ID: "home", Version: 1}},
		"no version of a calendar": {old.ID, {ID: "office"}},
		"no such calendar version": {old.ID, {ID: "office", Version: 3}},
	} {
		if _, ok := b.Terms(ask[0], ask[1]); ok {
			t.Errorf("%s: there are terms", name)
		}
	}
}

func TestBooksDoNotChange(t *testing.T) {
	t.Parallel()
	b := book(t, office(1), pack("p", 1, within(1)))
	one, err := b.With(published(pack("p", 2, within(2)))...)
	if err != nil {
		t.Fatal(err)
	}
	two, err := b.With(published(pack("p", 2, within(3)))...)
	if err != nil {
		t.Fatal(err)
	}
	for want, b := range map[int]*policy.Book{1: b, 2: one, 3: two} {
		if diff := cmp.Diff([]int{want}, budgets(b, day(2), clock.Case{})); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestVersionsAreListedInOrderAndOnce(t *testing.T) {
	t.Parallel()
	all := []policy.Version{office(1), office(2), pack("a", 1, within(1)), pack("b", 1, within(1)), pack("b", 2, within(2))}
	b := book(t, all[3], all[4], all[0], all[3], all[2], all[1], all[0])
	if diff := cmp.Diff(all, b.Versions()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if b.TZ() != "2026a" {
		t.Errorf("tz %q", b.TZ())
	}
}

func TestTheNilBookIsEmpty(t *testing.T) {
	t.Parallel()
	var b *policy.Book
	if _, ok := b.Terms(clock.Version{ID: "p/x", Version: 1}, clock.Version{ID: "c", Version: 1}); ok {
		t.Error("it has terms")
	}
	if b.TZ() != "" || b.Versions() != nil || b.Applicable(day(1), clock.Case{}) != nil {
		t.Error("it is not empty")
	}
	if b, err := b.With(published(office(1))...); err != nil || len(b.Versions()) != 1 {
		t.Errorf("it does not grow: %v", err)
	}
}

func TestABookRefusesWhatWasNeverPublished(t *testing.T) {
	t.Parallel()
	bad := policy.Version{ID: "c", Number: 1, Calendar: &calendar.Definition{Zone: "Mars/Base"}}
	if _, err := policy.NewBook("").With(published(bad)...); !errors.Is(err, domain.Refuse(domain.Invalid, "calendar.unknown-zone")) {
		t.Errorf("a bad calendar: %v", err)
	}
	for _, number := range []int{0, 2} {
		if _, err := policy.NewBook("").With(published(office(number))...); err == nil {
			t.Errorf("version %d came first", number)
		}
	}
}
