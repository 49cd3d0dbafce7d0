package eventstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"aftercare/commands"
)

// retry runs f, each time within the operation timeout, until it succeeds, fails for good or the time for retries is up. It
// takes no longer than both times together.
func retry[T any](ctx context.Context, l *Log, f func(context.Context) (T, error)) (T, error) {
	enough := time.NewTimer(l.options.RetryFor)
	defer enough.Stop()
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		value, err := attempt(ctx, l, f)
		if !errors.Is(err, commands.ErrUnavailable) || ctx.Err() != nil {
			return value, err
		}
		pause := time.NewTimer(jitter(wait))
		select {
		case <-pause.C:
			continue
		case <-enough.C:
		case <-ctx.Done():
		}
		pause.Stop()
		return value, err
	}
}

// attempt bounds f in time. A time that is up is an unavailable store, whoever set it; a cancelled ctx is only that.
func attempt[T any](ctx context.Context, l *Log, f func(context.Context) (T, error)) (value T, err error) {
	bounded, cancel := context.WithTimeoutCause(ctx, l.options.OperationTimeout, errNoAnswer)
	defer cancel()
	value, err = f(bounded)
	switch {
	case err == nil:
		return value, nil
	case errors.Is(ctx.Err(), context.Canceled):
		return value, context.Cause(ctx)
	case errors.Is(bounded.Err(), context.DeadlineExceeded) && !errors.Is(err, commands.ErrUnavailable):
		return value, fmt.Errorf("%w: %w", commands.ErrUnavailable, err)
	}
	return value, err
}

// jitter keeps callers that failed together from coming back together.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d) //nolint:gosec // not a secret
}
