package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"aftercare/deploy/logbench/measure"
	"aftercare/deploy/logbench/process"
)

const (
	nameNode     = "node"
	nameBare     = "bare loop"
	namePostgres = "postgres"
	nameStub     = "no log"
)

// settleTime lets what one contender left to the background end before the next is measured.
const settleTime = 200 * time.Millisecond

// appends measures all contenders in turns, every load in every round.
func (b *bench) appends(ctx context.Context, r *report) (err error) {
	contenders, stop, err := b.contenders(ctx)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return err
	}
	for _, batch := range b.options.batches {
		for _, writers := range b.options.writers {
			r.Appends = append(r.Appends, appendFigures{Writers: writers, Batch: batch, Contenders: map[string]*appendRounds{}})
		}
	}
	for round := range b.options.rounds {
		if err := b.disk(&r.Disk); err != nil {
			return fmt.Errorf("measure the disk: %w", err)
		}
		for i := range r.Appends {
			figures := &r.Appends[i]
			for j := range contenders {
				c := contenders[(j+round+i)%len(contenders)] // nobody is always first
				b.progress("round %d of %d: %d writers, %d events an append: %s", round+1, b.options.rounds, figures.Writers, figures.Batch, c.name())
				if err := b.appendLoad(ctx, c, figures); err != nil {
					return fmt.Errorf("%s, %d writers, %d events: %w", c.name(), figures.Writers, figures.Batch, err)
				}
			}
		}
	}
	return nil
}

// contenders starts those that are wanted. What it returns to stop them is never nil.
func (b *bench) contenders(ctx context.Context) (all []contender, stop func() error, err error) {
	var stops []func() error
	stop = func() error {
		var errs []error
		for _, stop := range slices.Backward(stops) {
			errs = append(errs, stop())
		}
		return errors.Join(errs...)
	}
	serve := func(name string, child *process.Child, err error) (*server, error) {
		if err != nil {
			return nil, err
		}
		stops = append(stops, child.Stop)
		s, err := connect(name, child, b.options.connections)
		if err != nil {
			return nil, err
		}
		stops = append(stops, func() error { s.close(); return nil })
		return s, nil
	}
	child, err := b.startNode(ctx, "node-appends")
	node, err := serve(nameNode, child, err)
	if err != nil {
		return nil, stop, err
	}
	size, err := recordBytes(ctx, node)
	if err != nil {
		return nil, stop, err
	}
	if b.options.wants(nameNode) {
		all = append(all, node)
	}
	if b.options.wants(nameBare) {
		all = append(all, bareLoop{dir: b.dir, recordBytes: size})
	}
	if b.options.wants(nameStub) {
		child, err := b.startStub(ctx, 0)
		s, err := serve(nameStub, child, err)
		if err != nil {
			return nil, stop, err
		}
		all = append(all, s)
	}
	if b.options.wants(namePostgres) {
		cluster, err := b.startPostgres(ctx)
		if err != nil {
			return nil, stop, err
		}
		stops = append(stops, func() error { return cluster.Stop(context.WithoutCancel(ctx)) })
		all = append(all, table{url: cluster.URL()})
	}
	return all, stop, nil
}

// appendLoad measures one contender under one load.
func (b *bench) appendLoad(ctx context.Context, c contender, figures *appendFigures) (err error) {
	l := load{writers: figures.Writers, batch: figures.Batch, run: b.nextRun()}
	s, err := c.open(ctx, l)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	var used []usage
	result, err := b.drive(l.writers).Run(ctx, s.append, func() { used = append(used, usageOf(b.now(), c.pid())) })
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	rounds := figures.Contenders[c.name()]
	if rounds == nil {
		rounds = &appendRounds{}
		figures.Contenders[c.name()] = rounds
	}
	rounds.add(result, usageBetween(used[0], used[1]))
	measure.Pause(ctx, min(settleTime, b.options.warmup))
	return ctx.Err()
}

func (b *bench) drive(writers int) measure.Drive {
	return measure.Drive{Writers: writers, Warmup: b.options.warmup, Duration: b.options.duration, Now: b.now}
}

// disk measures how long the disk takes to make 64 KiB at the end of a file durable.
func (b *bench) disk(f *diskFigures) (err error) {
	const syncs, size = 200, 64 << 10
	file, err := os.Create(filepath.Join(b.dir, "disk"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	buffer := make([]byte, size)
	var took []time.Duration
	for range syncs {
		from := b.now()
		if _, err := file.Write(buffer); err != nil {
			return err
		}
		if err := syncData(file); err != nil {
			return err
		}
		took = append(took, b.now().Sub(from))
	}
	slices.Sort(took)
	f.P50 = append(f.P50, milliseconds(measure.Percentile(took, 0.5)))
	f.P99 = append(f.P99, milliseconds(measure.Percentile(took, 0.99)))
	return nil
}
