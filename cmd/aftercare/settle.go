package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"aftercare/domain"
)

// position is the farthest of positions reached by several goroutines.
type position struct {
	mu sync.Mutex
	at domain.Position
}

func (p *position) reach(at domain.Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.Compare(p.at) > 0 {
		p.at = at
	}
}

func (p *position) get() domain.Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

// settled runs work that writes, and returns when the views show what it wrote. Where no other process keeps the views, this one does
// meanwhile.
func (a *app) settled(ctx context.Context, out io.Writer, last *position, work func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	if a.stores.owned {
		group.Go(func() error { return a.project(ctx) })
	}
	var outcome error
	group.Go(func() error {
		defer cancel()
		outcome = work(ctx)
		var exit *exitError
		if outcome != nil && !errors.As(outcome, &exit) {
			return outcome
		}
		ctx, cancel := context.WithTimeout(ctx, settle)
		defer cancel()
		if err := a.caughtUp(ctx, last.get()); err != nil {
			fmt.Fprintln(out, "the views have not caught up yet:", err)
		}
		return nil
	})
	err := group.Wait()
	if err != nil {
		return err
	}
	return outcome
}
