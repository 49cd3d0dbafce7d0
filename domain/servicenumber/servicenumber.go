// Package servicenumber makes the numbers by which people speak of a case: short, unique without coordination, and with a
// check character, so that a misheard digit is noticed.
//
// # Design
//
// A number is eleven characters of Crockford's base 32, which has no I, L, O and U, made from 55 bits of a hash of the
// case's id, and a check character after ISO/IEC 7064 MOD 37,36, which finds every single wrong character and all but
// few swaps of two neighbours: "7ZK4-M2QH-9XD3". The check could be one of the four letters, too; then the hash is hashed again until it
// is not, so that every character may be read and typed as what it looks like. With 55 bits, ten million cases have two alike with a chance of about one in
// a thousand; a number is for finding a case, its id is what names it.
package servicenumber

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"unicode"

	"aftercare/domain"
)

// Number is a service number in its written form. The zero Number is none.
type Number struct{ text string }

const (
	alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	// checks are the characters of MOD 37,36: 0-9 and A-Z.
	checks = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = 11
	modulo = 36
)

// New returns the number of a case, always the same for the same id.
func New(id domain.UUID) Number {
	for sum := sha256.Sum256(id[:]); ; sum = sha256.Sum256(sum[:]) {
		body := encode(binary.BigEndian.Uint64(sum[:8]))
		if c := checks[check(body)]; strings.IndexByte(alphabet, c) >= 0 {
			return written(body + string(c))
		}
	}
}

func encode(bits uint64) string {
	var text [digits]byte
	for i := range text {
		text[i] = alphabet[bits&31]
		bits >>= 5
	}
	return string(text[:])
}

func written(s string) Number { return Number{s[:4] + "-" + s[4:8] + "-" + s[8:]} }

// check returns the index of the check character of MOD 37,36.
func check(s string) int {
	p := modulo
	for i := range len(s) {
		p = (p + strings.IndexByte(checks, s[i])) % modulo
		if p == 0 {
			p = modulo
		}
		p = p * 2 % (modulo + 1)
	}
	return (modulo + 1 - p) % modulo
}

// Parse reads a number as people type it: in either case, with any or no dashes and spaces, and with the letters O, I and L for the
// digits they look like. It refuses what has another length, character or check character.
func Parse(s string) (Number, error) {
	var b strings.Builder
	for _, r := range strings.ToUpper(s) {
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Pd, r):
		case r == 'O':
			b.WriteByte('0')
		case r == 'I', r == 'L':
			b.WriteByte('1')
		case strings.ContainsRune(alphabet, r):
			b.WriteRune(r)
		default:
			return Number{}, refuse(s)
		}
	}
	text := b.String()
	if len(text) != digits+1 || text[digits] != checks[check(text[:digits])] {
		return Number{}, refuse(s)
	}
	return written(text), nil
}

func refuse(s string) error {
	return domain.Refuse(domain.Invalid, "servicenumber.malformed", "value", s)
}

// String returns the written form, "7ZK4-M2QH-9XD3", or "" for the zero Number.
func (n Number) String() string { return n.text }

// IsZero reports whether there is no number.
func (n Number) IsZero() bool { return n.text == "" }
