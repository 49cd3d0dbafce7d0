package domain_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
)

// added is an event of a sum that stays below ten.
type added int

func (added) EventType() string     { return "sum.added.v1" }
func (added) OccurredAt() time.Time { return time.Time{} }

var errFull = domain.Refuse(domain.WrongState, "sum.full")

func sum() domain.Decider[int, int, added] {
	return domain.Decider[int, int, added]{
		Category: "sum",
		Decide: func(s, n int) ([]added, error) {
			switch {
			case n == 0:
				return nil, nil
			case s+n >= 10:
				return nil, errFull
			}
			return []added{added(n)}, nil
		},
		Evolve: func(s int, e added) int { return s + int(e) },
	}
}

func TestCommandsAreDecidedOnWhatTheEarlierOnesLeft(t *testing.T) {
	t.Parallel()
	events, state, err := sum().DecideAll(1, 2, 0, 3)
	if diff := cmp.Diff([]added{2, 3}, events); diff != "" || state != 6 || err != nil {
		t.Errorf("got the state %d, %v, -want +got:\n%s", state, err, diff)
	}
}

func TestOneRefusalRefusesThemAll(t *testing.T) {
	t.Parallel()
	events, state, err := sum().DecideAll(1, 2, 7, 3)
	if !errors.Is(err, errFull) || events != nil || state != 0 {
		t.Errorf("got %v, the state %d and %v, want only %v", events, state, err, errFull)
	}
}

func TestAStateIsTheFoldOfItsEvents(t *testing.T) {
	t.Parallel()
	if got := sum().Fold(1, 2, 3); got != 6 {
		t.Errorf("got %d, want 6", got)
	}
	if got := sum().Stream("7"); got != "sum-7" {
		t.Errorf("got %s, want sum-7", got)
	}
}
