package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aftercare/domain/catalog"
	"aftercare/projections"
	"aftercare/projections/archive"
	"aftercare/projections/feed"
	"aftercare/projections/postgres"
)

// memory measures the peak memory of rebuilds of all views, with logs of several sizes.
func (b *bench) memory(ctx context.Context) error {
	var first int
	for _, events := range b.options.memory {
		peak, err := b.peak(ctx, events)
		if err != nil {
			return err
		}
		if first == 0 {
			first = peak
		}
		fmt.Fprintf(b.out, "%d events: a process that rebuilds all views takes %d MiB at most, %.2f times the first\n", events, peak>>10, float64(peak)/float64(first))
	}
	return nil
}

// peak returns the peak memory of a rebuild in KiB.
func (b *bench) peak(ctx context.Context, events int) (kib int, err error) {
	base := b.dir
	defer func() { b.dir = base }()
	b.dir = filepath.Join(base, strconv.Itoa(events))
	if err := os.Mkdir(b.dir, 0o711); err != nil { //nolint:gosec // G301: the account of Postgres must reach what is in it
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	stop, err := b.start(ctx, events)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	b.progress("rebuilding from %d events", events)
	cmd := exec.CommandContext(ctx, self, childRebuild, "--log", b.feed.URL, "--postgres", b.pgURL, "--archive", filepath.Join(b.dir, "archive")) //nolint:gosec // G204: it is this program
	cmd.Stderr = b.log
	answer, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("rebuild: %w", err)
	}
	return strconv.Atoi(strings.TrimSpace(string(answer)))
}

// rebuildOnce is the child's side: it rebuilds all views and tells its peak memory.
func rebuildOnce(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet(childRebuild, flag.ContinueOnError)
	store, database, folder := flags.String("log", "", ""), flags.String("postgres", "", ""), flags.String("archive", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pool, err := postgres.Open(ctx, *database, postgres.Options{ApplicationName: "bench"})
	if err != nil {
		return err
	}
	defer pool.Close()
	log := &feed.Log{URL: *store}
	r := projections.Rebuilder{
		Pool: pool, Log: log, Codec: catalog.Codec(), Opener: &keys{}, Archive: &archive.Archive{Dir: *folder, Log: log},
		Now: time.Now, //nolint:forbidigo // a program
	}
	all := views()
	for _, v := range all {
		if err := projections.Ensure(ctx, pool, v); err != nil {
			return err
		}
	}
	if _, err := r.Rebuild(ctx, all...); err != nil {
		return err
	}
	kib, err := peakOf("/proc/self/status")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, kib)
	return err
}

// peakOf returns what a status file of Linux calls VmHWM, the peak of resident memory, in KiB.
func peakOf(path string) (int, error) {
	status, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("this system does not tell what a process used: %w", err)
	}
	for line := range bytes.Lines(status) {
		if value, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			return strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(string(value)), " kB"))
		}
	}
	return 0, errors.New("this system does not tell the peak of a process's memory")
}
