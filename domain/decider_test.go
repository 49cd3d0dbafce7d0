package domain_test

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
)

// counted is an account of a sum that may not fall below zero.
type counted struct{ By int }

func (counted) EventType() string     { return "sum.counted.v1" }
func (counted) OccurredAt() time.Time { return time.Time{} }

var errBelow = domain.Refuse(domain.WrongState, "sum.below-zero")

func sums() domain.Decider[int, int, counted] {
	return domain.Decider[int, int, counted]{
		Category: "sum",
		Decide: func(sum, by int) ([]counted, error) {
			switch {
			case by == 0:
				return nil, nil
			case sum+by < 0:
				return nil, domain.Refuse(domain.WrongState, "sum.below-zero", "sum", strconv.Itoa(sum))
			}
			return []counted{{by}}, nil
		},
		Evolve: func(sum int, e counted) int { return sum + e.By },
	}
}

func TestDecider(t *testing.T) {
	t.Parallel()
	d := sums()
	if got := d.Stream("7"); got != "sum-7" {
		t.Errorf("the stream is %s", got)
	}
	if got := d.Fold(1, counted{2}, counted{-3}); got != 0 {
		t.Errorf("folded to %d", got)
	}
}

func TestCommandsAreDecidedOnWhatTheEarlierOnesLeft(t *testing.T) {
	t.Parallel()
	events, state, err := sums().DecideAll(1, 2, 0, -3)
	if diff := cmp.Diff([]counted{{2}, {-3}}, events); diff != "" || state != 0 || err != nil {
		t.Errorf("%d, %v\n%s", state, err, diff)
	}
	if events, state, err := sums().DecideAll(5); events != nil || state != 5 || err != nil {
		t.Errorf("nothing asked: %v, %d, %v", events, state, err)
	}
}

func TestOneRefusalRefusesAll(t *testing.T) {
	t.Parallel()
	events, state, err := sums().DecideAll(1, 2, -4, 5)
	if !errors.Is(err, errBelow) || events != nil || state != 0 {
		t.Errorf("%v, %d, %v", events, state, err)
	}
}

func TestRefusalsAreToldApartByKindAndCode(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("asked: %w", domain.Refuse(domain.Invalid, "a.b", "y", "2", "x", "1"))
	if !errors.Is(err, domain.Refuse(domain.Invalid, "a.b")) {
		t.Error("parameters tell refusals apart")
	}
	for name, other := range map[string]error{
		"another kind": domain.Refuse(domain.Conflict, "a.b"), "another code": domain.Refuse(domain.Invalid, "a.c"), "another error": errors.New("a.b"),
	} {
		if errors.Is(err, other) {
			t.Errorf("it is %s", name)
		}
	}
	if got := err.Error(); got != "asked: a.b x=1 y=2" {
		t.Errorf("it reads %q", got)
	}
	if got := domain.Refuse(domain.Invalid, "a", "left"); len(got.Params) != 0 {
		t.Errorf("half a pair is %v", got.Params)
	}
}

func TestKindsHaveStableNames(t *testing.T) {
	t.Parallel()
	var got []string
	for k := range domain.Unavailable + 2 {
		got = append(got, k.String())
	}
	want := []string{"UNKNOWN", "INVALID", "NOT_FOUND", "WRONG_STATE", "CONFLICT", "FORBIDDEN", "UNAVAILABLE", "UNKNOWN"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPositionsAreOrdered(t *testing.T) {
	t.Parallel()
	order := []domain.Position{{}, {Commit: 1}, {Commit: 1, Prepare: 1}, {Commit: 2}, {Commit: 2, Prepare: 7}}
	for i, p := range order {
		for j, q := range order {
			if got, want := p.Compare(q), max(-1, min(1, i-j)); got != want {
				t.Errorf("%v to %v is %d, want %d", p, q, got, want)
			}
		}
	}
}

func TestNobodyIsNoPrincipal(t *testing.T) {
	t.Parallel()
	if !(domain.Principal{}).IsZero() || !(domain.Principal{Roles: []string{}}).IsZero() {
		t.Error("nobody is somebody")
	}
	for _, p := range []domain.Principal{{ID: "a"}, {Roles: []string{"a"}}, {OnBehalfOf: "a"}} {
		if p.IsZero() {
			t.Errorf("%+v is nobody", p)
		}
	}
}
