package main

import (
	"context"
	"errors"
	"fmt"
)

// rebuilds measures everything in turns and prints the figures.
func (b *bench) rebuilds(ctx context.Context) (err error) {
	stop, err := b.start(ctx, b.options.events)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return err
	}
	all, err := b.contenders(ctx)
	if err != nil {
		return err
	}
	r := report{rates: map[string][]float64{}}
	others, err := b.peers(ctx)
	if err != nil {
		return err
	}
	for round := range b.options.rounds {
		for i := range all {
			if err := b.one(ctx, &r, all[(i+round)%len(all)], round); err != nil { // nobody is always first
				return err
			}
		}
		if round == 0 { // the rows to copy are there now
			rows, err := b.dump(ctx)
			if err != nil {
				return err
			}
			copiers := b.copiers(rows)
			for _, c := range copiers {
				if err := b.one(ctx, &r, c, round); err != nil {
					return err
				}
			}
			all = append(all, copiers...)
		}
		for _, p := range others {
			if err := b.onePeer(ctx, &r, p, round); err != nil {
				return err
			}
		}
	}
	return r.print(b)
}

// one measures a contender in a round, and compares its rows in the first.
func (b *bench) one(ctx context.Context, r *report, c contender, round int) error {
	if !b.options.wants(c.name) {
		return nil
	}
	b.progress("round %d of %d: %s", round+1, b.options.rounds, c.name)
	rate, err := b.measure(ctx, c, round == b.options.rounds-1)
	if err != nil {
		return err
	}
	r.add(c.name, rate)
	if round > 0 {
		return nil
	}
	if err := b.compare(ctx, c); err != nil {
		return fmt.Errorf("compare rows: %w", err)
	}
	return nil
}
