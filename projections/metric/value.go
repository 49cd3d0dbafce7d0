package metric

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cells are texts on their way: whole numbers and decimals in digits, instants as in RFC 3339 and in UTC, days as 2006-01-02,
// truths as true and false, durations in seconds.

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

// accepts reports whether a text is a value of the column.
func (c Column) accepts(text string) bool {
	var err error
	switch c.Type {
	case Text:
		return !strings.ContainsRune(text, 0)
	case Int:
		_, err = strconv.ParseInt(text, 10, 64)
	case Numeric, Duration:
		return decimal(text)
	case Float:
		_, err = strconv.ParseFloat(text, 64)
	case Time:
		_, err = time.Parse(time.RFC3339Nano, text)
	case Date:
		_, err = time.Parse(time.DateOnly, text)
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
