package page

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"

	"aftercare/domain"
)

// Sizes of a page.
const (
	DefaultSize = 50
	MaxSize     = 1000
)

// Page asks for a part of a list: the First rows after a cursor, or the Last rows before one, in the list's own order.
// Without either it is the first DefaultSize rows.
type Page struct {
	First  int
	After  string
	Last   int
	Before string
}

// Info says what lies around a page.
type Info struct {
	HasNext     bool
	HasPrevious bool
}

// Size returns how many rows to give and whether from the end of the list.
func (p Page) Size() (n int, backward bool, err error) {
	switch {
	case p.First < 0 || p.Last < 0 || p.First > MaxSize || p.Last > MaxSize:
		return 0, false, domain.Refuse(domain.Invalid, "page.size", "max", strconv.Itoa(MaxSize))
	case p.First > 0 && p.Last > 0:
		return 0, false, domain.Refuse(domain.Invalid, "page.first-and-last")
	case p.Last > 0:
		return p.Last, true, nil
	case p.First > 0:
		return p.First, false, nil
	}
	return DefaultSize, false, nil
}

// Encode returns the opaque cursor of a row of a list: order names the list's order, so that a cursor cannot be used in
// another one, and key is the row's place in it.
func Encode(order string, key ...string) string {
	b, _ := json.Marshal(append([]string{order}, key...)) //nolint:errchkjson // strings always marshal
	return base64.RawURLEncoding.EncodeToString(b)
}

// Decode returns the key of a cursor that Encode made for the same order, with n parts.
func Decode(cursor, order string, n int) ([]string, error) {
	refusal := domain.Refuse(domain.Invalid, "page.cursor-malformed", "value", cursor)
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, refusal
	}
	var parts []string
	if json.Unmarshal(b, &parts) != nil || len(parts) != n+1 || parts[0] != order {
		return nil, refusal
	}
	return parts[1:], nil
}

// Trim makes a page of the rows that a query for size+1 rows gave, in the order of the query.
func Trim[T any](rows []T, size int, backward bool, p Page) ([]T, Info) {
	more := len(rows) > size
	if more {
		rows = rows[:size]
	}
	if backward {
		slices.Reverse(rows)
		return rows, Info{HasPrevious: more, HasNext: p.Before != ""}
	}
	return rows, Info{HasNext: more, HasPrevious: p.After != ""}
}
