package importer_test

import (
	"strconv"
	"testing"
	"time"

	"aftercare/commands/importer"
	"aftercare/commands/importer/table"
)

func TestPattern(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"yyyy-MM-dd HH:mm:ss":          "2006-01-02 15:04:05",
		"M/d/yy h:mm a":                "1/2/06 3:04 PM",
		"yyyyMMddHHmmss":               "20060102150405",
		"yyyy-MM-dd'T'HH:mm:ss.SSSXXX": "2006-01-02T15:04:05.000Z07:00",
		"d MMM yyyy":                   "2 Jan 2006",
		"MMMM d, yyyy":                 "January 2, 2006",
		"yyyy年M月d日 H时m分":               "2006年1月2日 15时4分",
		"dd.MM.yyyy HH 'o''clock' ''":  "02.01.2006 15 o'clock '",
		"dd.MM.yyyy 'o''clock":         "",
		"d.M.yyyy 'at' HH.mm Z":        "2.1.2006 at 15.04 -0700",
		"yyyy":                         "",
		"HH:mm":                        "",
		"yyyy-MM-dd hh:mm":             "",
		"yyyy-MM-dd QQ":                "",
		"yyyy-MM-dd SSS":               "",
		"yyyy-MM-dd 'T":                "",
		"yyyy-MM-dd Ms":                "",
		"yyyyMd":                       "",
		"yyyy-Md":                      "",
		"yyyy-MM-ddHHmm":               "2006-01-021504",
		"yyyy-M-d ah:mm":               "2006-1-2 PM3:04",
		"yyyy7M7d":                     "",
		"yyyy-MM_d":                    "",
		"yyyy-MM-dd 15":                "",
		"":                             "",
	} {
		got, err := importer.Pattern(pattern)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Pattern(%q) = %q, %v; want %q", pattern, got, err, want)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	const newYork, berlin, shanghai, lordHowe = "America/New_York", "Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe"
	for _, c := range []struct {
		zone, pattern, text, want string
		dates                     table.Dates
	}{
		{"", "", "2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z", 0},
		{"", "", "2026-03-01T09:00:00+08:00", "2026-03-01T01:00:00Z", 0},
		{"", "", "2026-03-01T09:00:00.123-0500", "2026-03-01T14:00:00.123Z", 0},
		{shanghai, "", "2026-03-01 09:00:00Z", "2026-03-01T09:00:00Z", 0},
		{shanghai, "", "2026-03-01 09:00:00", "2026-03-01T01:00:00Z", 0},
		{shanghai, "", "2026-03-01T09:00:00,5", "2026-03-01T01:00:00.5Z", 0},
		{shanghai, "", "2026-03-01", "2026-02-28T16:00:00Z", 0},
		{"", "", "2026-02-30", "", 0},
		{"", "", "2026-03-01T24:00:00Z", "", 0},
		{"", "", "0001-01-01", "", 0},
		{"", "", "2200-01-01", "", 0},
		{"", "", "1900-01-01", "1900-01-01T00:00:00Z", 0},

		{"", "d/M/yyyy HH:mm", "1/2/2016 09:05", "2016-02-01T09:05:00Z", 0},
		{"", "d/M/yyyy HH:mm", "01/02/2016 9:05", "2016-02-01T09:05:00Z", 0},
		{"", "d/M/yyyy HH:mm", "1/13/2016 09:05", "", 0},
		{"", "dd/MM/yyyy HH:mm", "1/2/2016 09:05", "", 0},
		{"", "dd/MM/yyyy HH:mm", "01/02/2016 9:05", "2016-02-01T09:05:00Z", 0},
		{"", "dd/MM/yyyy HH:mm", "01/02/2016 09:5", "", 0},
		{"", "d/M/yyyy H:m:s", "1/2/2016 9:5:07", "2016-02-01T09:05:07Z", 0},
		{"", "d/M/yyyy H:mm:ss", "1/2/2016 9:05:07.25", "2016-02-01T09:05:07.25Z", 0},
		{"", "d/M/yyyy H:mm", "1/2/2016 9:05 x", "", 0},

		{"", "M/d/yyyy h:mm a", "2/1/2016 12:00 AM", "2016-02-01T00:00:00Z", 0},
		{"", "M/d/yyyy h:mm a", "2/1/2016 12:00 pm", "2016-02-01T12:00:00Z", 0},
		{"", "M/d/yyyy h:mm a", "2/1/2016 11:59 p.m.", "2016-02-01T23:59:00Z", 0},
		{"", "M/d/yyyy h:mm a", "2/1/2016 13:00 PM", "", 0},
		{"", "M/d/yyyy h:mm a", "2/1/2016 1:00", "", 0},
		{"", "yyyy/M/d ah:mm", "2016/2/1 下午3:04", "2016-02-01T15:04:00Z", 0},
		{"", "d MMM yyyy", "7 feb 2016", "2016-02-07T00:00:00Z", 0},
		{"", "d MMM yyyy h:mm a", "7 Feb 2016 1:02 am", "2016-02-07T01:02:00Z", 0},
		{shanghai, "yyyy年M月d日 H:mm", "2016年2月1日 8:00", "2016-02-01T00:00:00Z", 0},
		{shanghai, "d.M.yyyy H:mm XXX", "1.2.2016 8:00 +02:00", "2016-02-01T06:00:00Z", 0},
		{shanghai, "d.M.yyyy H:mm XXX", "1.2.2016 8:00 Z", "2016-02-01T08:00:00Z", 0},

		// Gaps: clocks skip an hour, and half an hour on Lord Howe Island.
		{newYork, "", "2015-03-08 01:59:59", "2015-03-08T06:59:59Z", 0},
		{newYork, "", "2015-03-08 02:00:00", "2015-03-08T07:00:00Z", 0},
		{newYork, "", "2015-03-08 02:30:00", "2015-03-08T07:30:00Z", 0},
		{newYork, "", "2015-03-08 03:00:00", "2015-03-08T07:00:00Z", 0},
		{berlin, "", "2015-03-29 02:30:00", "2015-03-29T01:30:00Z", 0},
		{berlin, "", "2015-03-29 03:30:00", "2015-03-29T01:30:00Z", 0},
		{lordHowe, "", "2015-10-04 02:15:00", "2015-10-03T15:45:00Z", 0},
		// Folds: clocks show an hour twice, and the first counts.
		{newYork, "", "2015-11-01 00:59:59", "2015-11-01T04:59:59Z", 0},
		{newYork, "", "2015-11-01 01:30:00", "2015-11-01T05:30:00Z", 0},
		{newYork, "", "2015-11-01 02:00:00", "2015-11-01T07:00:00Z", 0},
		{berlin, "", "2015-10-25 02:30:00", "2015-10-25T00:30:00Z", 0},
		{berlin, "", "2015-10-25 03:00:00", "2015-10-25T02:00:00Z", 0},
		{newYork, "excel", "42071.104166666664", "2015-03-08T07:30:00Z", 0},
		// A day that was skipped.
		{"Pacific/Apia", "", "2011-12-30 12:00:00", "2011-12-30T22:00:00Z", 0},

		{"", "excel", "43466", "2019-01-01T00:00:00Z", 0},
		{"", "excel", "43466.999988425923", "2019-01-01T23:59:59Z", 0},
		{"", "excel", "43466.9999999", "2019-01-02T00:00:00Z", 0},
		{"", "excel", "43466.5000057", "2019-01-01T12:00:00Z", 0},
		{"", "excel", "43466.000005788", "2019-01-01T00:00:01Z", 0},
		{"", "excel", "1", "1900-01-01T00:00:00Z", 0},
		{"", "excel", "59", "1900-02-28T00:00:00Z", 0},
		{"", "excel", "61", "1900-03-01T00:00:00Z", 0},
		{"", "excel", "0.5", "", 0},
		{"", "excel", "-1", "", 0},
		{"", "excel", "109574.9", "2199-12-31T21:36:00Z", 0},
		{"", "excel", "109575", "", 0},
		{"", "excel", "1e300", "", 0},
		{"", "excel", "NaN", "", 0},
		{"", "excel", "Inf", "", 0},
		{"", "excel", "20190101", "", 0},
		{"", "excel", "2019-01-01", "", 0},
		{"", "excel", "42004", "2019-01-01T00:00:00Z", table.Since1904},
		{"", "excel", "0", "1904-01-01T00:00:00Z", table.Since1904},
		// In a workbook numbers are tried after what the mapping says, and then ISO 8601.
		{"", "M/d/yyyy", "43466", "2019-01-01T00:00:00Z", table.Since1900},
		{"", "M/d/yyyy", "43466", "", table.Text},
		{"", "M/d/yyyy", "2019-01-01T01:02:03", "2019-01-01T01:02:03Z", table.Since1900},
		{"", "M/d/yyyy", "2019-01-01T01:02:03", "", table.Text},
		{"", "yyyyMMdd", "20190101", "2019-01-01T00:00:00Z", table.Since1900},

		{"", "unix", "0", "1970-01-01T00:00:00Z", 0},
		{newYork, "unix", "1546300800", "2019-01-01T00:00:00Z", 0},
		{"", "unix", "-2208988800", "1900-01-01T00:00:00Z", 0},
		{"", "unix", "-2208988801", "", 0},
		{"", "unix", "1546300800000", "", 0},
		{"", "unix", "9223372036854775807", "", 0},
		{"", "unix", "1546300800.5", "", 0},
	} {
		m := &importer.Mapping{Zone: c.zone}
		if c.pattern != "" {
			m.Times = []string{c.pattern}
		}
		at, err := importer.ParseTime(m, c.text, c.dates)
		got := ""
		if err == nil {
			got = at.Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%q as %q in %q = %q (%v), want %q", c.text, c.pattern, c.zone, got, err, c.want)
		}
	}
}

