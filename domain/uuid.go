package domain

import (
	"crypto/sha1" //nolint:gosec // RFC 9562 version 5 is defined over SHA-1; it names, it does not protect
	"encoding/hex"
)

// UUID is a universally unique identifier of RFC 9562. Its zero value means "none".
type UUID [16]byte

// errBadUUID refuses text that is not a UUID. Parameter: value.
func errBadUUID(value string) *Error {
	return Refuse(Invalid, "uuid.malformed", "value", value)
}

// ParseUUID reads the form 8-4-4-4-12 in either case. It refuses everything else.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, errBadUUID(s)
	}
	if !parseUUID(&u, s) {
		return UUID{}, errBadUUID(s)
	}
	return u, nil
}

// parseUUID reads the digits of the form without copying them first: a rebuild reads several UUIDs an event.
func parseUUID(u *UUID, s string) bool {
	for i, at := range [len(u)]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		high, low := digits[s[at]], digits[s[at+1]]
		if high|low > 0xf {
			return false
		}
		u[i] = high<<4 | low
	}
	return true
}

// digits are the values of hexadecimal digits; anything else has 0xff.
var digits = func() (table [256]byte) { //nolint:gochecknoglobals // constant
	for c := range table {
		table[c] = 0xff
	}
	for i := range byte(16) {
		table["0123456789abcdef"[i]], table["0123456789ABCDEF"[i]] = i, i
	}
	return table
}()

// DeriveUUID names something within a namespace: the same two inputs give the same version 5 UUID for ever.
// Ids of events derive from their command, and ids of imported cases from their source, so that doing it
// again is the same act.
func DeriveUUID(namespace UUID, name string) UUID {
	h := sha1.New() //nolint:gosec // see the import
	h.Write(namespace[:])
	h.Write([]byte(name))
	var u UUID
	copy(u[:], h.Sum(nil))
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	return u
}

// IsZero reports whether u is the zero UUID.
func (u UUID) IsZero() bool { return u == UUID{} }

// String returns the form 8-4-4-4-12 in lower case.
func (u UUID) String() string {
	var b [36]byte
	hex.Encode(b[:8], u[:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:], u[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// MarshalText writes the same form as String.
func (u UUID) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads what ParseUUID reads, and empty text as the zero UUID.
func (u *UUID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*u = UUID{}
		return nil
	}
	v, err := ParseUUID(string(b))
	if err != nil {
		return err
	}
	*u = v
	return nil
}
