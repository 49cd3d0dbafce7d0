package scan

import (
	"bytes"
	"math"
	"time"
	"unicode/utf8"

	"aftercare/domain"
)

// Scanner reads one JSON text from its front to its end. After a failure its methods return zero values and loops over fields and
// elements end. The zero Scanner has read an empty text; it is used by one goroutine.
type Scanner struct {
	rest   []byte
	name   []byte
	first  bool // no field or element of the innermost object or list was read
	failed bool
	texts  int
	codes  [codes]string
}

// Reset begins to read data, which must not change until the end.
func (s *Scanner) Reset(data []byte) {
	s.rest, s.name, s.first, s.failed, s.texts = data, nil, false, false, 0
}

// Fail makes the scanner fail: there is something that the caller does not know.
func (s *Scanner) Fail() { s.failed = true }

// Done reports whether the whole text was read, and all of it understood.
func (s *Scanner) Done() bool { return !s.failed && len(s.rest) == 0 }

// Sealed notes that a sealed text was read, and Texts returns how many there were.
func (s *Scanner) Sealed() { s.texts++ }

// Texts returns how many sealed texts were noted since Reset.
func (s *Scanner) Texts() int { return s.texts }

func (s *Scanner) skip(c byte) bool {
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *Scanner) expect(c byte) {
	if !s.skip(c) {
		s.failed = true
	}
}

// Object begins an object: a loop over Field must follow.
func (s *Scanner) Object() {
	s.expect('{')
	s.first = true
}

// Field goes to the next field of the innermost object and reports whether there is one.
func (s *Scanner) Field() bool {
	if !s.next('}') {
		return false
	}
	s.name = s.quoted()
	s.expect(':')
	return !s.failed
}

// Name returns the name of the field that Field went to. It is valid until the next call of Field.
func (s *Scanner) Name() []byte { return s.name }

// List begins a list: a loop over Element must follow.
func (s *Scanner) List() {
	s.expect('[')
	s.first = true
}

// Element goes to the next element of the innermost list and reports whether there is one.
func (s *Scanner) Element() bool { return s.next(']') }

// next goes past a comma, or past the end.
func (s *Scanner) next(end byte) bool {
	first := s.first
	s.first = false
	if s.failed || s.skip(end) {
		return false
	}
	if !first {
		s.expect(',')
	}
	return !s.failed
}

// quoted returns a string without its quotes; it fails on one with escapes.
func (s *Scanner) quoted() []byte {
	if s.failed || !s.skip('"') {
		s.failed = true
		return nil
	}
	end := bytes.IndexByte(s.rest, '"')
	if end < 0 {
		s.failed = true
		return nil
	}
	text := s.rest[:end]
	ascii := true
	for _, c := range text {
		if c < ' ' || c == '\\' {
			s.failed = true
			return nil
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if !ascii && !utf8.Valid(text) {
		s.failed = true
		return nil
	}
	s.rest = s.rest[end+1:]
	return text
}

// Bytes reads a string. The result is a part of the data.
func (s *Scanner) Bytes() []byte { return s.quoted() }

// String reads a string that is not often the same.
func (s *Scanner) String() string { return string(s.quoted()) }

// Bool reads true or false.
func (s *Scanner) Bool() bool {
	if rest, ok := bytes.CutPrefix(s.rest, []byte("true")); ok {
		s.rest = rest
		return true
	}
	rest, ok := bytes.CutPrefix(s.rest, []byte("false"))
	s.rest, s.failed = rest, s.failed || !ok
	return false
}

// Int64 reads a whole number.
func (s *Scanner) Int64() int64 {
	negative := s.skip('-')
	var n uint64
	digits := 0
	for digits < len(s.rest) && '0' <= s.rest[digits] && s.rest[digits] <= '9' && digits < 19 {
		n = 10*n + uint64(s.rest[digits]-'0')
		digits++
	}
	if digits == 0 || digits > 1 && s.rest[0] == '0' || n > math.MaxInt64 {
		s.failed = true
		return 0
	}
	s.rest = s.rest[digits:]
	if negative {
		return -int64(n)
	}
	return int64(n)
}

// Int reads a whole number of an int's range.
func (s *Scanner) Int() int {
	n := s.Int64()
	if n < math.MinInt || n > math.MaxInt {
		s.failed = true
		return 0
	}
	return int(n)
}

// Instant reads a time of RFC 3339.
func (s *Scanner) Instant() (t time.Time) {
	if text := s.quoted(); s.failed || t.UnmarshalText(text) != nil {
		s.failed = true
		return time.Time{}
	}
	return t
}

// UUID reads a UUID; an empty string is the zero one.
func (s *Scanner) UUID() (u domain.UUID) {
	if text := s.quoted(); s.failed || u.UnmarshalText(text) != nil {
		s.failed = true
		return domain.UUID{}
	}
	return u
}
