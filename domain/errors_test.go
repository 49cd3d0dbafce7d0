package domain_test

import (
	"errors"
	"fmt"
	"testing"

	"aftercare/domain"
)

func TestRefusalsAreTheSameByKindAndCode(t *testing.T) {
	t.Parallel()
	full := domain.Refuse(domain.WrongState, "sum.full")
	for name, c := range map[string]struct {
		err  error
		same bool
	}{
		"itself":           {full, true},
		"other parameters": {domain.Refuse(domain.WrongState, "sum.full", "limit", "10"), true},
		"wrapped":          {fmt.Errorf("add: %w", full), true},
		"another code":     {domain.Refuse(domain.WrongState, "sum.empty"), false},
		"another kind":     {domain.Refuse(domain.Invalid, "sum.full"), false},
		"no refusal":       {errors.New("sum.full"), false},
	} {
		if got := errors.Is(c.err, full); got != c.same {
			t.Errorf("%s: got %v, want %v", name, got, c.same)
		}
	}
}

func TestARefusalIsWrittenWithItsParametersInOrder(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"sum.full":               domain.Refuse(domain.WrongState, "sum.full"),
		"sum.full a=1 limit=10":  domain.Refuse(domain.WrongState, "sum.full", "limit", "10", "a", "1"),
		"sum.full odd= value=it": domain.Refuse(domain.WrongState, "sum.full", "value", "it", "odd", "", "left"),
	} {
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}

func TestKindsHaveStableNames(t *testing.T) {
	t.Parallel()
	for kind, want := range map[domain.Kind]string{
		0: "UNKNOWN", domain.Invalid: "INVALID", domain.NotFound: "NOT_FOUND", domain.WrongState: "WRONG_STATE", domain.Conflict: "CONFLICT",
		domain.Forbidden: "FORBIDDEN", domain.Unavailable: "UNAVAILABLE", domain.Unavailable + 1: "UNKNOWN",
	} {
		if got := kind.String(); got != want {
			t.Errorf("kind %d: got %s, want %s", kind, got, want)
		}
	}
}
