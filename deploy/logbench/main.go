// Command logbench measures the event node through the official client, next to what bounds it from above and what it must
// beat: a loop that only writes and syncs the same bytes, a table in Postgres, and a server that stores nothing. Everything runs on
// this machine and in turns, round by round, because machines are shared and disks have moods: ratios are taken within a
// round. A figure that misses its target is told, not failed.
//
// With --events it measures one large store instead: how it starts, what memory it takes and how fast it reads.
//
// It leaves out what a test shows: that answers are right.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && (os.Args[1] == childNode || os.Args[1] == childStub) {
		signal.Ignore(os.Interrupt) // a terminal sends it to all of us: the parent ends the child
		if err := serve(os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, os.Args[1]+":", err)
			os.Exit(1) //nolint:forbidigo // main
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "logbench:", err)
		os.Exit(1) //nolint:forbidigo // main
	}
}

// run does what the arguments say.
func run(ctx context.Context, args []string, out, log io.Writer) (err error) {
	o, err := parseOptions(args, log)
	if err != nil {
		return err
	}
	dir, err := workDir(o.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	profiled, err := profile(o.profiles, "client")
	if err != nil {
		return err
	}
	defer profiled()
	b := &bench{options: o, dir: dir, out: out, log: log, now: time.Now} //nolint:forbidigo // main
	return b.run(ctx)
}
