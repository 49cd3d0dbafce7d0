package domain

import (
	"maps"
	"slices"
	"strings"
)

// Kind says what the one who asked can do about a refusal.
type Kind uint8

// The kinds of refusal.
const (
	// Invalid wishes are malformed: asking again the same way cannot succeed.
	Invalid Kind = iota + 1
	// NotFound names something that does not exist or may not be seen.
	NotFound
	// WrongState wishes do not fit what has happened so far: read again, then decide.
	WrongState
	// Conflict means somebody else was faster, or one idempotency key was used for two wishes.
	Conflict
	// Forbidden wishes need another principal.
	Forbidden
	// Unavailable is a fault of ours or of a server behind us: the same wish may be sent again.
	Unavailable
)

// String returns the stable name of the kind.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "INVALID"
	case NotFound:
		return "NOT_FOUND"
	case WrongState:
		return "WRONG_STATE"
	case Conflict:
		return "CONFLICT"
	case Forbidden:
		return "FORBIDDEN"
	case Unavailable:
		return "UNAVAILABLE"
	}
	return "UNKNOWN"
}

// Error is a refusal: a stable code and its parameters, without prose. Prose, in every language, is the edge's.
type Error struct {
	Kind   Kind
	Code   string
	Params map[string]string
}

// Refuse makes an Error from a code and pairs of parameter name and value.
func Refuse(kind Kind, code string, pairs ...string) *Error {
	e := &Error{Kind: kind, Code: code}
	if len(pairs) > 0 {
		e.Params = make(map[string]string, len(pairs)/2)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Params[pairs[i]] = pairs[i+1]
	}
	return e
}

// Error returns the code and the parameters in the order of their names: for logs, not for people.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Code)
	for _, k := range slices.Sorted(maps.Keys(e.Params)) {
		b.WriteString(" " + k + "=" + e.Params[k])
	}
	return b.String()
}

// Is makes errors.Is match two refusals of the same kind and code, whatever their parameters.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Code == e.Code
}
