package ticket_test

import (
	"strconv"
	"testing"
	"time"

	"aftercare/domain"
	"aftercare/domain/calendar"
	"aftercare/domain/clock"
	"aftercare/domain/policy"
	"aftercare/domain/ticket"
)

// BenchmarkHistory imports a case of thirty rows under three clocks, one of which pauses: the figure is a case, events/op its events.
func BenchmarkHistory(b *testing.B) {
	office := calendar.Definition{Zone: "America/New_York", Week: map[string][]calendar.Interval{}, Holidays: []string{"2026-05-25"}}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri"} {
		office.Week[day] = []calendar.Interval{{"08:30", "12:00"}, {"13:00", "17:00"}}
	}
	define := func(name, stop string, budget int, unit clock.Unit) clock.Definition {
		return clock.Definition{
			Clock: name, Start: []string{"received", "reopened"}, Stop: []string{stop}, Budget: budget, Unit: unit, Calendar: "office",
			Pause: []string{"customer"}, When: map[string][]string{"source": {"bench"}},
		}
	}
	book, err := policy.NewBook("2026a").With(
		policy.Published{Version: policy.Version{ID: "office", Number: 1, Calendar: &office}},
		policy.Published{Version: policy.Version{ID: "sla", Number: 1, Clocks: []clock.Definition{
			define("first_response", "acknowledged", 60, clock.Minutes), define("resolution", "resolved", 2400, clock.Minutes),
			define("closure", "closed", 10, clock.WorkingDays),
		}}},
	)
	if err != nil {
		b.Fatal(err)
	}
	start := time.Date(2026, time.May, 20, 14, 0, 0, 0, time.UTC)
	commands := []ticket.Command{ticket.Receive{
		At: start, Number: "n", Details: ticket.Details{Priority: "3", Team: "line-1", Attributes: map[string]string{"a": "1", "b": "2"}},
		Source: &ticket.Source{System: "bench", Key: "1"},
	}}
	phases := []ticket.Phase{ticket.Open, ticket.Waiting, ticket.Open, ticket.Open, ticket.Waiting, ticket.Done}
	for i := range 30 {
		commands = append(commands, ticket.RecordStatus{
			At: start.Add(time.Duration(i) * 3 * time.Hour), Seq: i + 1, Status: "s", Phase: phases[i%len(phases)], Reason: "customer",
			Details: ticket.Details{Priority: "3", Team: "line-" + strconv.Itoa(1+i/10), Agent: "a", Attributes: map[string]string{"a": "1", "b": "2"}},
		})
	}
	decider := ticket.New(book)
	var events []domain.Event
	b.ReportAllocs()
	for b.Loop() {
		if events, _, err = decider.DecideAll(ticket.State{}, commands...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(events)), "events/op")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(events)), "ns/event")
}
