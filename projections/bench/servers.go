package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"runtime/debug"

	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/deploy/eventnode"
	"aftercare/deploy/localpg"
	"aftercare/deploy/logbench/process"
	"aftercare/projections/postgres"
)

// serveNode serves an event node until the parent closes our standard input.
func serveNode(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet(childNode, flag.ContinueOnError)
	dir := flags.String("dir", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	// Nothing is read that was not written before, so appends need not wait for the disk.
	node, err := eventnode.Open(eventnode.Options{Dir: *dir, NoSync: true}) //nolint:contextcheck // it does not wait
	if err != nil {
		return err
	}
	debug.SetGCPercent(eventnode.GCPercent) // as a process that is only a node does
	ctx, cancel := context.WithCancel(ctx)
	gone := make(chan error, 1)
	go func() {
		gone <- process.Serve(in, out, node.URL())
		cancel()
	}()
	return errors.Join(node.Run(ctx), node.Close(), <-gone)
}

// startPostgres starts a private server and opens a pool of connections to it.
func startPostgres(ctx context.Context, dir string) (*pgxpool.Pool, *localpg.Cluster, error) {
	cluster, err := localpg.Start(ctx, localpg.Options{Dir: dir})
	if err != nil {
		return nil, nil, err
	}
	pool, err := postgres.Open(ctx, cluster.URL(), postgres.Options{ApplicationName: "bench"})
	if err == nil {
		err = postgres.Migrate(ctx, pool)
	}
	if err != nil {
		return nil, nil, errors.Join(err, cluster.Stop(context.WithoutCancel(ctx)))
	}
	return pool, cluster, nil
}
