package check

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"aftercare/domain"
	"aftercare/domain/calendar"
)

// question is one case. Pointers tell what is absent from what is zero.
type question struct {
	ID            string     `json:"id"`
	Op            string     `json:"op"`
	Calendar      string     `json:"calendar"`
	Start         string     `json:"start"`
	End           string     `json:"end"`
	Minutes       *int64     `json:"minutes"`
	N             *int       `json:"n"`
	Pauses        [][]string `json:"pauses"`
	Expect        string     `json:"expect"`
	ExpectMinutes *float64   `json:"expect_minutes"`
}

// name returns the id of the case, or its place in the file, counted from 1, when it has none.
func (q question) name(i int) string {
	if q.ID == "" {
		return "case " + strconv.Itoa(i+1)
	}
	return q.ID
}

// evaluate returns the answer and the expected one in the same spelling, or why there is none.
func (q question) evaluate(calendars map[string]*calendar.Calendar) (got, want string, refusal *domain.Error) {
	c, known := calendars[q.Calendar]
	switch {
	case q.Op != "due" && q.Op != "elapsed" && q.Op != "workday_after":
		return "", "", domain.Refuse(domain.Invalid, "check.unknown-op", "value", q.Op)
	case !known:
		return "", "", domain.Refuse(domain.Invalid, "check.unknown-calendar", "value", q.Calendar)
	case c == nil:
		return "", "", domain.Refuse(domain.Invalid, "check.refused-calendar", "value", q.Calendar)
	}
	var f fields
	switch q.Op {
	case "due":
		got, want = q.due(&f, c)
	case "elapsed":
		got, want = q.elapsed(&f, c)
	case "workday_after":
		got, want = q.workdayAfter(&f, c)
	}
	return got, want, f.refusal
}

func (q question) due(f *fields, c *calendar.Calendar) (got, want string) {
	start, pauses, expect := f.instant("start", q.Start), f.pauses(q.Pauses), f.instant("expect", q.Expect)
	minutes := required(f, "minutes", q.Minutes)
	if minutes > int64(1<<63-1)/int64(time.Minute) {
		f.refuse("minutes", strconv.FormatInt(minutes, 10))
	}
	if f.refusal != nil {
		return "", ""
	}
	due, _, err := c.Due(start, time.Duration(minutes)*time.Minute, pauses)
	if err != nil {
		return code(err), format(expect)
	}
	return format(due), format(expect)
}

func (q question) elapsed(f *fields, c *calendar.Calendar) (got, want string) {
	start, end, pauses := f.instant("start", q.Start), f.instant("end", q.End), f.pauses(q.Pauses)
	minutes := required(f, "expect_minutes", q.ExpectMinutes)
	if f.refusal != nil {
		return "", ""
	}
	return number(c.Elapsed(start, end, pauses).Minutes()), number(minutes)
}

func (q question) workdayAfter(f *fields, c *calendar.Calendar) (got, want string) {
	start, expect, n := f.date("start", q.Start), f.date("expect", q.Expect), required(f, "n", q.N)
	if f.refusal != nil {
		return "", ""
	}
	date, err := c.WorkdayAfter(start, n)
	if err != nil {
		return code(err), expect.String()
	}
	return date.String(), expect.String()
}

// fields reads the values of a case and keeps the first refusal.
type fields struct{ refusal *domain.Error }

func (f *fields) refuse(field, value string) {
	if f.refusal == nil {
		f.refusal = domain.Refuse(domain.Invalid, "check.malformed-field", "field", field, "value", value)
	}
}

func (f *fields) instant(field, value string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		f.refuse(field, value)
	}
	return t
}

func (f *fields) date(field, value string) calendar.Date {
	d, err := calendar.ParseDate(value)
	if err != nil {
		f.refuse(field, value)
	}
	return d
}

func (f *fields) pauses(list [][]string) []calendar.Span {
	out := make([]calendar.Span, len(list))
	for i, p := range list {
		if len(p) != 2 {
			f.refuse("pauses", strings.Join(p, ","))
			continue
		}
		out[i] = calendar.Span{Start: f.instant("pauses", p[0]), End: f.instant("pauses", p[1])}
	}
	return out
}

func required[T any](f *fields, field string, value *T) T {
	if value == nil {
		f.refuse(field, "")
		var zero T
		return zero
	}
	return *value
}

func format(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func code(err error) string {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e.Code
	}
	return err.Error()
}
