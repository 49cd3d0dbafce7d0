package archive

import (
	"context"
	"log/slog"
	"time"

	"aftercare/domain"
)

const (
	// keepEvery is how often it is looked whether the archive lacks much, and keepBytes how much of the log, by its positions, is. No more than
	// that is added while others, who want it at once, wait for the folder.
	keepEvery = 30 * time.Second
	keepBytes = segmentBytes
	// keepRest lies between a thousand events and the next, so that commands and views do not feel it.
	keepRest = 40 * time.Millisecond
)

// Run extends the archive until ctx ends, whenever it lacks a good deal, so that a rebuild finds most of the log there. It returns nil.
func (a *Archive) Run(ctx context.Context) error {
	if a.Dir == "" { // nothing is kept
		<-ctx.Done()
		return nil
	}
	for wait := time.Duration(0); sleep(ctx, wait); wait = keepEvery {
		if err := a.keep(ctx); err != nil && ctx.Err() == nil {
			a.logger().WarnContext(ctx, "the archive is not extended", slog.Any("error", err))
		}
	}
	return nil
}

func (a *Archive) keep(ctx context.Context) error {
	head, err := a.Log.Head(ctx)
	if err != nil {
		return err
	}
	var until domain.Position // at first the archive is taken as it is
	for {
		s, err := a.Extend(ctx, until, func(int) { sleep(ctx, keepRest) })
		if err != nil {
			return err
		}
		end := s.End()
		if err := s.Close(); err != nil {
			return err
		}
		next := max(until.Commit, end.Commit) + keepBytes
		if head.Position.Commit < next {
			return nil
		}
		until = domain.Position{Commit: next, Prepare: next}
	}
}