// TestWallTimesComeBack holds every quarter of an hour of a year against what clocks show.
func TestWallTimesComeBack(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"America/New_York", "Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		m := &importer.Mapping{Zone: name}
		last := ""
		for at := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() == 2015; at = at.Add(15 * time.Minute) {
			wall := at.In(zone).Format(time.DateTime)
			got, err := importer.ParseTime(m, wall, table.Text)
			if err != nil {
				t.Fatal(err)
			}
			again := at.Add(-time.Hour).In(zone).Format(time.DateTime) == wall || at.Add(-30*time.Minute).In(zone).Format(time.DateTime) == wall
			if !again && !got.Equal(at) || again && !got.Before(at) {
				t.Errorf("%s in %s is %s, want %s (again: %t)", wall, name, got, at, again)
			}
			last = wall
		}
		if last == "" {
			t.Error("no time was tried")
		}
	}
}

func FuzzTime(f *testing.F) {
	f.Add("yyyy-MM-dd HH:mm", "2026-01-02 03:04", "Europe/Berlin")
	f.Add("d.M.yy h a", "1.2.26 12 pm", "")
	f.Add("excel", "1e5", "UTC")
	f.Add("unix", "-1", "")
	f.Fuzz(func(t *testing.T, pattern, text, zone string) {
		m := &importer.Mapping{Zone: zone, Times: []string{pattern}}
		for _, dates := range []table.Dates{table.Text, table.Since1900, table.Since1904} {
			at, err := importer.ParseTime(m, text, dates)
			if err == nil && (at.Year() < 1899 || at.Year() > 2200 || at.Location() != time.UTC) {
				t.Errorf("%q as %q is %s", text, pattern, at)
			}
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", int64(1_500_000_000))
	f.Add("MMMM d, yy h:mm a Z", int64(1))
	f.Fuzz(func(t *testing.T, pattern string, seconds int64) {
		layout, err := importer.Pattern(pattern)
		if err != nil {
			return
		}
		at := time.Unix(seconds%4_000_000_000, 0).UTC()
		back, err := time.Parse(layout, at.Format(layout))
		if err != nil || back.YearDay() != at.YearDay() || back.Year()%100 != at.Year()%100 {
			t.Errorf("pattern %s: %s comes back from %q as %s, %v", strconv.Quote(pattern), at, at.Format(layout), back, err)
		}
	})
}
