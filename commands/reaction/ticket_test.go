package reaction_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/commands"
	"aftercare/commands/logtest"
	"aftercare/commands/policies"
	"aftercare/commands/reaction"
	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/domain/clock"
	"aftercare/domain/policy"
	"aftercare/domain/ticket"
)

// The whole write side of a ticket: its promises come from the default policies, and the timer records what was not kept.
func TestTheTimerOfTickets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := now() // a Saturday
		log := logtest.NewMemory(catalog.Codec(), logtest.Sealer{}, now)
		key := make([]byte, 32)
		published := commands.Handler[policy.State, policy.Publish, policy.Published]{Log: log, Decider: policy.Decider(), HashKey: key}
		if _, err := policies.Publish(t.Context(), published, start, policies.Default(), domain.Metadata{CommandID: domain.UUID{1}}); err != nil {
			t.Fatal(err)
		}
		book, err := policies.Load(t.Context(), log, "2026a")
		if err != nil {
			t.Fatal(err)
		}
		tickets := commands.Handler[ticket.State, ticket.Command, domain.Event]{Log: log, Decider: ticket.New(book), HashKey: key}
		defer run(t, reaction.Timer{Follower: log, Tickets: tickets, Now: now})()

		ask := func(id byte, c ticket.Command) {
			t.Helper()
			if _, err := tickets.Handle(t.Context(), "1", c, domain.Metadata{CommandID: domain.UUID{id}}); err != nil {
				t.Fatalf("%T: %v", c, err)
			}
		}
		ask(2, ticket.Receive{At: start, Number: "N", Details: ticket.Details{Kind: "request"}})
		pass(5 * time.Minute)
		ask(3, ticket.Acknowledge{At: now()}) // exactly when due
		pass(time.Hour)
		ask(4, ticket.Respond{At: now()}) // half an hour late
		pass(100 * time.Hour)

		want := []string{
			"started acknowledgement", "started first_response", "started resolution",
			"met 1 after 5m0s", "breached 2 at 30m0s", "met late 2", "breached 3 at 82h0m0s",
		}
		if diff := cmp.Diff(want, story(t.Context(), t, log, start)); diff != "" {
			t.Errorf("clocks (-want +got):\n%s", diff)
		}
	})
}

// story tells what became of the clocks of ticket 1.
func story(ctx context.Context, t *testing.T, log commands.Log, start time.Time) (story []string) {
	t.Helper()
	for r, err := range log.Read(ctx, "ticket-1", 0) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := r.Event.(type) {
		case clock.Started:
			story = append(story, "started "+e.Clock)
		case clock.Met:
			story = append(story, fmt.Sprintf("met %d after %v", e.Instance, e.At.Sub(start)))
		case clock.MetLate:
			story = append(story, fmt.Sprintf("met late %d", e.Instance))
		case clock.Breached:
			story = append(story, fmt.Sprintf("breached %d at %v", e.Instance, e.At.Sub(start)))
		}
	}
	return story
}
