package domain_test

import (
	"testing"

	"aftercare/domain"
)

func TestPositionsAreOrderedByCommitThenPrepare(t *testing.T) {
	t.Parallel()
	order := []domain.Position{{}, {Prepare: 1}, {Commit: 1}, {Commit: 1, Prepare: 1}, {Commit: 2}}
	for i, p := range order {
		for j, q := range order {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := p.Compare(q); got != want {
				t.Errorf("%v to %v: got %d, want %d", p, q, got, want)
			}
		}
	}
}

func TestAPrincipalOfNothingIsNobody(t *testing.T) {
	t.Parallel()
	if !(domain.Principal{Roles: []string{}}).IsZero() {
		t.Error("somebody")
	}
	for _, p := range []domain.Principal{{ID: "ann"}, {OnBehalfOf: "ann"}, {Roles: []string{"agent"}}} {
		if p.IsZero() {
			t.Errorf("%+v is nobody", p)
		}
	}
}
