package eventstore_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"aftercare/commands"
	"aftercare/domain"
	"aftercare/domain/calendar"
	"aftercare/domain/catalog"
	"aftercare/domain/clock"
	"aftercare/domain/policy"
	"aftercare/domain/seal"
	"aftercare/domain/ticket"
)

// BenchmarkHandle notes something on cases of as many events as its name says, with the node's fsync: a read of all, a
// fold, a decision and an append.
func BenchmarkHandle(b *testing.B) {
	log := durable(b, catalog.Codec())
	for _, length := range []int{10, 100, 1_000, 10_000} {
		b.Run(strconv.Itoa(length), func(b *testing.B) { benchmarkHandle(b, log, length) })
	}
}

func benchmarkHandle(b *testing.B, log commands.Log, length int) {
	b.Helper()
	tickets := commands.Handler[ticket.State, ticket.Command, domain.Event]{
		Log: log, Decider: ticket.New(promises(b)), HashKey: make([]byte, 32),
	}
	cases := max(1, 1_000/length) // the commands measured lengthen none of them by much
	prefix := fmt.Sprintf("%d-%d", length, b.N)
	for i := range cases {
		live(b, log, tickets.Decider, fmt.Sprintf("%s-%d", prefix, i), length)
	}
	var last uint64
	var took []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		last++
		meta := domain.Metadata{CommandID: key(length, last)}
		note := ticket.AddNote{At: opened.AddDate(1, 0, 0), Text: seal.New("customer-1", "called again, will call back")}
		began := time.Now() //nolint:forbidigo // the benchmark measures
		if _, err := tickets.Handle(b.Context(), fmt.Sprintf("%s-%d", prefix, last%uint64(cases)), note, meta); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began)) //nolint:forbidigo // the benchmark measures
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1e3, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1e3, "p99-ms")
}

var opened = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

func key(length int, n uint64) (id domain.UUID) {
	binary.BigEndian.PutUint64(id[:], uint64(length)) //nolint:gosec // not negative
	binary.BigEndian.PutUint64(id[8:], n)
	return id
}

// promises are two clocks, of which one pauses.
func promises(tb testing.TB) *policy.Book {
	tb.Helper()
	office := calendar.Definition{Zone: "America/New_York", Week: map[string][]calendar.Interval{}}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri"} {
		office.Week[day] = []calendar.Interval{{"08:30", "17:00"}}
	}
	define := func(name, stop string, budget int) clock.Definition {
		return clock.Definition{
			Clock: name, Start: []string{"received"}, Stop: []string{stop}, Budget: budget, Unit: clock.Minutes, Calendar: "office",
			Pause: []string{"customer"},
		}
	}
	book, err := policy.NewBook("2026a").With(
		policy.Published{Version: policy.Version{ID: "office", Number: 1, Calendar: &office}},
		policy.Published{Version: policy.Version{ID: "sla", Number: 1, Clocks: []clock.Definition{
			define("first_response", "acknowledged", 60), define("resolution", "resolved", 2400),
		}}},
	)
	if err != nil {
		tb.Fatal(err)
	}
	return book
}

// live writes a case that goes back and forth between us and the customer until it has so many events.
func live(tb testing.TB, log commands.Log, decider domain.Decider[ticket.State, ticket.Command, domain.Event], id string, length int) {
	tb.Helper()
	text := seal.New("customer-1", "The pump makes a noise again since the technician was here on Tuesday, could you have another look?")
	events, state, err := decider.DecideAll(ticket.State{}, ticket.Receive{
		At: opened, Number: "AC-1", Customer: "customer-1", Title: text, Description: text,
		Details: ticket.Details{Priority: "3", Team: "line-1", Attributes: map[string]string{"contract": "gold"}},
	})
	for n := 0; err == nil && len(events) < length; n++ {
		at := opened.Add(time.Duration(n) * time.Minute)
		var more []domain.Event
		more, state, err = decider.DecideAll(state, ticket.Wait{At: at, Reason: "customer", Note: text}, ticket.Resume{At: at.Add(30 * time.Second)},
			ticket.Respond{At: at, By: ticket.Person, Agent: "agent-1", Message: text}, ticket.AddNote{At: at, Text: text},
			ticket.Assign{At: at, Team: "line-" + strconv.Itoa(n%3), Agent: "agent-1"})
		events = append(events, more...)
	}
	if err != nil {
		tb.Fatal(err)
	}
	expected := commands.NoStream
	for n := uint64(0); n < uint64(length); { //nolint:gosec // not negative
		proposed := make([]commands.Proposed, min(200, length-int(n)))
		for i := range proposed {
			command := key(length, 1<<32+n)
			proposed[i] = commands.Proposed{
				ID: domain.DeriveUUID(command, id), Event: events[n],
				Metadata: domain.Metadata{
					CommandID: command, CorrelationID: command, Principal: domain.Principal{ID: "agent-1", Roles: []string{"agent"}}, Channel: "web",
				},
			}
			n++
		}
		receipt, err := log.Append(tb.Context(), decider.Stream(id), expected, proposed)
		if err != nil {
			tb.Fatal(err)
		}
		expected = commands.Expected(receipt.Revision) //nolint:gosec // below 2^63
	}
}
