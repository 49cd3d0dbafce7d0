// Command bench measures rebuilds: views from the store and from the replay archive, next to what bounds them from above (only reading the
// store with the official client, only decoding and folding, only copying the same rows) and to what else there is: a transaction an
// event, and other libraries, which are in a module of their own (package peers) so that nothing depends on them. The log has the mix of
// the public data that the importers take: see mix.go.
//
// Everything runs on this machine and in turns, round by round, because machines are shared: ratios are taken within a round. The node
// and Postgres are processes of their own; what is measured runs in this one, with the same settings of the garbage collector for
// all. Rows are compared byte for byte. A figure that misses its target is told, not failed.
//
// With --memory it measures the peak memory of a process that rebuilds all views, for each of several sizes of the log.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

// The children that this program runs itself as.
const (
	childNode    = "node"
	childRebuild = "rebuild"
)

// collect is how much the heap may grow, in percent: what `aftercare rebuild` sets.
const collect = 200

func main() {
	debug.SetGCPercent(collect)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:forbidigo // main
	}
}

func run(ctx context.Context, args []string, in io.Reader, out, log io.Writer) (err error) {
	if len(args) > 0 && args[0] == childNode {
		signal.Ignore(os.Interrupt) // a terminal sends it to all of us: the parent ends the child
		return serveNode(context.WithoutCancel(ctx), args[1:], in, out)
	}
	if len(args) > 0 && args[0] == childRebuild {
		return rebuildOnce(ctx, args[1:], out)
	}
	o, err := parseOptions(args, log)
	if err != nil {
		return err
	}
	dir, err := workDir(o.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{options: o, dir: dir, out: out, log: log, now: time.Now, keys: &keys{}} //nolint:forbidigo // main
	if len(o.memory) > 0 {
		return b.memory(ctx)
	}
	return b.rebuilds(ctx)
}
