package calendar_test

import (
	"archive/tar"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/ulikunitz/xz"

	"aftercare/domain/calendar"
)

// The due times a real city set for its own requests: two types whose rule is known to hold for every row, and two in
// which single rows were set by hand.
func TestBostonDueTimesAreWorkingDaysLater(t *testing.T) {
	t.Parallel()
	day := []calendar.Interval{{"08:30", "17:00"}}
	c := calendarOf(t, calendar.Definition{
		Zone: "America/New_York",
		Week: map[string][]calendar.Interval{"mon": day, "tue": day, "wed": day, "thu": day, "fri": day},
		Holidays: []string{
			"2015-01-01", "2015-01-19", "2015-02-16", "2015-04-20", "2015-05-25", "2015-09-07", "2015-10-12",
			"2015-11-11", "2015-11-26", "2015-12-25", "2016-01-01", "2016-01-18", "2016-02-15",
		},
	})
	want := map[string]struct{ days, met, of int }{
		"Building Inspection Request":              {3, 4961, 4961},
		"Electrical":                               {5, 1357, 1357},
		"CE Collection":                            {1, 4918, 4929},
		"General Comments For a Program or Policy": {10, 4837, 4840},
	}
	seen := 0
	bostonFiles(t, func(name string, rows [][2]time.Time) {
		w, ok := want[name]
		if !ok {
			return
		}
		seen++
		met := 0
		for _, row := range rows {
			due, _, err := c.AddWorkdays(row[0], w.days)
			if err != nil {
				t.Fatal(err)
			}
			if due.Sub(row[1]).Abs() <= 2*time.Minute {
				met++
			}
		}
		if met != w.met || len(rows) != w.of {
			t.Errorf("%s: got %d of %d, want %d of %d", name, met, len(rows), w.met, w.of)
		}
	}, c.Zone())
	if seen != len(want) {
		t.Errorf("got %d types, want %d", seen, len(want))
	}
}

// bostonFiles calls yield for each type of request with the openings and targets of the rows that have both.
func bostonFiles(t *testing.T, yield func(name string, rows [][2]time.Time), zone *time.Location) {
	t.Helper()
	f, err := os.Open("../../../shared/data/boston311/boston311_2015_types_A-G.tar.xz")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the shared data are not beside this repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	packed, err := xz.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(packed); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if name, ok := strings.CutSuffix(path.Base(header.Name), ".csv"); ok {
			yield(name, bostonRows(t, archive, zone))
		}
	}
}

func bostonRows(t *testing.T, r io.Reader, zone *time.Location) [][2]time.Time {
	t.Helper()
	records, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range records[0] {
		column[name] = i
	}
	var rows [][2]time.Time
	for _, record := range records[1:] {
		var row [2]time.Time
		for i, name := range [...]string{"OPEN_DT", "TARGET_DT"} {
			text := record[column[name]]
			if text == "" {
				continue
			}
			if row[i], err = time.ParseInLocation("01/02/2006 03:04:05 PM", text, zone); err != nil {
				t.Fatal(err)
			}
		}
		if !row[1].IsZero() {
			rows = append(rows, row)
		}
	}
	return rows
}
