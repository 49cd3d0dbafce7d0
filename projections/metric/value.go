package metric

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cells are texts on their way: whole numbers and decimals in digits, instants as in RFC 3339 and in UTC, days as 2006-01-02,
// truths as true and false, durations in seconds. What Postgres has beyond these is as it says it: infinity, NaN, years before 1 and after 9999.

// expression is a column as a cell.
func (c Column) expression() string {
	name := pgx.Identifier{c.Name}.Sanitize()
	switch c.Type {
	case Time:
		return "to_json(" + name + ")#>>'{}'"
	case Duration:
		return "extract(epoch from " + name + ")::text"
	case Float:
		return name + "::float8::text" // a real as it is compared
	case Text, Int, Numeric, Date, Bool:
	}
	return name + "::text"
}

// compared is a column as it is compared with the values of a filter and ordered by, and cast makes such a value of a text.
func (c Column) compared() string {
	name := pgx.Identifier{c.Name}.Sanitize()
	switch c.Type {
	case Duration:
		return "extract(epoch from " + name + ")"
	case Text:
		return name + "::text"
	case Float:
		return name + "::float8"
	case Int, Numeric, Time, Date, Bool:
	}
	return name
}

func (c Column) cast() string {
	return map[Type]string{
		Text: "text", Int: "bigint", Numeric: "numeric", Float: "float8", Time: "timestamptz", Date: "date", Bool: "boolean", Duration: "numeric",
	}[c.Type]
}

// notNumbers are the values of numeric that are no numbers.
var notNumbers = []string{"NaN", "Infinity", "-Infinity"}

const rest = `-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00)?`

// farAway are the days and instants that RFC 3339 does not have.
var farAway = regexp.MustCompile(`^(-?infinity|[1-9]\d{4,5}` + rest + `|\d{4}` + rest + ` BC)$`)

// accepts reports whether a text is a value of the column. It is for each that a cell can be.
func (c Column) accepts(text string) bool {
	var err error
	switch c.Type {
	case Text:
		return !strings.ContainsRune(text, 0)
	case Int:
		_, err = strconv.ParseInt(text, 10, 64)
	case Numeric:
		return decimal(text) || slices.Contains(notNumbers, text)
	case Duration:
		return decimal(text)
	case Float:
		_, err = strconv.ParseFloat(text, 64)
	case Time:
		if _, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return farAway.MatchString(text)
		}
	case Date:
		if _, err = time.Parse(time.DateOnly, text); err != nil {
			return farAway.MatchString(text)
		}
	case Bool:
		_, err = strconv.ParseBool(text)
	}
	return err == nil
}

// decimal reports whether a text is a decimal number of a size that Postgres takes.
func decimal(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	whole, part, point := strings.Cut(digits, ".")
	all := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return len(digits) <= 1000 && all(whole) && (!point || all(part))
}

// same reports whether two cells are equal, floats up to the order in which they were added.
func same(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	if *a == *b {
		return true
	}
	x, errX := strconv.ParseFloat(*a, 64)
	y, errY := strconv.ParseFloat(*b, 64)
	const most = 1e-9
	return errX == nil && errY == nil && math.Abs(x-y) <= most*max(math.Abs(x), math.Abs(y))
}

func value(cell *string) string {
	if cell == nil {
		return "null"
	}
	return strconv.Quote(*cell)
}
