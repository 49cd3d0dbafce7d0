package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"aftercare/commands"
	"aftercare/commands/eventstore"
	"aftercare/commands/keyring"
	"aftercare/commands/policies"
	"aftercare/commands/reaction"
	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/domain/clock"
	"aftercare/domain/codec"
	"aftercare/domain/policy"
	"aftercare/domain/ticket"
	"aftercare/projections"
	"aftercare/projections/archive"
	"aftercare/projections/feed"
	"aftercare/projections/observe"
	"aftercare/projections/postgres"
	"aftercare/projections/satisfaction"
	"aftercare/projections/sla"
	ticketview "aftercare/projections/ticket"
	"aftercare/projections/timeline"
)

// app is the program wired to its stores.
type app struct {
	*config
	stores  *stores
	pool    *pgxpool.Pool
	ring    *keyring.Ring
	codec   *codec.Codec
	events  *eventstore.Log
	feed    *feed.Log
	tracker *projections.Tracker
	figures figures
	tracing trace.TracerProvider // nil when nobody wants spans
	book    book
	tickets commands.Handler[ticket.State, ticket.Command, domain.Event]
}

// views are the read models, in the order people see them.
func views() []projections.View {
	return []projections.View{ticketview.View(), timeline.View(), sla.View(), satisfaction.View()}
}

func viewNames() []string {
	var names []string
	for _, v := range views() {
		names = append(names, v.Name())
	}
	return names
}

// open wires the program to the stores it finds, and publishes and loads the policies. Close it.
func (c *config) open(ctx context.Context) (_ *app, err error) {
	s, err := c.find(ctx)
	if err != nil {
		return nil, err
	}
	a := &app{config: c, stores: s, codec: catalog.Codec()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	if a.pool, err = postgres.Open(ctx, s.postgresURL, postgres.Options{Logger: c.logger}); err != nil {
		return nil, fmt.Errorf("open read models: %w", err)
	}
	if err = steadily(ctx, func() error { return postgres.Migrate(ctx, a.pool) }); err != nil {
		return nil, err
	}
	if err = os.MkdirAll(c.DataDir, 0o755); err != nil { //nolint:gosec // the database's own user must reach its folder inside
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	wrapper, err := keyring.LocalKeyset(c.path("keyset.json"))
	if err != nil {
		return nil, err
	}
	err = steadily(ctx, func() error {
		a.ring, err = keyring.Open(ctx, keyring.Options{Pool: a.pool, Wrapper: wrapper, Now: c.now})
		return err
	})
	if err != nil {
		return nil, err
	}
	if a.events, err = eventstore.Open(s.eventStoreURL, a.codec, a.ring, eventstore.Options{Logger: c.logger}); err != nil {
		return nil, err
	}
	a.feed = &feed.Log{URL: s.eventStoreURL, Logger: c.logger}
	a.tracker = &projections.Tracker{Pool: a.pool, Log: a.feed, Now: c.now}
	a.figures = newFigures(&observe.State{Tracker: a.tracker})
	if err = steadily(ctx, func() error { return a.prepare(ctx) }); err != nil {
		return nil, err
	}
	return a, nil
}

const (
	startTries = 20
	startPause = 200 * time.Millisecond
)

// steadily tries again when a connection to Postgres is lost: no start fails on what a running program goes on after.
func steadily(ctx context.Context, try func() error) error {
	for tries := 1; ; tries++ {
		err := try()
		if err == nil || !postgres.Lost(err) || tries == startTries || pause(ctx, startPause) != nil {
			return err
		}
	}
}

// book is the policies as they are now: published by this process or by another.
type book struct{ atomic.Pointer[policy.Book] }

func (b *book) Applicable(at time.Time, c clock.Case) []clock.Terms {
	return b.Load().Applicable(at, c)
}

func (b *book) Terms(definition, calendar clock.Version) (clock.Terms, bool) {
	return b.Load().Terms(definition, calendar)
}

func (b *book) TZ() string { return b.Load().TZ() }

// prepare publishes the policies the program comes with, and makes the ticket handler of what is in force.
func (a *app) prepare(ctx context.Context) error {
	a.tickets = commands.Handler[ticket.State, ticket.Command, domain.Event]{
		Log: a.events, Decider: ticket.New(&a.book), HashKey: a.ring.HashKey(),
	}
	return a.publish(ctx, policies.Default())
}

// publish publishes policies that are not in force yet, and decides by them from then on.
func (a *app) publish(ctx context.Context, versions []policy.Version) error {
	handler := commands.Handler[policy.State, policy.Publish, policy.Published]{
		Log: a.events, Decider: policy.Decider(), HashKey: a.ring.HashKey(),
	}
	meta := domain.Metadata{CommandID: newID(), Principal: domain.Principal{ID: "aftercare"}, Channel: "cli"}
	if _, err := policies.Publish(ctx, handler, a.now(), versions, meta); err != nil {
		return err
	}
	all, err := policies.Load(ctx, a.events, tzVersion())
	if err != nil {
		return err
	}
	a.book.Store(all)
	return nil
}

// watchPolicies takes over what other processes publish until ctx ends.
func (a *app) watchPolicies(ctx context.Context) error {
	return policies.Watch(ctx, a.events, tzVersion(), func(b *policy.Book) error {
		a.book.Store(b)
		return nil
	})
}

// project keeps the views up to date until ctx ends. Views of another shape than this program's, as an older program left them,
// are rebuilt first.
func (a *app) project(ctx context.Context) error {
	err := projections.ErrRebuilding
	for errors.Is(err, projections.ErrRebuilding) && ctx.Err() == nil {
		if err = steadily(ctx, func() error { return a.ensure(ctx) }); errors.Is(err, projections.ErrRebuilding) {
			_ = pause(ctx, rebuilt)
		}
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // ctx has ended, and Run returns nil then, too
	}
	if err != nil {
		return fmt.Errorf("prepare views: %w", err)
	}
	r := a.runner(views())
	r.More = a.metrics().Views
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.Run(ctx) })
	group.Go(func() error { return a.archive().Run(ctx) })
	return group.Wait()
}

