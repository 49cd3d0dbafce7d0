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
		return time.Time{}, fmt.Errorf("a time is a string, not %T", v)
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time of RFC 3339", s)
	}
	return t.UTC(), nil
}

// MarshalUUID writes the form 8-4-4-4-12.
func MarshalUUID(u domain.UUID) graphql.Marshaler { return quoted(u.String()) }

// UnmarshalUUID reads the form 8-4-4-4-12.
func UnmarshalUUID(v any) (domain.UUID, error) {
	s, ok := v.(string)
	if !ok {
		return domain.UUID{}, fmt.Errorf("a UUID is a string, not %T", v)
	}
	return domain.ParseUUID(s)
}

// MarshalPosition writes the opaque form.
func MarshalPosition(p domain.Position) graphql.Marshaler { return quoted(FormatPosition(p)) }

// UnmarshalPosition reads the opaque form.
func UnmarshalPosition(v any) (domain.Position, error) {
	s, ok := v.(string)
	if !ok {
		return domain.Position{}, fmt.Errorf("a position is a string, not %T", v)
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
		return domain.Position{}, fmt.Errorf("%q is not a position this server gave out", s)
	}
	p := domain.Position{Commit: binary.BigEndian.Uint64(b)}
	p.Prepare = p.Commit
	if len(b) == 16 {
		p.Prepare = binary.BigEndian.Uint64(b[8:])
	}
	return p, nil
}

func quoted(s string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(s)) })
}
