package model

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"aftercare/domain"
)

// MarshalTime writes an instant in UTC.
func MarshalTime(t time.Time) graphql.Marshaler {
	return quoted(t.UTC().Format(time.RFC3339Nano))
}

// UnmarshalTime reads RFC 3339 with any offset and returns UTC.
func UnmarshalTime(v any) (time.Time, error) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, domain.Refuse(domain.Invalid, "time.malformed", "value", fmt.Sprint(v))
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	// An offset can lead out of the years that the form itself can say: such a time could be neither stored nor answered.
	if y := t.UTC().Year(); err != nil || y < 1 || y > 9999 {
		return time.Time{}, domain.Refuse(domain.Invalid, "time.malformed", "value", s)
	}
	return t.UTC(), nil
}

// MarshalUUID writes the form 8-4-4-4-12.
func MarshalUUID(u domain.UUID) graphql.Marshaler { return quoted(u.String()) }

// UnmarshalUUID reads the form 8-4-4-4-12.
func UnmarshalUUID(v any) (domain.UUID, error) {
	s, ok := v.(string)
	if !ok {
		return domain.UUID{}, domain.Refuse(domain.Invalid, "uuid.malformed", "value", fmt.Sprint(v))
	}
	return domain.ParseUUID(s)
}

// MarshalPosition writes the opaque form.
func MarshalPosition(p domain.Position) graphql.Marshaler { return quoted(FormatPosition(p)) }

// UnmarshalPosition reads the opaque form.
func UnmarshalPosition(v any) (domain.Position, error) {
	s, ok := v.(string)
	if !ok {
		return domain.Position{}, domain.Refuse(domain.Invalid, "position.malformed", "value", fmt.Sprint(v))
	}
	return ParsePosition(s)
}

// FormatPosition returns the opaque form of a position.
func FormatPosition(p domain.Position) string {
	b := binary.BigEndian.AppendUint64(nil, p.Commit)
	if p.Prepare != p.Commit {
		b = binary.BigEndian.AppendUint64(b, p.Prepare)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParsePosition reads what FormatPosition wrote.
func ParsePosition(s string) (domain.Position, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != 8 && len(b) != 16 {
		return domain.Position{}, domain.Refuse(domain.Invalid, "position.malformed", "value", s)
	}
	p := domain.Position{Commit: binary.BigEndian.Uint64(b)}
	p.Prepare = p.Commit
	if len(b) == 16 {
		p.Prepare = binary.BigEndian.Uint64(b[8:])
	}
	return p, nil
}

// MarshalLong writes a number.
func MarshalLong(n int64) graphql.Marshaler { return graphql.MarshalInt64(n) }

// UnmarshalLong reads a whole number, also one written as text, since JSON numbers lose digits in some clients.
func UnmarshalLong(v any) (int64, error) {
	n, err := graphql.UnmarshalInt64(v)
	if err != nil {
		return 0, domain.Refuse(domain.Invalid, "number.malformed", "value", fmt.Sprint(v))
	}
	return n, nil
}

func quoted(s string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(s)) })
}
