package policies_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/commands/policies"
	"aftercare/commands/policies/holidays"
	"aftercare/domain/calendar"
)

func preset(t *testing.T, id string) (calendar.Definition, *calendar.Calendar) {
	t.Helper()
	for _, v := range policies.Default() {
		if v.ID == id {
			c, err := calendar.New(*v.Calendar)
			if err != nil {
				t.Fatal(err)
			}
			return *v.Calendar, c
		}
	}
	t.Fatalf("there is no %s", id)
	return calendar.Definition{}, nil
}

// The counts are of others, who did not count by this program.
func TestWorkingDaysOfChina(t *testing.T) {
	t.Parallel()
	d, c := preset(t, "cn")
	workdays, makeup := make([]int, 12), make([]int, 12)
	for day := (calendar.Date{Year: 2015, Month: time.January, Day: 1}); day.Year <= 2026; day = day.AddDays(1) {
		if c.IsWorkday(day) {
			workdays[day.Year-2015]++
		}
		if slices.Contains(d.Makeup, day.String()) {
			makeup[day.Year-2015]++
		}
	}
	if diff := cmp.Diff([]int{249, 250, 249, 250, 250, 249, 250, 249, 249, 251, 248, 248}, workdays); diff != "" {
		t.Errorf("working days of 2015 to 2026 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{5, 6, 5, 7, 6, 7, 7, 7, 7, 8, 5, 6}, makeup); diff != "" {
		t.Errorf("make-up days of 2015 to 2026 (-want +got):\n%s", diff)
	}
}

func TestTheCalendarOfChinaIsThatOfTheNotices(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../../../shared/data/holidays-cn/20[12]*.json")
	if err != nil || len(names) == 0 {
		t.Skip("the shared data are not beside this repository")
	}
	d, _ := preset(t, "cn")
	var feeds []holidays.Feed
	for _, name := range names {
		if filepath.Base(name) < "2015" {
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		feed, err := holidays.ReadJSON(f)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		feeds = append(feeds, feed)
	}
	if diff := cmp.Diff(holidays.Merge(feeds...).Calendar(d.Zone, d.Week, d.MakeupHours), d); diff != "" {
		t.Errorf("(-the notices +the preset):\n%s", diff)
	}
}

// nth is the n-th of a weekday in a month, counted from its end when n is negative.
func nth(year int, month time.Month, weekday time.Weekday, n int) calendar.Date {
	d, step := calendar.Date{Year: year, Month: month, Day: 1}, 1
	if n < 0 {
		d, step, n = calendar.Date{Year: year, Month: month + 1, Day: 1}.AddDays(-1), -1, -n
	}
	for ; ; d = d.AddDays(step) {
		if d.Weekday() == weekday {
			if n--; n == 0 {
				return d
			}
		}
	}
}

// easter is Easter Sunday: the algorithm of Meeus, Jones and Butcher.
func easter(y int) calendar.Date {
	a, b, c := y%19, y/100, y%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := h + l - 7*((a+11*h+22*l)/451) + 114
	return calendar.Date{Year: y, Month: time.Month(m / 31), Day: m%31 + 1}
}

// weekdayFrom is the date, or the next day, in steps, that is none of a weekend.
func weekdayFrom(d calendar.Date, saturday int) calendar.Date {
	if d.Weekday() == time.Saturday {
		return d.AddDays(saturday)
	}
	if d.Weekday() == time.Sunday {
		return d.AddDays(1)
	}
	return d
}

func TestFederalHolidaysFollowTheLaw(t *testing.T) {
	t.Parallel()
	d, _ := preset(t, "us")
	var want []string
	for y := d.Known.From; y <= d.Known.To+1; y++ {
		on := func(month time.Month, day int) calendar.Date {
			return weekdayFrom(calendar.Date{Year: y, Month: month, Day: day}, -1)
		}
		all := []calendar.Date{
			on(1, 1), nth(y, 1, time.Monday, 3), nth(y, 2, time.Monday, 3), nth(y, 5, time.Monday, -1), on(7, 4), nth(y, 9, time.Monday, 1),
			nth(y, 10, time.Monday, 2), on(11, 11), nth(y, 11, time.Thursday, 4), on(12, 25),
		}
		if y >= 2021 {
			all = append(all, on(6, 19))
		}
		for _, date := range all {
			if date.Year >= d.Known.From && date.Year <= d.Known.To {
				want = append(want, date.String())
			}
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, d.Holidays); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBankHolidaysFollowTheLaw(t *testing.T) {
	t.Parallel()
	d, _ := preset(t, "gb")
	var want []string
	for y := d.Known.From; y <= d.Known.To; y++ {
		christmas := calendar.Date{Year: y, Month: 12, Day: 25}
		all := []calendar.Date{
			weekdayFrom(calendar.Date{Year: y, Month: 1, Day: 1}, 2), easter(y).AddDays(-2), easter(y).AddDays(1), nth(y, 5, time.Monday, 1),
			nth(y, 5, time.Monday, -1), nth(y, 8, time.Monday, -1),
		}
		after := map[time.Weekday][2]int{time.Friday: {0, 3}, time.Saturday: {2, 3}, time.Sunday: {1, 2}} // two days off, on weekdays
		off, moved := after[christmas.Weekday()]
		if !moved {
			off = [2]int{0, 1}
		}
		all = append(all, christmas.AddDays(off[0]), christmas.AddDays(off[1]))
		for _, date := range all {
			want = append(want, date.String())
		}
	}
	// Moved, or given once, by royal proclamation.
	want = slices.DeleteFunc(want, func(date string) bool { return date == "2020-05-04" || date == "2022-05-30" })
	want = append(want, "2020-05-08", "2022-06-02", "2022-06-03", "2022-09-19", "2023-05-08")
	slices.Sort(want)
	if diff := cmp.Diff(want, d.Holidays); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
