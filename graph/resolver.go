package graph

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"aftercare/commands"
	"aftercare/domain"
	"aftercare/domain/ticket"
	"aftercare/projections"
	"aftercare/projections/facet"
)

// Commands carries out the commands of tickets: a commands.Handler does.
type Commands interface {
	HandleAt(ctx context.Context, id string, expected *uint64, command ticket.Command, meta domain.Metadata) (commands.Receipt, error)
}

// History reads the stream of a case: a commands.Log does.
type History interface {
	Read(ctx context.Context, stream string, from uint64) iter.Seq2[domain.Recorded, error]
}

// Progress says how far the views have come: a projections.Tracker does.
type Progress interface {
	Wait(ctx context.Context, position domain.Position, views ...string) (projections.Progress, error)
	Status(ctx context.Context, views ...string) (projections.Statuses, error)
}

// Config is what the API is made of. Commands, History, Progress, Metrics, DB, Now and NewID must be set.
type Config struct {
	Commands Commands
	History  History
	Progress Progress
	Metrics  Metrics
	// DB holds the read models.
	DB facet.DB
	// Now is the clock: when a wish does not say when it happened, it happened now.
	Now func() time.Time
	// NewID makes command ids and correlation ids.
	NewID func() domain.UUID
	// Log defaults to one that discards.
	Log *slog.Logger
	// Tracing makes the spans of queries and mutations, none when it is nil. The trace of a client that tells one is recorded with what it
	// writes either way.
	Tracing trace.TracerProvider
	// Limits bound what one operation may ask for.
	Limits Limits
	// Deadline bounds the time of a query or mutation. Defaults to 30 s.
	Deadline time.Duration
	// MutationWait bounds how long a mutation waits for the view to show the ticket after the change. Defaults to 2 s.
	MutationWait time.Duration
	// Watch is how often subscriptions look for changes. Defaults to 200 ms.
	Watch time.Duration
	// InitTimeout is how long a WebSocket may take to begin. Defaults to 10 s.
	InitTimeout time.Duration
}

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Deadline <= 0 {
		c.Deadline = 30 * time.Second
	}
	if c.MutationWait <= 0 {
		c.MutationWait = defaultWait
	}
	if c.Watch <= 0 {
		c.Watch = 200 * time.Millisecond
	}
	if c.InitTimeout <= 0 {
		c.InitTimeout = 10 * time.Second
	}
	c.Limits = c.Limits.withDefaults()
	return c
}

// Resolver answers the fields of the schema.
type Resolver struct {
	Config

	waiters chan struct{}
	lags    *lags
	watch   *watch
}

func newResolver(c Config) *Resolver {
	c = c.withDefaults()
	r := &Resolver{
		Config: c, waiters: make(chan struct{}, maxWaiters), lags: &lags{progress: c.Progress, now: c.Now},
	}
	r.watch = newWatch(r)
	return r
}
