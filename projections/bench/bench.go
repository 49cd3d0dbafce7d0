package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/deploy/logbench/process"
	"aftercare/domain/catalog"
	"aftercare/domain/codec"
	"aftercare/projections"
	"aftercare/projections/archive"
	"aftercare/projections/feed"
	"aftercare/projections/satisfaction"
	"aftercare/projections/sla"
	"aftercare/projections/ticket"
	"aftercare/projections/timeline"
)

// bench is one run of the program.
type bench struct {
	options options
	dir     string
	out     io.Writer
	log     io.Writer
	now     func() time.Time
	keys    *keys

	pool    *pgxpool.Pool
	pgURL   string
	feed    *feed.Log
	codec   *codec.Codec
	streams int
	// prints are what the tables of each schema hold, as first seen.
	prints map[string]map[string]projections.Print
}

// views are those of the product.
func views() []projections.View {
	return []projections.View{ticket.View(), timeline.View(), sla.View(), satisfaction.View()}
}

// start starts the servers and fills the store.
func (b *bench) start(ctx context.Context, events int) (stop func() error, err error) {
	var stops []func() error
	stop = func() error {
		var errs []error
		for i := range stops {
			errs = append(errs, stops[len(stops)-1-i]())
		}
		return errors.Join(errs...)
	}
	node, err := process.Start(ctx, b.log, childNode, "--dir", filepath.Join(b.dir, "events"))
	if err != nil {
		return stop, err
	}
	stops = append(stops, node.Stop)
	b.feed, b.codec, b.prints = &feed.Log{URL: node.URL}, catalog.Codec(), map[string]map[string]projections.Print{}
	pool, cluster, err := startPostgres(ctx, filepath.Join(b.dir, "postgres"))
	if err != nil {
		return stop, err
	}
	stops = append(stops, func() error {
		pool.Close()
		return cluster.Stop(context.WithoutCancel(ctx))
	})
	b.pool, b.pgURL = pool, cluster.URL()
	b.progress("writing %d events", events)
	began := b.now()
	b.streams, err = fill(ctx, node.URL, events, b.keys, func(int) {})
	b.progress("%d streams written in %s", b.streams, b.now().Sub(began).Round(time.Second))
	return stop, err
}

// progress tells who waits what is under way.
func (b *bench) progress(format string, args ...any) { fmt.Fprintf(b.log, format+"\n", args...) }

// contender is something that is measured. Run does it once and returns how many events that was.
type contender struct {
	name string
	run  func(context.Context) (events int, err error)
	// schemas are those whose tables it made.
	schemas []string
}

// measure runs a contender once and returns its events per second.
func (b *bench) measure(ctx context.Context, c contender, profiled bool) (float64, error) {
	runtime.GC() // nobody collects what another left
	if profiled && b.options.profile != "" {
		file, err := os.Create(filepath.Join(b.options.profile, strings.ReplaceAll(c.name, " ", "-")+".pprof"))
		if err != nil {
			return 0, err
		}
		defer file.Close() //nolint:errcheck // a profile cut short is seen when it is read
		if err := pprof.StartCPUProfile(file); err != nil {
			return 0, err
		}
		defer pprof.StopCPUProfile()
	}
	began := b.now()
	events, err := c.run(ctx)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.name, err)
	}
	return float64(events) / b.now().Sub(began).Seconds(), nil
}

// compare holds the tables that a contender made against those that others made of the same view.
func (b *bench) compare(ctx context.Context, c contender) error {
	for _, schema := range c.schemas {
		found, err := projections.Fingerprint(ctx, b.pool, schema)
		if err != nil {
			return err
		}
		view := schema[strings.LastIndex(schema, "_")+1:]
		if before, ok := b.prints[view]; ok && !maps.Equal(before, found) {
			return fmt.Errorf("%s: the rows of %s are others than those before: %v and %v", c.name, schema, found, before)
		}
		b.prints[view] = found
	}
	return nil
}

// rebuilder is that of the product, with or without an archive.
func (b *bench) rebuilder(a *archive.Archive) *projections.Rebuilder {
	return &projections.Rebuilder{Pool: b.pool, Log: b.feed, Codec: b.codec, Opener: b.keys, Archive: a, Now: b.now}
}
