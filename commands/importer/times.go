package importer

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"aftercare/commands/importer/table"
)

// timeReader reads the times of a source.
type timeReader struct {
	zone     *time.Location
	patterns []pattern
}

// pattern is one way to read a time.
type pattern struct {
	special string
	layout  string
	offset  bool // the text says how far from UTC it is
	noon    bool // the text says whether it is before noon
}

// Special patterns.
const (
	patternISO   = "iso8601"
	patternExcel = "excel"
	patternUnix  = "unix"
)

var isoLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z0700",
	"2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05 Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
}

// errTime says that no pattern fits.
var errTime = errors.New("no time pattern fits")

func iso() []pattern {
	patterns := make([]pattern, len(isoLayouts))
	for i, layout := range isoLayouts {
		patterns[i] = pattern{layout: layout, offset: strings.Contains(layout, "Z07")}
	}
	return patterns
}

func (m *Mapping) clock() (*timeReader, error) {
	t := &timeReader{zone: time.UTC}
	var problems []error
	if m.Zone != "" {
		zone, err := time.LoadLocation(m.Zone)
		if err != nil || m.Zone == "Local" { // which is another place on every machine
			problems = append(problems, fmt.Errorf("zone: %q is not an IANA zone", m.Zone))
		} else {
			t.zone = zone
		}
	}
	names := m.Times
	if len(names) == 0 {
		names = []string{patternISO}
	}
	for i, name := range names {
		switch name {
		case patternISO:
			t.patterns = append(t.patterns, iso()...)
		case patternExcel, patternUnix:
			t.patterns = append(t.patterns, pattern{special: name})
		default:
			layout, err := Pattern(name)
			if err != nil {
				problems = append(problems, fmt.Errorf("times[%d]: %w", i, err))
			}
			t.patterns = append(t.patterns, pattern{
				layout: layout, offset: strings.Contains(layout, "Z07:00") || strings.Contains(layout, "-0700"), noon: strings.Contains(layout, "PM"),
			})
		}
	}
	return t, errors.Join(problems...)
}

// Instants are from 1900 to 2199: what lies outside is a mistake, or stands for "not known".
var (
	earliest = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// parse reads a time by the first pattern that fits and returns it in UTC. In a workbook, where dates are numbers or text, the number of
// a day and ISO 8601 are tried last.
//
// A wall time that a change of clocks repeats is its first occurrence; one that it skips is moved past the gap by the gap's length, so
// that 02:30 is 03:30.
func (t *timeReader) parse(s string, dates table.Dates) (time.Time, error) {
	for _, p := range t.patterns {
		if at, ok := t.read(p, s, dates); ok {
			return at, nil
		}
	}
	if dates != table.Text {
		for _, p := range append([]pattern{{special: patternExcel}}, iso()...) {
			if at, ok := t.read(p, s, dates); ok {
				return at, nil
			}
		}
	}
	return time.Time{}, errTime
}

func (t *timeReader) read(p pattern, s string, dates table.Dates) (at time.Time, ok bool) {
	var err error
	switch {
	case p.special == patternUnix:
		var seconds int64
		seconds, err = strconv.ParseInt(s, 10, 64)
		if err == nil && seconds >= earliest.Unix() && seconds < latest.Unix() {
			at = time.Unix(seconds, 0).UTC()
		}
	case p.special == patternExcel:
		if at, ok = serial(s, dates); ok {
			at = resolve(at, t.zone)
		}
	case p.noon:
		at, err = time.Parse(p.layout, noon.Replace(strings.ToUpper(s)))
	default:
		at, err = time.Parse(p.layout, s)
	}
	if err == nil && p.special == "" && !p.offset {
		at = resolve(at, t.zone)
	}
	if err != nil || at.Before(earliest) || !at.Before(latest) {
		return time.Time{}, false
	}
	return at.UTC(), true
}

// noon turns the words for the halves of a day into those of Go's layouts.
var noon = strings.NewReplacer("上午", "AM", "下午", "PM", "A.M.", "AM", "P.M.", "PM")

// resolve returns the instant at which clocks in a zone show a wall time, which is given as if it were UTC. Package time does not say
// which of two it takes, and takes different ones east and west of Greenwich.
func resolve(wall time.Time, zone *time.Location) time.Time {
	shown := func(around time.Duration) (time.Time, bool) {
		_, offset := wall.Add(around).In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second)
		_, actual := at.In(zone).Zone()
		return at, actual == offset
	}
	before, ok := shown(-24 * time.Hour)
	if ok {
		return before
	}
	if after, ok := shown(24 * time.Hour); ok {
		return after
	}
	return before
}

// lastSerial is the number of the last day of 2199 in a workbook that counts from 1900.
const lastSerial = 109_574

// serial reads the number of a day in a workbook, to the second, as if the wall time were UTC. A workbook from 1900 has a day too many in
// its first February.
func serial(s string, dates table.Dates) (time.Time, bool) {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 0 && n < lastSerial+1) {
		return time.Time{}, false
	}
	day, fraction := math.Modf(n)
	wall := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case dates == table.Since1904:
		wall = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case day < 1:
		return time.Time{}, false // a time of day without a day
	case day < 60:
		wall = wall.AddDate(0, 0, 1)
	}
	return wall.AddDate(0, 0, int(day)).Add(time.Duration(math.Round(fraction*86_400)) * time.Second), true
}
