package commands

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"aftercare/domain"
)

// span begins a part of the work on a command, in the trace that ctx is in. Where that is not kept it costs nothing.
func span(ctx context.Context, name, category string) (context.Context, trace.Span) {
	outer := trace.SpanFromContext(ctx)
	if !outer.IsRecording() {
		return ctx, trace.SpanFromContext(context.Background())
	}
	return outer.TracerProvider().Tracer("aftercare/commands").Start(ctx, name+" "+category, //nolint:spancheck // end ends it
		trace.WithAttributes(attribute.String("aftercare.category", category)))
}

// end ends a span. A refusal is an answer like any other; only its code is told, since errors may repeat what was said.
func end(s trace.Span, r Receipt, err error) {
	if !s.IsRecording() {
		return
	}
	refusal, refused := errors.AsType[*domain.Error](err)
	switch {
	case err == nil:
		s.SetAttributes(attribute.Int64("aftercare.position", int64(r.Position.Commit)), //nolint:gosec // positions are below 2^63
			attribute.Bool("aftercare.repeated", r.Repeated))
	case refused && refusal.Kind != domain.Unavailable:
		s.SetAttributes(attribute.String("aftercare.refusal", refusal.Code))
	case refused:
		s.SetStatus(codes.Error, refusal.Code)
	default:
		s.SetStatus(codes.Error, "failed")
	}
	s.End()
}

// traceparent names the span that ctx is in, here or elsewhere; it is "" without one.
func traceparent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}
