package feed

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// item is what the store sent: an event, or progress without one.
type item struct {
	event    codec.Raw
	position domain.Position
	progress Progress
}

const (
	firstPause = 50 * time.Millisecond
	lastPause  = 5 * time.Second
	// window is how many events a filtered subscription looks at before it reports its position.
	window = 256
)

// follow reads the log into items until ctx ends, over as many connections as it takes.
func (s *Subscriber) follow(ctx context.Context, f *esdb.SubscriptionFilter, items queue) {
	at := mark{position: s.options.After}
	pause := firstPause
	for {
		came, err := s.receive(ctx, f, &at, items)
		if ctx.Err() != nil {
			return
		}
		s.options.Observe(err)
		if came {
			pause = firstPause
		}
		s.log.logger().WarnContext(ctx, "subscription lost", slog.Any("error", err),
			slog.Uint64("position", at.position.Commit), slog.Duration("pause", pause))
		if !sleep(ctx, pause+rand.N(pause/2)) { //nolint:gosec // jitter
			return
		}
		pause = min(pause*2, lastPause)
	}
}

// receive reads over one connection until it ends, and moves at. It reports whether an event came, or the end of the log.
func (s *Subscriber) receive(ctx context.Context, f *esdb.SubscriptionFilter, at *mark, items queue) (came bool, err error) {
	sub, err := open(ctx, s.log, func(ctx context.Context, c *esdb.Client) (resumed, error) {
		return resume(ctx, c, f, *at)
	}, func(r resumed) { _ = r.Close() })
	if err != nil {
		return false, err
	}
	defer sub.close()
	short := sub.stream.short
	if !short {
		s.options.Observe(nil)
	}
	for {
		got, err := guard(func() (*esdb.SubscriptionEvent, error) { return sub.stream.Recv(), nil })
		if err != nil {
			return came, err
		}
		var it item
		switch {
		case got.SubscriptionDropped != nil:
			if err := got.SubscriptionDropped.Error; err != nil {
				return came, err
			}
			return came, errors.New("the subscription was dropped")
		case got.EventAppeared != nil:
			e := raw(got.EventAppeared.OriginalEvent())
			it = item{event: e, position: e.Position}
		case got.CheckPointReached != nil: // also for the store's own records, which no read shows
			it = item{position: position(*got.CheckPointReached), progress: Passed}
		case got.CaughtUp != nil && short:
			return came, errBehind
		case got.CaughtUp != nil:
			it = item{position: at.position, progress: Live}
		default:
			continue
		}
		if short && it.position.Compare(at.position) >= 0 {
			short = false
			s.options.Observe(nil)
		}
		if it.progress != Live && it.position.Compare(at.position) <= 0 {
			continue
		}
		came = came || it.progress != Passed
		at.reach(it)
		if it.progress != 0 && !s.options.Progress {
			continue
		}
		if err := items.put(ctx, it); err != nil {
			return came, err
		}
	}
}

// sleep waits, and reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
