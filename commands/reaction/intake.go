package reaction

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/components/metrics"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"aftercare/commands"
)

// intake gives the events of the log to a reaction, by way of a Watermill router: what fails is tried again, and what keeps failing is set
// aside, so that the rest goes on.
type intake struct {
	name     string
	follower commands.Follower
	// prefix is how the types of the events begin.
	prefix string
	// take is given one event after another, in the order of the log.
	take func(ctx context.Context, it item) error
	// figures and tracing may be nil.
	figures prometheus.Registerer
	tracing trace.TracerProvider
	logger  *slog.Logger
}

// How often, and how long apart, an event is tried before it is set aside.
const (
	retries    = 5
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// run takes events until ctx ends, and returns its error, or until the log cannot be followed.
func (i intake) run(ctx context.Context) error {
	logger := watermill.NewSlogLogger(i.logger)
	router, err := message.NewRouter(message.RouterConfig{}, logger)
	if err != nil {
		return err
	}
	poison, err := middleware.PoisonQueueWithFilter(newPoison(i), i.name+".poison", func(error) bool { return ctx.Err() == nil })
	if err != nil {
		return err
	}
	if i.figures != nil {
		figures := metrics.NewPrometheusMetricsBuilder(i.figures, "aftercare", "reaction")
		router.AddMiddleware(figures.NewRouterMiddleware().Middleware)
	}
	router.AddMiddleware(
		poison,
		middleware.Retry{
			MaxRetries: retries, InitialInterval: firstRetry, MaxInterval: lastRetry, Multiplier: 2, Logger: logger,
		}.Middleware,
		middleware.Recoverer,
	)
	if i.tracing != nil {
		router.AddMiddleware(traced(i.tracing)) //nolint:contextcheck // messages bring theirs
	}
	events := &subscriber{follower: i.follower}
	router.AddConsumerHandler(i.name, i.prefix, events, func(m *message.Message) error { //nolint:contextcheck // as above
		return i.take(m.Context(), itemOf(m))
	})
	if err := router.Run(ctx); err != nil {
		return fmt.Errorf("run reaction %s: %w", i.name, err)
	}
	<-events.ended
	return events.err
}
