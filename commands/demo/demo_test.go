package demo_test

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/commands/demo"
	"aftercare/commands/policies"
	"aftercare/domain"
	"aftercare/domain/policy"
	"aftercare/domain/ticket"
)

var (
	from  = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	until = from.AddDate(0, 0, 42)
)

func all(p demo.Play) (cases []demo.Case) {
	for c := range p.All() {
		cases = append(cases, c)
	}
	return cases
}

func TestOneSeedIsOneHistory(t *testing.T) {
	t.Parallel()
	play := demo.Play{Seed: 7, Cases: 200, From: from, Until: until}
	few := all(play)
	if diff := cmp.Diff(few, all(play)); diff != "" {
		t.Errorf("played again it is different:\n%s", diff)
	}
	play.Cases = 1000
	if diff := cmp.Diff(few, all(play)[:200]); diff != "" {
		t.Errorf("more cases change the first ones:\n%s", diff)
	}
	play.Seed = 8
	ids := map[domain.UUID]bool{}
	for _, c := range few {
		ids[c.ID], ids[c.Metadata.CommandID] = true, true
	}
	if len(ids) != 400 {
		t.Errorf("%d ids of 200 cases and 200 commands", len(ids))
	}
	for _, c := range all(play) {
		if ids[c.ID] {
			t.Errorf("case %s is in two histories", c.ID)
		}
	}
}

// TestTheDomainTakesWhatIsPlayed plays under the policies that a new system has, and counts the mixes.
func TestTheDomainTakesWhatIsPlayed(t *testing.T) {
	t.Parallel()
	var published []policy.Published
	for _, v := range policies.Default() {
		published = append(published, policy.Published{Version: v})
	}
	book, err := policy.NewBook("test").With(published...)
	if err != nil {
		t.Fatal(err)
	}
	decider := ticket.New(book)
	counts := map[string]map[string]int{"channel": {}, "priority": {}, "kind": {}, "cause": {}, "score": {}, "phase": {}}
	total := 0
	for c := range (demo.Play{Seed: 1, Cases: 10_000, From: from, Until: until}).All() {
		total++
		events, state, err := decider.DecideAll(ticket.State{}, c.Commands...)
		if err != nil {
			t.Fatalf("case %d: %v\n%#v", total, err, c.Commands)
		}
		last := from
		for _, e := range events {
			if e.OccurredAt().After(until) {
				t.Fatalf("case %d: %s happens at %s", total, e.EventType(), e.OccurredAt())
			}
			last = e.OccurredAt()
			switch e := e.(type) {
			case ticket.Received:
				counts["channel"][e.Channel]++
				counts["priority"][e.Priority]++
				counts["kind"][e.Kind]++
				if e.At.Before(from) {
					t.Fatalf("case %d is received at %s", total, e.At)
				}
			case ticket.Diagnosed:
				counts["cause"][e.Cause]++
			case ticket.Rated:
				counts["score"][strconv.Itoa(e.Score)]++
			}
		}
		if last.Before(from) {
			t.Fatalf("case %d ends at %s", total, last)
		}
		counts["phase"][state.Phase.String()]++
	}
	for what, shares := range map[string]map[string]float64{
		"channel":  {"phone": 70, "web": 25, "on_site": 5},
		"priority": {"normal": 78, "high": 17, "critical": 5},
		"kind":     {"repair": 62, "maintenance": 14, "installation": 8, "consultation": 12, "training": 4},
		"cause":    {"misuse": 60, "product": 30, "environment": 10},
		"score":    {"5": 64, "4": 23, "3": 8, "2": 3, "1": 2},
	} {
		sum := 0
		for _, n := range counts[what] {
			sum += n
		}
		if len(counts[what]) != len(shares) {
			t.Errorf("%s: %v", what, counts[what])
		}
		for name, want := range shares {
			if got := 100 * float64(counts[what][name]) / float64(sum); math.Abs(got-want) > 2 {
				t.Errorf("%s %s: %.1f %% of %d, want %.0f", what, name, got, sum, want)
			}
		}
	}
	for _, phase := range []ticket.Phase{ticket.Open, ticket.Waiting, ticket.Done, ticket.Shut, ticket.Void} {
		if counts["phase"][phase.String()] == 0 {
			t.Errorf("no case ends %s: %v", phase, counts["phase"])
		}
	}
}

func TestAPlayOfNoTime(t *testing.T) {
	t.Parallel()
	for c := range (demo.Play{Seed: 1, Cases: 100, From: from, Until: from}).All() {
		if len(c.Commands) != 1 {
			t.Fatalf("%d things happen in no time", len(c.Commands))
		}
	}
	for range (demo.Play{}).All() {
		t.Fatal("a play of no cases has one")
	}
}
