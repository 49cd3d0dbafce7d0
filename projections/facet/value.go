package facet

import (
	"fmt"
	"strings"
	"time"

	"aftercare/domain"
)

// Instant returns t as Postgres keeps it: in UTC, to the microsecond. A fold that compares times does it on these, or a
// row that was loaded again would compare otherwise than one that was not.
func Instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// InstantOf is Instant for a column that may be null.
func InstantOf(t time.Time) *time.Time {
	i := Instant(t)
	return &i
}

// Clean returns s as Postgres can keep it: what is no text there becomes the replacement character.
func Clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// TicketOf returns the id of the case whose stream this is.
func TicketOf(stream string) (domain.UUID, error) {
	_, id, ok := strings.Cut(stream, "-")
	if !ok {
		return domain.UUID{}, fmt.Errorf("stream %q has no id", stream)
	}
	u, err := domain.ParseUUID(id)
	if err != nil {
		return domain.UUID{}, fmt.Errorf("id of stream %q: %w", stream, err)
	}
	return u, nil
}

// Fact returns the middle of a stored name, "resolved" of "ticket.resolved.v1", when it is of the category ticket.
func Fact(eventType string) (string, bool) {
	rest, ok := strings.CutPrefix(eventType, "ticket.")
	if !ok {
		return "", false
	}
	fact, _, ok := strings.Cut(rest, ".")
	return fact, ok
}

// UTC returns a time that may be null in UTC.
func UTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}
