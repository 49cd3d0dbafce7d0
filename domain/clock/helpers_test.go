package clock_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aftercare/domain/calendar"
	"aftercare/domain/clock"
)

// at reads a time of 2026 in UTC: "03-02 10:00" or "03-02 10:00:01".
func at(s string) time.Time {
	for _, layout := range []string{time.DateTime, "2006-01-02 15:04"} {
		if v, err := time.Parse(layout, "2026-"+s); err == nil {
			return v
		}
	}
	panic("bad time " + s)
}

// span reads two of them.
func span(from, to string) clock.Span { return clock.Span{Start: at(from), End: at(to)} }

// office is open from Monday to Friday, 09:00 to 12:00 and 13:00 to 17:00, in London; 2 March 2026 is a Monday.
func office() calendar.Definition {
	day := []calendar.Interval{{"09:00", "12:00"}, {"13:00", "17:00"}}
	return calendar.Definition{
		Zone: "Europe/London", Week: map[string][]calendar.Interval{"mon": day, "tue": day, "wed": day, "thu": day, "fri": day},
	}
}

// rules are the terms that apply now, and all that ever did.
type rules struct{ now, known []clock.Terms }

func (r *rules) Applicable(_ time.Time, c clock.Case) (terms []clock.Terms) {
	for _, t := range r.now {
		if t.Definition.Matches(c) {
			terms = append(terms, t)
		}
	}
	return terms
}

func (r *rules) Terms(definition, cal clock.Version) (clock.Terms, bool) {
	i := slices.IndexFunc(r.known, func(t clock.Terms) bool { return t.ID == definition && t.CalendarID == cal })
	if i < 0 {
		return clock.Terms{}, false
	}
	return r.known[i], true
}

func (*rules) TZ() string { return "2026a" }

// set makes terms the ones that apply.
func (r *rules) set(terms ...clock.Terms) {
	r.now = terms
	r.known = append(r.known, terms...)
}

// desk keeps the clocks of one case.
type desk struct {
	clock.Engine
	t     *testing.T
	rules *rules
	board clock.Board
	c     clock.Case
}

func newDesk(t *testing.T, terms ...clock.Terms) *desk {
	t.Helper()
	r := &rules{}
	r.set(terms...)
	return &desk{Engine: clock.Engine{Rules: r}, t: t, rules: r}
}

// terms are a definition in a calendar, as version 1 of both.
func terms(t *testing.T, d clock.Definition, c calendar.Definition) clock.Terms {
	t.Helper()
	compiled, err := calendar.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return clock.Terms{
		Definition: d, ID: clock.Version{ID: "pack/" + d.ID(), Version: 1},
		CalendarID: clock.Version{ID: "cal", Version: 1}, Calendar: compiled,
	}
}

// version returns the same terms as another version of their definition.
func version(t clock.Terms, n int, change func(*clock.Definition)) clock.Terms {
	t.ID.Version = n
	change(&t.Definition)
	return t
}

// resolution is a clock from received to resolved that pauses for the customer.
func resolution(budget int, unit clock.Unit) clock.Definition {
	return clock.Definition{
		Clock: "resolution", Start: []string{"received"}, Stop: []string{"resolved"}, Budget: budget, Unit: unit, Calendar: "cal",
		Pause: []string{"customer"},
	}
}

func (d *desk) take(events []clock.Event) []clock.Event {
	for _, e := range events {
		d.board = d.board.Evolve(e)
	}
	return events
}

func (d *desk) fact(name, when string) []clock.Event {
	return d.take(d.Fact(d.board, d.c, name, at(when)))
}

func (d *desk) pause(when string) []clock.Event {
	return d.take(d.Pause(d.board, "customer", at(when)))
}
func (d *desk) resume(when string) []clock.Event { return d.take(d.Resume(d.board, at(when))) }
func (d *desk) lapse(when string) []clock.Event  { return d.take(d.Lapse(d.board, at(when))) }

func (d *desk) supersede(when string, why clock.Change) []clock.Event {
	return d.take(d.Supersede(d.board, d.c, at("03-02 10:00"), at(when), why))
}

// due checks the due time of the newest instance.
func (d *desk) due(want string) {
	d.t.Helper()
	if n := len(d.board.Instances); n == 0 {
		d.t.Fatal("no clock was started")
	} else if got := d.board.Instances[n-1].Due; !got.Equal(at(want)) {
		d.t.Fatalf("due %v, want %v", got, at(want))
	}
}

// counted checks the stretches of the newest promise.
func (d *desk) counted(want ...clock.Span) {
	d.t.Helper()
	same(d.t, d.board.Instances[len(d.board.Instances)-1].Promise.Counted, want)
}

func same[V any](t *testing.T, got, want V) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}

func none(t *testing.T, got []clock.Event) {
	t.Helper()
	if len(got) != 0 {
		t.Fatalf("got %+v, want no events", got)
	}
}

const hour, minute = 3600, 60