func (a *app) runner(views []projections.View) *projections.Runner {
	observers := []projections.Observer{a.figures.views}
	if a.tracing != nil {
		observers = append(observers, observe.Spans{Tracing: a.tracing})
	}
	return &projections.Runner{
		Pool: a.pool, Log: a.feed, Codec: a.codec, Opener: a.ring, Views: views, Name: processName(), Tracker: a.tracker,
		Observers: observers, Logger: a.logger,
	}
}

// processName tells this process from others: its machine and its number there.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

// ensure makes the tables of the views that have none, and rebuilds those that are of another shape.
func (a *app) ensure(ctx context.Context) error {
	err := projections.Ensure(ctx, a.pool, views()...)
	if errors.Is(err, projections.ErrOutdated) {
		a.logger.WarnContext(ctx, "views are of another version and are rebuilt", "reason", err)
		_, err = a.rebuilder().Rebuild(ctx, views()...)
	}
	return err
}

// rebuilt is how long to wait before looking again whether views that are being rebuilt are ready.
const rebuilt = time.Second

func (a *app) rebuilder() *projections.Rebuilder {
	return &projections.Rebuilder{
		Pool: a.pool, Log: a.feed, Archive: a.archive(), Codec: a.codec, Opener: a.ring, Program: build(), Now: a.now, Logger: a.logger,
	}
}

// archive is the log as rebuilds and exports read it.
func (a *app) archive() *archive.Archive {
	return &archive.Archive{Dir: a.path("archive"), Log: a.feed, Logger: a.logger}
}

// build identifies this program: the hash of its file, or "" where that cannot be read.
func build() string {
	name, err := os.Executable()
	if err != nil {
		return ""
	}
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // it was only read
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// timer records breaches until ctx ends.
func (a *app) timer(ctx context.Context) error {
	t := reaction.Timer{
		Follower: a.events, Tickets: a.tickets, Now: a.now, Figures: a.figures, Tracing: a.tracing, Logger: a.logger,
	}
	return t.Run(ctx)
}

// caughtUp waits until the views have taken in everything up to a position.
func (a *app) caughtUp(ctx context.Context, position domain.Position) error {
	_, err := a.tracker.Wait(ctx, position, viewNames()...)
	return err
}

func (a *app) close() error {
	var all []error
	if a.events != nil {
		all = append(all, a.events.Close())
	}
	if a.pool != nil {
		a.pool.Close()
	}
	return errors.Join(append(all, a.stores.close())...)
}

// newID makes an id that sorts by time (UUIDv7).
func newID() domain.UUID {
	id, err := uuid.NewV7()
	if err != nil {
		panic("no randomness: " + err.Error())
	}
	return domain.UUID(id)
}

// settle is how long a command of the command line waits for the views after it wrote.
const settle = 10 * time.Minute
