package graph

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"aftercare/domain"
	"aftercare/graph/model"
)

// Bounds of waiting for a view.
const (
	defaultWait = 2 * time.Second
	longestWait = 10 * time.Second
	// maxWaiters is how many reads may wait at once; more are answered at once with what there is.
	maxWaiters = 256
)

// freshness is what extensions.consistency says about the reads of one operation.
type freshness struct {
	mu        sync.Mutex
	read      bool
	satisfied bool
	position  domain.Position
	lag       time.Duration
	unknown   bool // whether the lag of some view is not known
}

type freshnessKey struct{}

// await prepares a read of views: it waits, bounded, until they have come as far as asked, and notes for the response how
// far they were before anything was read. It fails only when ctx ends or the views cannot be asked.
func (r *Resolver) await(ctx context.Context, c *model.ConsistencyInput, views ...string) error {
	satisfied := true
	if c != nil && c.AtLeast != nil {
		limit := defaultWait
		if c.MaxWaitMs != nil {
			limit = time.Duration(min(max(*c.MaxWaitMs, 0), int(longestWait/time.Millisecond))) * time.Millisecond
		}
		waiting, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		err := r.wait(waiting, *c.AtLeast, views)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, errTooManyWaiters) {
			return err
		}
		satisfied = err == nil
	}
	f, ok := ctx.Value(freshnessKey{}).(*freshness)
	if !ok {
		return nil
	}
	return r.note(ctx, f, satisfied, views)
}

var errTooManyWaiters = errors.New("too many reads wait already")

func (r *Resolver) wait(ctx context.Context, at domain.Position, views []string) error {
	select {
	case r.waiters <- struct{}{}:
		defer func() { <-r.waiters }()
		_, err := r.Progress.Wait(ctx, at, views...)
		return err
	default:
		return errTooManyWaiters
	}
}

// note keeps the least position and the greatest lag of all views read.
func (r *Resolver) note(ctx context.Context, f *freshness, satisfied bool, views []string) error {
	asking, cancel := context.WithTimeout(ctx, defaultWait)
	defer cancel()
	progress, err := r.Progress.Wait(asking, domain.Position{}, views...) // not to wait, but for where they are
	if err != nil {
		return err
	}
	lags := r.lags.get(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.satisfied = f.satisfied && satisfied
	for _, view := range views {
		if at := progress.Positions[view]; !f.read || at.Compare(f.position) < 0 {
			f.position = at
		}
		f.read = true
		lag, known := lags[view]
		f.lag, f.unknown = max(f.lag, lag), f.unknown || !known
	}
	return nil
}

// tellFreshness adds extensions.consistency to the answers of operations that read views.
func tellFreshness(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	f, ok := ctx.Value(freshnessKey{}).(*freshness)
	if !ok || response == nil {
		return response
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.read {
		return response
	}
	if response.Extensions == nil {
		response.Extensions = map[string]any{}
	}
	var position, lag any
	if f.position != (domain.Position{}) {
		position = model.FormatPosition(f.position)
	}
	if !f.unknown {
		lag = f.lag.Milliseconds()
	}
	response.Extensions["consistency"] = map[string]any{"position": position, "lagMs": lag, "satisfied": f.satisfied}
	return response
}
