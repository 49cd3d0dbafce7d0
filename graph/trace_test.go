package graph_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"aftercare/graph"
)

// tracing keeps spans in memory.
func tracing(tb testing.TB) (*sdktrace.TracerProvider, *tracetest.InMemoryExporter) {
	tb.Helper()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	tb.Cleanup(func() { _ = provider.Shutdown(context.WithoutCancel(tb.Context())) })
	return provider, spans
}

const (
	aTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	aClient = "00f067aa0ba902b7"
)

// received opens a case under a traceparent and returns what its events name, once all views have it.
func (b *bench) received(traceparent string) []string {
	b.Helper()
	answer := b.ask(`mutation Call($input: ReceiveTicketInput!) { receiveTicket(input: $input) { ... on TicketChanged { id position } } }`,
		map[string]any{"input": map[string]any{"kind": "repair", "priority": "high", "title": "The kettle of Mrs Miller leaks"}}, "Traceparent", traceparent)
	var data struct{ ReceiveTicket struct{ ID, Position string } }
	if err := json.Unmarshal(answer.Data, &data); err != nil || data.ReceiveTicket.ID == "" {
		b.Fatalf("%v: %+v", err, answer)
	}
	b.settle(data.ReceiveTicket.Position)
	var parents []string
	for e, err := range b.log.Read(b.Context(), "ticket-"+b.uuid(data.ReceiveTicket.ID), 0) {
		if err != nil {
			b.Fatal(err)
		}
		parents = append(parents, e.Metadata.Traceparent)
	}
	return slices.Compact(parents)
}

func TestACommandAndWhatItLeadsToAreOneTrace(t *testing.T) {
	t.Parallel()
	provider, exporter := tracing(t)
	b := newBench(t, func(c *graph.Config) { c.Tracing = provider })
	parents := b.received("00-" + aTrace + "-" + aClient + "-01")

	inTrace := make(map[string]tracetest.SpanStub) // by name
	var batches []tracetest.SpanStub
	for _, s := range exporter.GetSpans() {
		for _, a := range s.Attributes {
			if strings.Contains(a.Value.String(), "Miller") {
				t.Errorf("%s tells %s", s.Name, a.Key)
			}
		}
		switch {
		case strings.HasPrefix(s.Name, "project batch "):
			batches = append(batches, s)
		case s.SpanContext.TraceID().String() == aTrace:
			inTrace[s.Name] = s
		}
	}
	parent := map[string]string{}
	for name, s := range inTrace {
		parent[name] = s.Parent.SpanID().String()
		for other, o := range inTrace {
			if o.SpanContext.SpanID() == s.Parent.SpanID() {
				parent[name] = other
			}
		}
	}
	want := map[string]string{
		"mutation": aClient, "handle ticket": "mutation", "append ticket": "handle ticket",
		"project ticket": "handle ticket", "project timeline": "handle ticket", "project sla": "handle ticket", "project satisfaction": "handle ticket",
	}
	if diff := cmp.Diff(want, parent); diff != "" {
		t.Errorf("spans and their parents (-want +got):\n%s", diff)
	}
	handle := inTrace["handle ticket"].SpanContext
	if diff := cmp.Diff([]string{"00-" + aTrace + "-" + handle.SpanID().String() + "-01"}, parents); diff != "" {
		t.Errorf("what the events name (-want +got):\n%s", diff)
	}
	for _, s := range batches {
		if len(s.Links) == 0 || s.Links[0].SpanContext.SpanID() != handle.SpanID() || s.SpanContext.TraceID() == handle.TraceID() {
			t.Errorf("%s links to %+v", s.Name, s.Links)
		}
		if s.EndTime.Before(s.StartTime) {
			t.Errorf("%s ends at %s, before its start at %s", s.Name, s.EndTime, s.StartTime)
		}
	}
	if len(batches) < 4 {
		t.Errorf("there are %d spans of batches", len(batches))
	}
}

func TestATraceThatIsNotSampledHasNoSpans(t *testing.T) {
	t.Parallel()
	provider, exporter := tracing(t)
	b := newBench(t, func(c *graph.Config) { c.Tracing = provider })
	notSampled := "00-" + aTrace + "-" + aClient + "-00"
	parents := b.received(notSampled)
	for _, s := range exporter.GetSpans() {
		if s.SpanContext.TraceID().String() == aTrace || strings.HasPrefix(s.Name, "project") {
			t.Errorf("there is a span %s", s.Name)
		}
	}
	if len(parents) != 1 || !strings.HasPrefix(parents[0], "00-"+aTrace+"-") || !strings.HasSuffix(parents[0], "-00") {
		t.Errorf("the events name %v", parents)
	}
}

func TestTheTraceOfTheClientIsRecordedWithoutTracing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for given, want := range map[string]string{
		"00-" + aTrace + "-" + aClient + "-01": "00-" + aTrace + "-" + aClient + "-01",
		"":                                     "",
		"00-what-ever-01":                      "",
		strings.Repeat("x", 5000):              "",
	} {
		if got := b.received(given); len(got) != 1 || got[0] != want {
			t.Errorf("told %.60q, the events name %q, want %q", given, got, want)
		}
	}
}
