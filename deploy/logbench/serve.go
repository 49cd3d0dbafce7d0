package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"

	"aftercare/deploy/eventnode"
	"aftercare/deploy/logbench/process"
)

// Names of the servers that this program is, when it is its own child.
const (
	childNode = "serve-node"
	childStub = "serve-nothing"
)

// serve is what a child does until its standard input ends.
func serve(name string, args []string) (err error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	dir := flags.String("dir", "", "")
	events := flags.Int("events", 0, "")
	profiles := flags.String("cpuprofile", "", "")
	label := flags.String("label", name, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	profiled, err := profile(*profiles, *label)
	if err != nil {
		return err
	}
	defer profiled()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var waiting sync.WaitGroup
	defer waiting.Wait()
	var gone error
	ready := func(url string) {
		waiting.Go(func() {
			defer cancel()
			gone = process.Serve(os.Stdin, os.Stdout, url)
		})
	}
	if name == childStub {
		err = serveStub(ctx, *events, ready)
	} else {
		err = serveNode(ctx, *dir, os.Stderr, ready)
	}
	if err != nil {
		return err // the parent ends our standard input now
	}
	waiting.Wait()
	return gone
}

// serveNode serves an event node, with its defaults, until ctx ends.
func serveNode(ctx context.Context, dir string, log io.Writer, ready func(url string)) error {
	node, err := eventnode.Open(eventnode.Options{ //nolint:contextcheck // opening listens at once and does not wait
		Dir: dir, Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	debug.SetGCPercent(eventnode.GCPercent) // as a process that is only a node does
	ready(node.URL())
	return errors.Join(node.Run(ctx), node.Close())
}
