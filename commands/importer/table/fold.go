package table

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold returns a name without case, spaces and punctuation: the spelling by which names of columns and states are compared. A minus
// before a number and a point within one are kept, since they make another number of it.
func Fold(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			s = norm.NFKC.String(s)
			break
		}
	}
	var b strings.Builder
	b.Grow(len(s))
	runes := []rune(s)
	digit := func(i int) bool { return i >= 0 && i < len(runes) && unicode.IsDigit(runes[i]) }
	for i, r := range runes {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			b.WriteRune(unicode.ToLower(r))
		case r == '-' && b.Len() == 0 && digit(i+1), r == '.' && digit(i-1) && digit(i+1):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Lookup finds what is said of a name: of the exact one, else of one that differs only in case, spaces and punctuation.
type Lookup[V any] struct {
	exact, loose map[string]V
}

// NewLookup returns a Lookup of the names. Names that differ only in case, spaces and punctuation are found exactly or not at all.
func NewLookup[V any](names map[string]V) Lookup[V] {
	l := Lookup[V]{names, make(map[string]V, len(names))}
	spellings := map[string]int{}
	for name, v := range names {
		f := Fold(name)
		if spellings[f]++; f != "" && spellings[f] == 1 {
			l.loose[f] = v
		} else {
			delete(l.loose, f)
		}
	}
	return l
}

// Find returns what is said of a name.
func (l Lookup[V]) Find(name string) (v V, ok bool) {
	if len(l.exact) == 0 {
		return v, false
	}
	if v, ok = l.exact[name]; ok {
		return v, true
	}
	v, ok = l.loose[Fold(name)]
	return v, ok
}
