package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"aftercare/domain"
	"aftercare/projections"
	"aftercare/projections/archive"
	"aftercare/projections/ticket"
)

// Names of what is measured.
const (
	onlyRead    = "only reading"
	oneStore    = "one view: store"
	allStore    = "all views: store"
	oneArchive  = "one view: archive"
	allArchive  = "all views: archive"
	onlyFold    = "decode and fold"
	onlyCopy    = "raw COPY"
	transaction = "a transaction an event"
)

// contenders returns what is measured of ours, in the order of the first round. The first of all views fills the tables that raw COPY copies.
func (b *bench) contenders(ctx context.Context) ([]contender, error) {
	kept := &archive.Archive{Dir: filepath.Join(b.dir, "archive"), Log: b.feed}
	head, err := b.feed.Head(ctx)
	if err != nil {
		return nil, err
	}
	b.progress("making the archive")
	made, err := kept.Extend(ctx, head.Position, nil)
	if err != nil {
		return nil, err
	}
	if err := made.Close(); err != nil {
		return nil, err
	}
	if err := projections.Ensure(ctx, b.pool, summaryView()); err != nil {
		return nil, err
	}
	var schemas []string
	for _, v := range views() {
		schemas = append(schemas, projections.Schema(v.Name()))
		if err := projections.Ensure(ctx, b.pool, v); err != nil {
			return nil, err
		}
	}
	rebuild := func(a *archive.Archive, views ...projections.View) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			report, err := b.rebuilder(a).Rebuild(ctx, views...)
			if err == nil && report.Parked > 0 {
				err = fmt.Errorf("%d events were parked", report.Parked)
			}
			b.progress("  reading %s, loading %s, indexing %s, switching %s", report.Reading.Round(time.Millisecond), report.Loading.Round(time.Millisecond),
				report.Indexing.Round(time.Millisecond), report.Switching.Round(time.Millisecond))
			return report.Events, err
		}
	}
	one := []string{projections.Schema(ticket.View().Name())}
	return []contender{
		{onlyRead, b.read, nil},
		{oneStore, rebuild(nil, ticket.View()), one},
		{allStore, rebuild(nil, views()...), schemas},
		{oneArchive, rebuild(kept, ticket.View()), one},
		{allArchive, rebuild(kept, views()...), schemas},
		{summaryStore, func(ctx context.Context) (int, error) { return b.summarized(ctx, nil) }, nil},
		{onlyFold, func(ctx context.Context) (int, error) { return b.fold(ctx, kept) }, nil},
		{transaction, func(ctx context.Context) (int, error) { return b.single(ctx, kept) }, nil},
	}, nil
}

// read reads the whole log with the official client.
func (b *bench) read(ctx context.Context) (events int, err error) {
	for _, err := range b.feed.Read(ctx, domain.Position{}) {
		if err != nil {
			return events, err
		}
		events++
	}
	return events, nil
}

// fold reads the archive, decodes and folds for all views, and writes nothing.
func (b *bench) fold(ctx context.Context, a *archive.Archive) (events int, err error) {
	head, err := b.feed.Head(ctx)
	if err != nil {
		return 0, err
	}
	log, err := a.Extend(ctx, head.Position, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	buckets := make(chan int, archive.Buckets)
	for bucket := range archive.Buckets {
		buckets <- bucket
	}
	close(buckets)
	group, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for bucket := range buckets {
				if err := b.foldBucket(ctx, log, bucket); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return log.Events(), group.Wait()
}

func (b *bench) foldBucket(ctx context.Context, log *archive.Snapshot, bucket int) error {
	all := views()
	folds := make([]projections.Bulk, len(all))
	for i, v := range all {
		folds[i] = v.Bulk()
	}
	for stream, err := range log.Streams(ctx, bucket, bucket+1, archive.Selection{}) {
		if err != nil {
			return err
		}
		for _, raw := range stream {
			e, err := b.codec.Decode(ctx, b.keys, raw)
			if err != nil {
				return err
			}
			for i, v := range all {
				if !v.Handles(e.Type) {
					continue
				}
				if err := folds[i].Add(e); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// single gives the first events to a view one at a time, each in a transaction that moves a checkpoint, as most projectors do.
func (b *bench) single(ctx context.Context, a *archive.Archive) (events int, err error) {
	conn, err := b.pool.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	v := ticket.View()
	for _, statement := range []string{
		"drop schema if exists bench_single cascade", "create schema bench_single", "set search_path to bench_single", v.Tables(), v.Indexes(),
		"create table checkpoint (position bigint not null)", "insert into checkpoint values (0)",
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return 0, err
		}
	}
	defer func() {
		_, reset := conn.Exec(context.WithoutCancel(ctx), "reset search_path")
		err = errors.Join(err, reset)
	}()
	for raw, err := range a.Read(ctx, domain.Position{}) {
		if err != nil {
			return events, err
		}
		e, err := b.codec.Decode(ctx, b.keys, raw)
		if err != nil {
			return events, err
		}
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if err := v.Apply(ctx, tx, []domain.Recorded{e}); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "update checkpoint set position = $1", int64(e.Position.Commit)) //nolint:gosec // far below
			return err
		})
		if err != nil {
			return events, err
		}
		if events++; events == b.options.singles {
			break
		}
	}
	return events, nil
}
