package reaction

import (
	"context"

	"github.com/ThreeDotsLabs/watermill/message"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traced gives each traced event a span in the trace of its command. What happened before the reaction started is not traced again.
func traced(tracing trace.TracerProvider) message.HandlerMiddleware {
	tracer := tracing.Tracer("aftercare/commands/reaction")
	live := false // messages come one after another
	return func(next message.HandlerFunc) message.HandlerFunc {
		return func(m *message.Message) ([]*message.Message, error) {
			it := itemOf(m)
			defer func() { live = live || it.live }()
			if !live || it.event == nil || !it.event.Metadata.Sampled() {
				return next(m)
			}
			ctx, span := tracer.Start(within(m.Context(), it.event.Metadata.Traceparent), "react "+message.HandlerNameFromCtx(m.Context()),
				trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(attribute.String("aftercare.event", it.event.Type)))
			defer span.End()
			m.SetContext(ctx)
			produced, err := next(m)
			if err != nil {
				span.SetStatus(codes.Error, "failed")
			}
			return produced, err
		}
	}
}

// within puts ctx into the trace that a traceparent names.
func within(ctx context.Context, traceparent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
}

// span begins the span of a command of the timer, in the trace of the command that set the due time.
func (w *watch) span(ctx context.Context, c *running) (context.Context, trace.Span) {
	ctx = within(ctx, c.traceparent)
	if w.Tracing == nil || c.traceparent == "" {
		return ctx, trace.SpanFromContext(context.Background())
	}
	return w.Tracing.Tracer("aftercare/commands/reaction").Start(ctx, "lapse") //nolint:spancheck // the caller ends it
}
