package check_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain/calendar/check"
)

func TestAllSharedVectorsHold(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../../../../shared/vectors/calendar.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the shared vectors are not beside this repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	report, err := check.Check(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range report.Mismatches {
		t.Error(m)
	}
	for _, r := range report.Refusals {
		t.Error(r)
	}
	if report.Cases != 60 || report.Passed != 60 {
		t.Errorf("got %d of %d cases, want 60 of 60", report.Passed, report.Cases)
	}
}

func TestEveryWrongOrUnusableCaseIsListed(t *testing.T) {
	t.Parallel()
	report, err := check.Check(strings.NewReader(`{
		"calendars": {
			"desk": {"zone": "Europe/London", "week": {"mon": [["09:00", "17:00"]]}},
			"closed": {"zone": "UTC"},
			"mars": {"zone": "Mars/Olympus", "week": {"mon": [["9:00", "17:00"]]}}
		},
		"cases": [
			{"id": "right", "op": "due", "calendar": "desk", "start": "2026-01-05T09:00:00Z", "minutes": 480, "expect": "2026-01-05T17:00:00Z"},
			{"id": "due", "op": "due", "calendar": "desk", "start": "2026-01-05T09:00:00Z", "minutes": 60, "expect": "2026-01-05T11:00:00+00:00"},
			{"id": "elapsed", "op": "elapsed", "calendar": "desk", "start": "2026-01-05T09:00:00Z", "end": "2026-01-05T09:00:30Z", "expect_minutes": 1},
			{"id": "date", "op": "workday_after", "calendar": "desk", "start": "2026-01-05", "n": 1, "expect": "2026-01-06"},
			{"id": "never", "op": "due", "calendar": "closed", "start": "2026-01-05T09:00:00Z", "minutes": 1, "expect": "2026-01-05T09:01:00Z"},
			{"id": "zone", "op": "due", "calendar": "mars", "start": "2026-01-05T09:00:00Z", "minutes": 1, "expect": "2026-01-05T09:01:00Z"},
			{"id": "name", "op": "due", "calendar": "dest", "start": "2026-01-05T09:00:00Z", "minutes": 1, "expect": "2026-01-05T09:01:00Z"},
			{"id": "op", "op": "overdue", "calendar": "desk"},
			{"id": "start", "op": "due", "calendar": "desk", "start": "yesterday", "minutes": 1, "expect": "2026-01-05T09:01:00Z"},
			{"id": "pause", "op": "elapsed", "calendar": "desk", "start": "2026-01-05T09:00:00Z", "end": "2026-01-05T10:00:00Z", "pauses": [["2026-01-05T09:00:00Z"]], "expect_minutes": 60},
			{"op": "workday_after", "calendar": "desk", "start": "2026-01-05", "expect": "2026-01-12"}
		]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range report.Mismatches {
		got = append(got, m.String())
	}
	for _, r := range report.Refusals {
		got = append(got, r.String())
	}
	want := []string{
		"due due desk: got 2026-01-05T10:00:00Z, want 2026-01-05T11:00:00Z",
		"elapsed elapsed desk: got 0.5, want 1",
		"date workday_after desk: got 2026-01-12, want 2026-01-06",
		"never due closed: got calendar.never-open, want 2026-01-05T09:01:00Z",
		"calendar mars: calendar.unknown-zone field=zone value=Mars/Olympus",
		"calendar mars: calendar.malformed-time field=week.mon[0] value=9:00",
		"zone: check.refused-calendar value=mars",
		"name: check.unknown-calendar value=dest",
		"op: check.unknown-op value=overdue",
		"start: check.malformed-field field=start value=yesterday",
		"pause: check.malformed-field field=pauses value=2026-01-05T09:00:00Z",
		"case 11: check.malformed-field field=n value=",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if report.OK() || report.Cases != 11 || report.Passed != 1 {
		t.Errorf("got OK %v, %d of %d, want false, 1 of 11", report.OK(), report.Passed, report.Cases)
	}
}

func TestAFileOfAnotherFormatIsAnError(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":      ``,
		"no json":    `id,op,calendar`,
		"two values": `{"calendars": {}, "cases": []} {}`,
		"other json": `{"days": []}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if report, err := check.Check(strings.NewReader(text)); err == nil {
				t.Errorf("got %+v, want an error", report)
			}
		})
	}
}
