package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"aftercare/graph"
	"aftercare/graph/auth"
	"aftercare/projections/postgres"
)

// parts says which long-running parts a process has.
type parts struct {
	api, project bool
	// another allows a free port where the API's is taken.
	another bool
}

// firstQuery is what a new user is told to try.
const firstQuery = `{ tickets(first: 3) { totalCount nodes { number phase receivedAt } } }`

// drain bounds how long requests under way may take when the API stops.
const drain = 5 * time.Second

// live runs the parts until ctx ends or one fails.
func (p program) live(ctx context.Context, a *app, has parts) error {
	stop, err := a.trace(ctx)
	if err != nil {
		return err
	}
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	if has.project {
		group.Go(func() error { return a.project(ctx) })
		group.Go(func() error { return a.timer(ctx) })
	}
	group.Go(func() error { return a.watchPolicies(ctx) })
	api := ""
	if has.api {
		listener, err := a.listen(ctx, has.another)
		if err != nil {
			return err
		}
		api = "http://" + listener.Addr().String()
		group.Go(func() error { return a.serve(ctx, "the API", listener, a.api()) })
	}
	metrics := ""
	if a.MetricsListen != "" {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.MetricsListen)
		if err != nil {
			return fmt.Errorf("listen for figures: %w", err)
		}
		metrics = "http://" + listener.Addr().String() + "/metrics"
		group.Go(func() error { return a.serve(ctx, "figures", listener, a.monitor()) })
	}
	if a.stores.owned {
		withdraw, err := a.announce(instance{
			PID: os.Getpid(), API: api, EventStoreURL: a.stores.eventStoreURL, PostgresURL: a.stores.postgresURL,
		})
		if err != nil {
			return err
		}
		defer withdraw()
	}
	p.greet(a, api, metrics)
	err = group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil // the user stopped it
	}
	return err
}

func (p program) greet(a *app, api, metrics string) {
	fmt.Fprintln(p.Out, "Aftercare is running. Ctrl-C stops it; the data stays in", a.DataDir)
	if api != "" {
		fmt.Fprintln(p.Out, "  GraphiQL     "+api+"/graphiql/")
		fmt.Fprintln(p.Out, "  GraphQL API  "+api+"/graphql")
	}
	if metrics != "" {
		fmt.Fprintln(p.Out, "  Figures      "+metrics)
	}
	if a.EventStoreURL == "" {
		fmt.Fprintln(p.Out, "  Event node   "+a.stores.eventStoreURL)
	}
	if a.PostgresURL == "" {
		fmt.Fprintln(p.Out, "  Postgres     private, its address is in", a.path(instanceFile))
	}
	if api != "" {
		fmt.Fprintln(p.Out, "No sign-in is configured: everybody on this machine is the principal \"development\".")
		fmt.Fprintf(p.Out, "\nA first query, from another terminal:\n\n  curl -s %s/graphql -H 'content-type: application/json' \\\n    -d '{\"query\":\"%s\"}'\n\n", api, firstQuery)
		fmt.Fprintln(p.Out, "No data yet? Try `aftercare demo`.")
	}
}

func (a *app) listen(ctx context.Context, another bool) (net.Listener, error) {
	address, err := free(a.Listen, another && a.Listen == defaultListen)
	if err != nil {
		return nil, fmt.Errorf("listen for the API (choose another address with --listen): %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for the API: %w", err)
	}
	return listener, nil
}

// api is GraphQL, and figures and health for this machine.
func (a *app) api() http.Handler {
	mux := http.NewServeMux()
	monitor := auth.Local(a.logger, a.monitor())
	mux.Handle("/metrics", monitor)
	mux.Handle("/health/", monitor)
	mux.Handle("/", graph.New(graph.Config{
		Commands: a.tickets, History: a.events, Progress: a.tracker, Metrics: a.metrics(), DB: postgres.Reader{Pool: a.pool}, Now: a.now, NewID: newID,
		Log: a.logger, Tracing: a.tracing,
	}))
	return mux
}

// serve answers requests until ctx ends.
func (a *app) serve(ctx context.Context, what string, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		err := server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close() // a subscription does not end by itself
		}
		stopped <- err
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", what, err)
	}
	return <-stopped
}
