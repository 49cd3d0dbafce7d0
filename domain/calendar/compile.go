package calendar

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"aftercare/domain"
)

// hours are an opening and a closing in seconds after local midnight.
type hours struct{ open, close int64 }

// exception is a date whose hours are not those of its weekday.
type exception struct {
	day   int64
	hours []hours
}

// Calendar answers questions about open time. The zero Calendar is not usable; make one with New.
type Calendar struct {
	zone       *time.Location
	week       [daysPerWeek][]hours
	exceptions []exception // in the order of their days
	weekly     bool        // some weekday has hours
	always     bool        // every instant is open
	known      *stretch    // the years that are published, nil for all
}

// New compiles a definition. It refuses a bad one with DefinitionErrors, all of them at once.
func New(d Definition) (*Calendar, error) {
	var b builder
	c := &Calendar{zone: b.zone(d.Zone)}
	b.week(c, d.Week)
	b.exceptions(c, d)
	b.known(c, d)
	if len(b.problems) > 0 {
		return nil, b.problems
	}
	c.always = len(c.exceptions) == 0
	for _, day := range c.week {
		c.weekly = c.weekly || len(day) > 0
		c.always = c.always && len(day) == 1 && day[0] == hours{0, secondsPerDay}
	}
	return c, nil
}

// Zone returns the location whose wall time the calendar is written in.
func (c *Calendar) Zone() *time.Location { return c.zone }

// builder collects problems while a definition is compiled.
type builder struct{ problems DefinitionErrors }

func (b *builder) refuse(code, field string, pairs ...string) {
	b.problems = append(b.problems, domain.Refuse(domain.Invalid, "calendar."+code, append(pairs, "field", field)...))
}

func (b *builder) zone(name string) *time.Location {
	// "" and "Local" mean something to LoadLocation, and "Local" something else on every machine.
	if name != "" && name != "Local" {
		if zone, err := time.LoadLocation(name); err == nil {
			return zone
		}
	}
	b.refuse("unknown-zone", "zone", "value", name)
	return nil
}

func (b *builder) week(c *Calendar, week map[string][]Interval) {
	for _, name := range dayNames {
		if list, ok := week[name]; ok {
			day, _ := parseDay(name)
			c.week[day] = b.hours("week."+name, list)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(week)) {
		if _, ok := parseDay(name); !ok {
			b.refuse("unknown-day", "week", "value", name)
		}
	}
}

// hours checks the intervals of a day. Two that touch become one.
func (b *builder) hours(field string, list []Interval) []hours {
	var out []hours
	for i, interval := range list {
		place := field + "[" + strconv.Itoa(i) + "]"
		if len(interval) != 2 {
			b.refuse("malformed-interval", place, "value", strings.Join(interval, ","))
			continue
		}
		opening, ok := b.clock(place, interval[0])
		closing, ok2 := b.clock(place, interval[1])
		if !ok || !ok2 {
			continue
		}
		h := hours{opening, closing}
		if h.close <= h.open {
			b.refuse("empty-interval", place, "from", interval[0], "to", interval[1])
			continue
		}
		if n := len(out); n > 0 {
			switch last := &out[n-1]; {
			case h.open == last.close:
				last.close = h.close
				continue
			case h.open < last.close && h.close > last.open:
				b.refuse("overlapping-intervals", place, "from", interval[0], "to", interval[1])
				continue
			case h.open < last.close:
				b.refuse("unsorted-intervals", place, "from", interval[0], "to", interval[1])
				continue
			}
		}
		out = append(out, h)
	}
	return out
}

func (b *builder) clock(place, s string) (int64, bool) {
	seconds, ok := parseClock(s)
	if !ok {
		b.refuse("malformed-time", place, "value", s)
	}
	return seconds, ok
}

func (b *builder) exceptions(c *Calendar, d Definition) {
	days := make(map[int64][]hours, len(d.Holidays)+len(d.Makeup))
	for _, n := range b.dates("holidays", d.Holidays) {
		days[n] = nil
	}
	worked := b.hours("makeupHours", d.MakeupHours)
	for _, n := range b.dates("makeup", d.Makeup) {
		days[n] = worked
	}
	if len(d.Makeup) > 0 && len(d.MakeupHours) == 0 {
		b.refuse("missing-makeup-hours", "makeupHours")
	}
	for _, n := range slices.Sorted(maps.Keys(days)) {
		c.exceptions = append(c.exceptions, exception{day: n, hours: days[n]})
	}
}

func (b *builder) dates(field string, list []string) []int64 {
	out := make([]int64, 0, len(list))
	for i, s := range list {
		d, err := ParseDate(s)
		if err != nil {
			b.refuse("malformed-date", field+"["+strconv.Itoa(i)+"]", "value", s)
			continue
		}
		out = append(out, d.number())
	}
	return out
}

func (b *builder) known(c *Calendar, d Definition) {
	if d.Known == nil {
		return
	}
	first, last := d.Known.From, d.Known.To
	if first < 1 || last < first || last > lastYear {
		b.refuse("bad-years", "known", "from", strconv.Itoa(first), "to", strconv.Itoa(last))
		return
	}
	if c.zone != nil {
		start := func(year int) instant { return instantOf(time.Date(year, time.January, 1, 0, 0, 0, 0, c.zone)) }
		c.known = &stretch{start(first), start(last + 1)}
	}
}

const lastYear = 9998

// Provisional reports whether [from, to) reaches into years whose holidays are not published: it may turn out to have other open time.
func (c *Calendar) Provisional(from, to time.Time) bool {
	return c.known != nil && (instantOf(from).before(c.known.from) || c.known.to.before(instantOf(to)))
}
