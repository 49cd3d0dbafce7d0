package domaintest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aftercare/domain"
)

// Case is one example. Without Then and Fails, nothing follows: the wish is fulfilled already.
type Case[C any, E domain.Event] struct {
	// Given is the history so far.
	Given []E
	// After are commands that were carried out after Given. None may be refused.
	After []C
	// When is what is asked.
	When C
	// Then are the events that follow, in order.
	Then []E
	// Fails is the refusal, compared by errors.Is; where it is a *domain.Error with Params, these are compared, too.
	Fails error
}

// Run checks every case of a table as a subtest of its own.
func Run[S, C any, E domain.Event](t *testing.T, d domain.Decider[S, C, E], table map[string]Case[C, E]) {
	t.Helper()
	for rule, c := range table {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			Check(t, d, c)
		})
	}
}

// Check checks one case.
func Check[S, C any, E domain.Event](tb testing.TB, d domain.Decider[S, C, E], c Case[C, E]) {
	tb.Helper()
	var zero S
	given := d.Fold(zero, c.Given...)
	_, state, err := d.DecideAll(given, c.After...)
	if err != nil {
		tb.Fatalf("the commands before were refused: %v", err)
	}
	got, err := d.Decide(state, c.When)
	again, errAgain := d.Decide(state, c.When)
	if diff := cmp.Diff(got, again, options()); diff != "" || fmt.Sprint(err) != fmt.Sprint(errAgain) {
		tb.Fatalf("asked twice, answered differently: %v, %v\n%s", err, errAgain, diff)
	}
	if c.Fails != nil {
		refused(tb, got, err, c.Fails)
		return
	}
	if err != nil {
		tb.Fatalf("got the refusal %v, want events", err)
	}
	if diff := cmp.Diff(c.Then, got, options()); diff != "" {
		tb.Fatalf("events (-want +got):\n%s", diff)
	}
}

func refused[E domain.Event](tb testing.TB, got []E, err, want error) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Fatalf("got the refusal %v, want %v", err, want)
	}
	if len(got) > 0 {
		tb.Fatalf("got %d events beside the refusal %v", len(got), err)
	}
	wanted, ok := errors.AsType[*domain.Error](want)
	if !ok || wanted.Params == nil {
		return
	}
	if refusal, ok := errors.AsType[*domain.Error](err); !ok || !cmp.Equal(wanted.Params, refusal.Params) {
		tb.Fatalf("got the refusal %v, want %v", err, want)
	}
}

// options compare nil and empty alike, since no event tells them apart.
func options() cmp.Option { return cmpopts.EquateEmpty() }
