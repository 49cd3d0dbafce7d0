package holidays

import (
	"cmp"
	"slices"

	"aftercare/domain/calendar"
)

// Day is a day that a feed says something of.
type Day struct {
	Date calendar.Date
	Name string
}

// Feed is what one or more files say.
type Feed struct {
	// Off are free days, Worked are days that are worked although they would be free, and Observed are neither: they only have a name. Each is in
	// the order of dates, with every date once.
	Off, Worked, Observed []Day
	// Years are those that the files are complete for, in their order.
	Years []int
	// Papers are the notices that the days are from.
	Papers []string
	// Skipped says what could not be taken, and why.
	Skipped []string
}

// Merge returns what several feeds say together. A date that is worked is not off.
func Merge(feeds ...Feed) Feed {
	var all Feed
	for _, f := range feeds {
		all.Off, all.Worked, all.Observed = append(all.Off, f.Off...), append(all.Worked, f.Worked...), append(all.Observed, f.Observed...)
		all.Years, all.Papers, all.Skipped = append(all.Years, f.Years...), append(all.Papers, f.Papers...), append(all.Skipped, f.Skipped...)
	}
	all.Worked = once(all.Worked)
	all.Off = slices.DeleteFunc(once(all.Off), func(d Day) bool { return has(all.Worked, d.Date) })
	all.Observed = slices.DeleteFunc(once(all.Observed), func(d Day) bool { return has(all.Off, d.Date) || has(all.Worked, d.Date) })
	slices.Sort(all.Years)
	all.Years = slices.Compact(all.Years)
	slices.Sort(all.Papers)
	all.Papers = slices.Compact(all.Papers)
	return all
}

// Within leaves out the days of years besides those from first to last, both included, and says that the feed is complete for all of them.
func (f Feed) Within(first, last int) Feed {
	inside := func(days []Day) []Day {
		return slices.DeleteFunc(slices.Clone(days), func(d Day) bool { return d.Date.Year < first || d.Date.Year > last })
	}
	f.Off, f.Worked, f.Observed, f.Years = inside(f.Off), inside(f.Worked), inside(f.Observed), nil
	for year := first; year <= last; year++ {
		f.Years = append(f.Years, year)
	}
	return f
}

// Calendar returns the calendar of a zone and a week with these days off. Worked days have the hours given. The known years are those that the feed
// is complete for, without a gap, up to its last one.
func (f Feed) Calendar(zone string, week map[string][]calendar.Interval, worked []calendar.Interval) calendar.Definition {
	d := calendar.Definition{Zone: zone, Week: week, Holidays: dates(f.Off), Makeup: dates(f.Worked)}
	if len(f.Worked) > 0 {
		d.MakeupHours = worked
	}
	if n := len(f.Years); n > 0 {
		first := n - 1
		for first > 0 && f.Years[first-1] == f.Years[first]-1 {
			first--
		}
		d.Known = &calendar.Years{From: f.Years[first], To: f.Years[n-1]}
	}
	return d
}

func dates(days []Day) (texts []string) {
	for _, d := range days {
		texts = append(texts, d.Date.String())
	}
	return texts
}

func has(days []Day, date calendar.Date) bool {
	_, found := slices.BinarySearchFunc(days, date, func(d Day, date calendar.Date) int { return d.Date.Compare(date) })
	return found
}

// once sorts days by date, with the first name that each has.
func once(days []Day) []Day {
	slices.SortStableFunc(days, func(a, b Day) int { return a.Date.Compare(b.Date) })
	return slices.CompactFunc(days, func(a, b Day) bool { return a.Date == b.Date })
}

// Count is how many days of a year are off, and worked instead.
type Count struct{ Year, Off, Worked int }

// Counts returns what there is of each year.
func (f Feed) Counts() []Count {
	counts := make(map[int]*Count)
	of := func(d Day) *Count {
		if counts[d.Date.Year] == nil {
			counts[d.Date.Year] = &Count{Year: d.Date.Year}
		}
		return counts[d.Date.Year]
	}
	for _, d := range f.Off {
		of(d).Off++
	}
	for _, d := range f.Worked {
		of(d).Worked++
	}
	all := make([]Count, 0, len(counts))
	for _, c := range counts {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Count) int { return cmp.Compare(a.Year, b.Year) })
	return all
}
