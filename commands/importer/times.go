package importer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// timeReader reads the times of a source.
type timeReader struct {
	zone    *time.Location
	layouts []string
}

// Special patterns.
const (
	patternISO   = "iso8601"
	patternExcel = "excel"
	patternUnix  = "unix"
)

// errTime says that no pattern fits.
var errTime = errors.New("no time pattern fits")

// Pattern returns the Go layout of a pattern in the letters of Unicode's date patterns: yyyy yy MM M MMM dd d HH H hh h mm m ss s
// SSS a XXX Z, with other characters standing for themselves. One-letter fields read one or two digits.
func Pattern(p string) (string, error) {
	tokens := []struct{ from, to string }{
		{"yyyy", "2006"}, {"yy", "06"}, {"MMMM", "January"}, {"MMM", "Jan"}, {"MM", "01"}, {"M", "1"}, {"dd", "02"}, {"d", "2"},
		{"HH", "15"}, {"H", "15"}, {"hh", "03"}, {"h", "3"}, {"mm", "04"}, {"m", "4"}, {"ss", "05"}, {"s", "5"},
		{"SSSSSS", "000000"}, {"SSS", "000"}, {"a", "PM"}, {"XXX", "Z07:00"}, {"Z", "-0700"},
	}
	var out strings.Builder
	for rest := p; rest != ""; {
		matched := false
		for _, t := range tokens {
			if strings.HasPrefix(rest, t.from) {
				out.WriteString(t.to)
				rest = rest[len(t.from):]
				matched = true
				break
			}
		}
		if matched {
			continue
		}
		c := rest[0]
		if 'a' <= c && c <= 'z' && c != 'T' || 'A' <= c && c <= 'Z' && c != 'T' {
			return "", fmt.Errorf("time pattern %q: letter %q is not known", p, string(c))
		}
		if '0' <= c && c <= '9' {
			return "", fmt.Errorf("time pattern %q: a digit stands for nothing", p)
		}
		out.WriteByte(c)
		rest = rest[1:]
	}
	return out.String(), nil
}

func (m *Mapping) clock() (*timeReader, error) {
	t := &timeReader{zone: time.UTC}
	if m.Zone != "" {
		zone, err := time.LoadLocation(m.Zone)
		if err != nil {
			return nil, fmt.Errorf("zone: %q is not an IANA zone", m.Zone)
		}
		t.zone = zone
	}
	patterns := m.Times
	if len(patterns) == 0 {
		patterns = []string{patternISO}
	}
	for _, p := range patterns {
		switch p {
		case patternISO:
			t.layouts = append(t.layouts, time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02")
		case patternExcel, patternUnix:
			t.layouts = append(t.layouts, p)
		default:
			layout, err := Pattern(p)
			if err != nil {
				return nil, fmt.Errorf("times: %w", err)
			}
			t.layouts = append(t.layouts, layout)
		}
	}
	return t, nil
}

// parse reads a time and returns it in UTC. A wall time that a change of clocks repeats is its first occurrence; one that
// it skips is moved past the gap.
func (t *timeReader) parse(s string) (time.Time, error) {
	for _, layout := range t.layouts {
		var at time.Time
		var err error
		switch layout {
		case patternExcel:
			at, err = t.excel(s)
		case patternUnix:
			var seconds int64
			seconds, err = strconv.ParseInt(s, 10, 64)
			at = time.Unix(seconds, 0)
		default:
			at, err = time.ParseInLocation(layout, s, t.zone)
		}
		if err == nil && at.Year() >= 1900 && at.Year() < 2200 {
			return at.UTC(), nil
		}
	}
	return time.Time{}, errTime
}

func (t *timeReader) excel(s string) (time.Time, error) {
	serial, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return time.Time{}, err
	}
	wall, err := excelize.ExcelDateToTime(serial, false)
	if err != nil {
		return time.Time{}, err
	}
	return time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, t.zone), nil
}
