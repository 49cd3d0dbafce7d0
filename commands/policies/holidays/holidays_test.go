package holidays_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/commands/policies/holidays"
	"aftercare/domain/calendar"
)

func days(list []holidays.Day) (texts []string) {
	for _, d := range list {
		texts = append(texts, d.Date.String()+" "+d.Name)
	}
	return texts
}

// ics is a file of events, each a few lines.
func ics(events ...string) string {
	lines := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"}
	for _, e := range events {
		lines = append(lines, "BEGIN:VEVENT", "UID:"+e[:8], e, "END:VEVENT")
	}
	return strings.ReplaceAll(strings.Join(append(lines, "END:VCALENDAR", ""), "\n"), "\n", "\r\n")
}

func TestICalendar(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		events                 []string
		first, last            int
		off, observed, skipped []string
		from, to               int
	}{
		"one day, with an end that is not part of it": {
			events: []string{"DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20260102\nSUMMARY:New Year\\, again"},
			off:    []string{"2026-01-01 New Year, again"}, from: 2026, to: 2026,
		},
		"one day without an end": {events: []string{"DTSTART;VALUE=DATE:20260101\nSUMMARY:A"}, off: []string{"2026-01-01 A"}, from: 2026, to: 2026},
		"several days over the end of a year": {
			events: []string{"DTSTART;VALUE=DATE:20251231\nDTEND;VALUE=DATE:20260103\nSUMMARY:A"}, first: 2025, last: 2026,
			off: []string{"2025-12-31 A", "2026-01-01 A", "2026-01-02 A"}, from: 2025, to: 2026,
		},
		"observances are none": {
			events: []string{
				"DTSTART;VALUE=DATE:20260510\nSUMMARY:Mother's Day\nDESCRIPTION:Observance\\nTo hide observances\\, go to the settings",
				"DTSTART;VALUE=DATE:20260329\nSUMMARY:Summer time\nCATEGORIES:Season,Observance",
				"DTSTART;VALUE=DATE:20260525\nSUMMARY:Spring bank holiday\nDESCRIPTION:Public holiday",
			},
			off: []string{"2026-05-25 Spring bank holiday"}, observed: []string{"2026-03-29 Summer time", "2026-05-10 Mother's Day"}, from: 2026, to: 2026,
		},
		"a holiday that is observed, too": {
			events: []string{
				"DTSTART;VALUE=DATE:20260704\nSUMMARY:Parade\nDESCRIPTION:Observance", "DTSTART;VALUE=DATE:20260704\nSUMMARY:Independence Day\nDESCRIPTION:Public holiday",
			},
			off: []string{"2026-07-04 Independence Day"}, from: 2026, to: 2026,
		},
		"each year, but for one": {
			events: []string{"DTSTART;VALUE=DATE:20100501\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20260501\nSUMMARY:Labour Day"}, first: 2025, last: 2027,
			off: []string{"2025-05-01 Labour Day", "2027-05-01 Labour Day"}, from: 2025, to: 2027,
		},
		"by a rule of weekdays": {
			events: []string{"DTSTART;VALUE=DATE:20241128\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\nSUMMARY:Thanksgiving"}, first: 2025, last: 2026,
			off: []string{"2025-11-27 Thanksgiving", "2026-11-26 Thanksgiving"}, from: 2025, to: 2026,
		},
		"cancelled": {
			events: []string{"DTSTART;VALUE=DATE:20260101\nSTATUS:CANCELLED\nSUMMARY:A", "DTSTART;VALUE=DATE:20260102\nSUMMARY:B"},
			off:    []string{"2026-01-02 B"}, from: 2026, to: 2026,
		},
		"a meeting is no holiday": {
			events: []string{"DTSTART:20260101T090000Z\nDTEND:20260101T100000Z\nSUMMARY:Meeting", "DTSTART;VALUE=DATE:20260102\nSUMMARY:B"},
			off:    []string{"2026-01-02 B"}, from: 2026, to: 2026,
			skipped: []string{"Meeting: it is not of whole days"},
		},
		"longer than a holiday": {
			events: []string{"DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20270101\nSUMMARY:Sabbatical", "DTSTART;VALUE=DATE:20260102\nSUMMARY:B"},
			off:    []string{"2026-01-02 B"}, from: 2026, to: 2026,
			skipped: []string{"Sabbatical: it ends before it begins, or is longer than two months"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			feed, err := holidays.ReadICS(strings.NewReader(ics(c.events...)), c.first, c.last)
			if err != nil {
				t.Fatal(err)
			}
			got := [][]string{days(feed.Off), days(feed.Observed), feed.Skipped}
			if diff := cmp.Diff([][]string{c.off, c.observed, c.skipped}, got); diff != "" {
				t.Errorf("days off, observances and what was skipped (-want +got):\n%s", diff)
			}
			if known := feed.Calendar("UTC", nil, nil).Known; known == nil || *known != (calendar.Years{From: c.from, To: c.to}) {
				t.Errorf("known are %v, want %d to %d", known, c.from, c.to)
			}
		})
	}
}

func TestEventsThatOnlyRecurNeedYears(t *testing.T) {
	t.Parallel()
	text := ics("DTSTART;VALUE=DATE:20100501\nRRULE:FREQ=YEARLY\nSUMMARY:Labour Day")
	if feed, err := holidays.ReadICS(strings.NewReader(text), 0, 0); err == nil {
		t.Errorf("got %+v", feed)
	}
}

func TestMakeUpDaysAndYearsThatAreNotPublished(t *testing.T) {
	t.Parallel()
	var feeds []holidays.Feed
	for _, text := range []string{
		`{"year": 2024, "papers": ["a"], "days": [{"name": "元旦", "date": "2024-01-01", "isOffDay": true}]}`,
		`{"year": 2027, "papers": [], "days": []}`,
		`{"year": 2026, "papers": ["b", "a"], "days": [{"name": "元旦", "date": "2026-01-04", "isOffDay": false}, {"name": "元旦", "date": "2026-01-02", "isOffDay": true}]}`,
	} {
		feed, err := holidays.ReadJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		feeds = append(feeds, feed)
	}
	all := holidays.Merge(feeds...)
	d := all.Calendar("Asia/Shanghai", nil, []calendar.Interval{{"09:00", "18:00"}})
	want := calendar.Definition{
		Zone: "Asia/Shanghai", Holidays: []string{"2024-01-01", "2026-01-02"}, Makeup: []string{"2026-01-04"},
		MakeupHours: []calendar.Interval{{"09:00", "18:00"}}, Known: &calendar.Years{From: 2026, To: 2026},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b"}, all.Papers); diff != "" {
		t.Errorf("papers (-want +got):\n%s", diff)
	}
	for name, text := range map[string]string{
		"no JSON": `{`, "no year": `{"days": []}`, "no date": `{"year": 2026, "days": [{"name": "元旦", "isOffDay": true}]}`,
		"a day that does not exist": `{"year": 2026, "days": [{"name": "元旦", "date": "2026-02-30", "isOffDay": true}]}`,
		"neither off nor worked":    `{"year": 2026, "days": [{"name": "元旦", "date": "2026-01-01"}]}`,
	} {
		if feed, err := holidays.ReadJSON(strings.NewReader(text)); err == nil {
			t.Errorf("%s: got %+v", name, feed)
		}
	}
}
