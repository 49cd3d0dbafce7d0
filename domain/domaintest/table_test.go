package domaintest_test

import (
	"fmt"
	"testing"
	"time"

	"aftercare/domain"
	"aftercare/domain/domaintest"
)

// lamp is switched on and off.
type lamp struct{ on bool }

type switched struct{ On bool }

func (switched) EventType() string     { return "lamp.switched.v1" }
func (switched) OccurredAt() time.Time { return time.Unix(0, 0) }

var (
	errBroken = domain.Refuse(domain.WrongState, "lamp.broken")
	calls     = map[bool][]switched{true: {{On: true}}, false: {{On: false}}}
)

func lamps(decide func(lamp, bool) ([]switched, error)) domain.Decider[lamp, bool, switched] {
	return domain.Decider[lamp, bool, switched]{
		Category: "lamp", Decide: decide, Evolve: func(_ lamp, e switched) lamp { return lamp{e.On} },
	}
}

func honest(l lamp, on bool) ([]switched, error) {
	if l.on == on {
		return nil, nil
	}
	return calls[on], nil
}

func broken(lamp, bool) ([]switched, error) {
	return nil, domain.Refuse(domain.WrongState, "lamp.broken", "part", "bulb")
}

func TestTable(t *testing.T) {
	t.Parallel()
	domaintest.Run(t, lamps(honest), map[string]domaintest.Case[bool, switched]{
		"a dark lamp is switched on":     {When: true, Then: calls[true]},
		"a lamp that is on stays on":     {Given: calls[true], When: true},
		"commands before count":          {After: []bool{true}, When: false, Then: calls[false]},
		"commands come after the events": {Given: calls[true], After: []bool{false}, When: false},
	})
	domaintest.Run(t, lamps(broken), map[string]domaintest.Case[bool, switched]{
		"a broken lamp refuses":        {When: true, Fails: errBroken},
		"the parameters may be looked": {When: true, Fails: domain.Refuse(domain.WrongState, "lamp.broken", "part", "bulb")},
	})
}

// recorder is a testing.TB that remembers that it failed, and ends the check as Fatalf must.
type recorder struct {
	testing.TB
	failed string
}

func (*recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = fmt.Sprintf(format, args...)
	panic(r)
}

// TestFailures holds that a table that is wrong fails.
func TestFailures(t *testing.T) {
	t.Parallel()
	turn := 0
	moody := lamps(func(lamp, bool) ([]switched, error) {
		turn++
		return calls[turn%2 == 0], nil
	})
	talkative := lamps(func(lamp, bool) ([]switched, error) { return calls[true], errBroken })
	type example = domaintest.Case[bool, switched]
	for name, c := range map[string]struct {
		decider domain.Decider[lamp, bool, switched]
		example example
	}{
		"other events":           {lamps(honest), example{When: true, Then: calls[false]}},
		"events where none":      {lamps(honest), example{When: true}},
		"no events":              {lamps(honest), example{When: false, Then: calls[false]}},
		"no refusal":             {lamps(honest), example{When: true, Fails: errBroken}},
		"a refusal":              {lamps(broken), example{When: true, Then: calls[true]}},
		"another refusal":        {lamps(broken), example{When: true, Fails: domain.Refuse(domain.Invalid, "lamp.broken")}},
		"other parameters":       {lamps(broken), example{When: true, Fails: domain.Refuse(domain.WrongState, "lamp.broken", "part", "socket")}},
		"refused before":         {lamps(broken), example{After: []bool{true}, When: true, Fails: errBroken}},
		"events with a refusal":  {talkative, example{When: true, Fails: errBroken}},
		"an answer that changes": {moody, example{When: true, Then: calls[true]}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			defer func() {
				if r.failed == "" {
					t.Error("the check passed")
				}
				_ = recover()
			}()
			domaintest.Check(r, c.decider, c.example)
		})
	}
}
