package reaction

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"aftercare/commands"
	"aftercare/domain"
)

// TakeIn gives a reaction of a test the events of a follower, as the Timer gets them; nil says that the end of the log was reached.
func TakeIn(
	ctx context.Context, name string, f commands.Follower, take func(context.Context, *domain.Recorded) error,
	figures prometheus.Registerer, tracing trace.TracerProvider, logger *slog.Logger,
) error {
	return intake{
		name: name, follower: f, prefix: "", figures: figures, tracing: tracing, logger: logger,
		take: func(ctx context.Context, it item) error { return take(ctx, it.event) },
	}.run(ctx)
}
