package calendar

import (
	"cmp"
	"fmt"
	"time"

	"aftercare/domain"
)

const secondsPerDay = 24 * 60 * 60

// Date is a day of the Gregorian calendar, without a zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads "2006-01-02" and refuses days that do not exist.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, domain.Refuse(domain.Invalid, "calendar.malformed-date", "value", s)
	}
	return DateOf(t), nil
}

// DateOf returns the date that t shows in its own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{Year: y, Month: m, Day: d}
}

// IsZero reports whether d is the zero Date, which is no day.
func (d Date) IsZero() bool { return d == Date{} }

// String returns the date as "2006-01-02".
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day) }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return weekday(d.number()) }

// AddDays returns the date n days later, or earlier when n is negative.
func (d Date) AddDays(n int) Date { return dateOfNumber(d.number() + int64(n)) }

// Compare returns -1, 0 or +1 as d lies before, on or after e.
func (d Date) Compare(e Date) int { return cmp.Compare(d.number(), e.number()) }

// MarshalText writes the date as "2006-01-02".
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(text []byte) error {
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// number counts days from 1970-01-01.
func (d Date) number() int64 {
	return floorDiv(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Unix(), secondsPerDay)
}

func dateOfNumber(n int64) Date { return DateOf(time.Unix(n*secondsPerDay, 0).UTC()) }

// weekday of a day number; 1970-01-01 was a Thursday.
func weekday(n int64) time.Weekday { return time.Weekday(((n+int64(time.Thursday))%7 + 7) % 7) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
