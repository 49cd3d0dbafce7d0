package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// longestName bounds what a client calls its operation in a span.
const longestName = 64

// traced puts an operation into the trace that its client tells in the header traceparent, or into one of its own. What the operation and
// its variables say is not told.
func (r *Resolver) traced(ctx context.Context) (context.Context, func(*graphql.Response)) {
	o := graphql.GetOperationContext(ctx)
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(o.Headers))
	if r.Tracing == nil {
		return ctx, func(*graphql.Response) {}
	}
	kind := string(o.Operation.Operation)
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("graphql.operation.type", kind),
		attribute.String("graphql.operation.name", o.OperationName[:min(len(o.OperationName), longestName)]),
	)}
	ctx, span := r.Tracing.Tracer("aftercare/graph").Start(ctx, kind, options...) //nolint:spancheck // what is returned ends it
	end := func(response *graphql.Response) {
		if response != nil && len(response.Errors) > 0 {
			span.SetStatus(codes.Error, "errors")
		}
		span.End()
	}
	return ctx, end //nolint:spancheck // as above
}
