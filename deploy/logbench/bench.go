package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"aftercare/deploy/localpg"
	"aftercare/deploy/logbench/process"
)

// maxWriters is how many connections Postgres gets.
const maxWriters = 1024

// bench is one run of the program.
type bench struct {
	options options
	dir     string
	out     io.Writer
	log     io.Writer
	now     func() time.Time
	runs    uint32
}

func (b *bench) run(ctx context.Context) error {
	var r report
	r.describe(b)
	err := b.measure(ctx, &r)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	r.print(b.out)
	if b.options.json == "" {
		return nil
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(b.options.json, append(raw, '\n'), 0o600)
}

func (b *bench) measure(ctx context.Context, r *report) error {
	if b.options.events > 0 {
		return b.largeStore(ctx, r)
	}
	for _, part := range b.options.parts {
		var err error
		switch part {
		case partAppends:
			err = b.appends(ctx, r)
		case partReads:
			err = b.reads(ctx, r)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	return nil
}

// progress tells who waits what is under way.
func (b *bench) progress(format string, args ...any) { fmt.Fprintf(b.log, format+"\n", args...) }

// nextRun returns a number that no other load has.
func (b *bench) nextRun() uint32 {
	b.runs++
	return b.runs
}

// startNode starts a node on a folder below ours, as a process of its own.
func (b *bench) startNode(ctx context.Context, folder string) (*process.Child, error) {
	args := []string{childNode, "--dir", filepath.Join(b.dir, folder)}
	return process.Start(ctx, b.log, b.withProfile(args, folder)...)
}

// startStub starts a server that stores nothing and streams that many events.
func (b *bench) startStub(ctx context.Context, events int) (*process.Child, error) {
	return process.Start(ctx, b.log, b.withProfile([]string{childStub, "--events", strconv.Itoa(events)}, "stub")...)
}

func (b *bench) withProfile(args []string, label string) []string {
	if b.options.profiles == "" {
		return args
	}
	return append(args, "--cpuprofile", b.options.profiles, "--label", label)
}

// startPostgres starts a private server that acknowledges when data is safe, as Postgres does by default.
func (b *bench) startPostgres(ctx context.Context) (*localpg.Cluster, error) {
	dir := filepath.Join(b.dir, "postgres")
	cluster, err := localpg.Start(ctx, localpg.Options{
		Dir:      dir,
		Settings: map[string]string{"max_connections": strconv.Itoa(maxWriters + 10)},
	})
	if err != nil {
		return nil, err
	}
	// Its account must reach our folder: elsewhere may be another disk, and files that stay.
	if target, err := os.Readlink(filepath.Join(dir, "cluster")); err == nil {
		return nil, errors.Join(cluster.Stop(context.WithoutCancel(ctx)), os.RemoveAll(filepath.Dir(target)),
			fmt.Errorf("the server's account cannot reach %s: choose another --dir", b.dir))
	}
	return cluster, nil
}
