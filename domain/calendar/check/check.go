package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"aftercare/domain"
	"aftercare/domain/calendar"
)

// Report is the outcome of a file.
type Report struct {
	// Cases counts all cases, Passed those that came out as expected.
	Cases, Passed int
	// Mismatches are the cases that came out otherwise, in the order of the file.
	Mismatches []Mismatch
	// Refusals are the calendars, by name, and then the cases that could not be evaluated.
	Refusals []Refusal
}

// OK reports whether every case was evaluated and came out as expected, and no calendar was refused.
func (r Report) OK() bool { return len(r.Mismatches) == 0 && len(r.Refusals) == 0 }

// Mismatch is a case with another answer than expected. Got is an instant, minutes, a date, or the code of a refusal.
type Mismatch struct {
	ID, Op, Calendar, Got, Want string
}

// String returns the mismatch on one line.
func (m Mismatch) String() string {
	return fmt.Sprintf("%s %s %s: got %s, want %s", m.ID, m.Op, m.Calendar, m.Got, m.Want)
}

// Refusal is a calendar or a case that cannot be evaluated, and why. ID is empty for a calendar.
type Refusal struct {
	ID, Calendar string
	Err          *domain.Error
}

// String returns the refusal on one line.
func (r Refusal) String() string {
	if r.ID == "" {
		return "calendar " + r.Calendar + ": " + r.Err.Error()
	}
	return r.ID + ": " + r.Err.Error()
}

type file struct {
	Calendars map[string]calendar.Definition `json:"calendars"`
	Cases     []question                     `json:"cases"`
}

// Check evaluates every case of a file. It fails only when the file cannot be read as this format.
func Check(r io.Reader) (Report, error) {
	var f file
	dec := json.NewDecoder(r)
	if err := dec.Decode(&f); err != nil {
		return Report{}, fmt.Errorf("read the calendar cases: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Report{}, domain.Refuse(domain.Invalid, "check.trailing-data")
	}
	if f.Calendars == nil || f.Cases == nil {
		return Report{}, domain.Refuse(domain.Invalid, "check.not-calendar-cases")
	}
	report := Report{Cases: len(f.Cases)}
	calendars := make(map[string]*calendar.Calendar, len(f.Calendars))
	for _, name := range slices.Sorted(maps.Keys(f.Calendars)) {
		c, err := calendar.New(f.Calendars[name])
		calendars[name] = c // nil when refused, which is not the same as unknown
		for _, problem := range problems(err) {
			report.Refusals = append(report.Refusals, Refusal{Calendar: name, Err: problem})
		}
	}
	for i, q := range f.Cases {
		report.add(q.name(i), q, calendars)
	}
	return report, nil
}

func (r *Report) add(id string, q question, calendars map[string]*calendar.Calendar) {
	got, want, err := q.evaluate(calendars)
	switch {
	case err != nil:
		r.Refusals = append(r.Refusals, Refusal{ID: id, Calendar: q.Calendar, Err: err})
	case got == want:
		r.Passed++
	default:
		r.Mismatches = append(r.Mismatches, Mismatch{ID: id, Op: q.Op, Calendar: q.Calendar, Got: got, Want: want})
	}
}

func problems(err error) calendar.DefinitionErrors {
	if list, ok := errors.AsType[calendar.DefinitionErrors](err); ok {
		return list
	}
	return nil
}
