package observe_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"aftercare/projections/observe"
)

// TestALongBatchHasABoundedNumberOfSpans catches up with events that were all traced.
func TestALongBatchHasABoundedNumberOfSpans(t *testing.T) {
	t.Parallel()
	const events = 500
	b := newBench(t)
	batch := make([]esdb.EventData, events)
	for i := range batch {
		batch[i] = esdb.EventData{
			EventType: added{}.EventType(), ContentType: esdb.ContentTypeJson, Data: []byte(`{"at":"2026-01-01T00:00:00Z","n":1}`),
			Metadata: fmt.Appendf(nil, `{"occurredAt":"2026-01-01T00:00:00Z","traceparent":"00-%032x-%016x-01"}`, i+1, i+1),
		}
	}
	at := b.store.Append("sum-1", batch...)
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	defer func() { _ = provider.Shutdown(context.WithoutCancel(t.Context())) }()
	stop := b.run(observe.Spans{Tracing: provider})
	b.wait(at)
	stop()

	traced, omitted, batches := 0, 0, 0
	for _, s := range spans.GetSpans() {
		if !strings.HasPrefix(s.Name, "project batch ") {
			traced++
			if s.EndTime.Sub(s.StartTime) <= 0 || s.EndTime.Sub(s.StartTime) > time.Minute {
				t.Errorf("a span lasts from %s to %s", s.StartTime, s.EndTime)
			}
			continue
		}
		batches++
		for _, a := range s.Attributes {
			if a.Key == "aftercare.traced_without_span" {
				omitted += int(a.Value.AsInt64())
			}
		}
	}
	if traced+omitted != events {
		t.Errorf("%d events have spans and %d have none, of %d", traced, omitted, events)
	}
	if traced > 128*batches {
		t.Errorf("%d batches have %d spans of events", batches, traced)
	}
}
