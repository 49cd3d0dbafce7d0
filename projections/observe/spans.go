package observe

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"aftercare/domain"
	"aftercare/projections"
)

// Spans makes spans of what runners do with events whose commands were traced: one a batch, and one an event in the trace of its
// command. It is a projections.Observer and needs a clock in the runner's Tracker.
type Spans struct {
	// Tracing makes the spans.
	Tracing trace.TracerProvider
}

// mostSpans bounds the traced events of a batch that get spans: who traces everything and catches up with a day would get the day again.
const mostSpans = 128

// Committed implements projections.Observer.
func (s Spans) Committed(ctx context.Context, c projections.Commit) {
	if c.Began.IsZero() {
		return
	}
	var (
		events  []*domain.Recorded
		parents []context.Context
		links   []trace.Link
		more    int
	)
	for e := range c.All() {
		switch {
		case !e.Metadata.Sampled():
		case len(events) == mostSpans:
			more++
		default:
			parent := propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": e.Metadata.Traceparent})
			if command := trace.SpanContextFromContext(parent); command.IsSampled() {
				events, parents, links = append(events, e), append(parents, parent), append(links, trace.Link{SpanContext: command})
			}
		}
	}
	if len(events) == 0 {
		return
	}
	tracer := s.Tracing.Tracer("aftercare/projections")
	_, batch := tracer.Start(ctx, "project batch "+c.View, trace.WithNewRoot(), trace.WithTimestamp(c.Began),
		trace.WithLinks(links...), trace.WithAttributes(
			attribute.String("aftercare.view", c.View), attribute.Int64("aftercare.position", number(c.Position.Commit)),
			attribute.Int("aftercare.events", c.Events), attribute.Int("aftercare.parked", c.Parked),
			attribute.Int("aftercare.traced_without_span", more),
		))
	batch.AddEvent("commit", trace.WithTimestamp(c.Folded))
	for i, e := range events {
		category, _, _ := strings.Cut(e.Stream, "-")
		_, span := tracer.Start(parents[i], "project "+c.View, trace.WithTimestamp(c.Began), trace.WithSpanKind(trace.SpanKindConsumer),
			trace.WithLinks(trace.Link{SpanContext: batch.SpanContext()}), trace.WithAttributes(
				attribute.String("aftercare.view", c.View), attribute.Int64("aftercare.position", number(e.Position.Commit)),
				attribute.String("aftercare.category", category), attribute.String("aftercare.event", e.Type),
			))
		span.End(trace.WithTimestamp(c.Ended))
	}
	batch.End(trace.WithTimestamp(c.Ended))
}

// Failed implements projections.Observer. What could not be done is done again, and told then.
func (Spans) Failed(context.Context, string, error) {}

// number is a position as attributes have them.
func number(n uint64) int64 { return int64(n) } //nolint:gosec // positions are below 2^63
