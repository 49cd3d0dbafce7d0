package archive

import (
	"context"
	"log/slog"
	"time"

	"aftercare/domain"
)

const (
	// keepEvery is how often it is looked whether the archive lacks much, and keepBytes how much of the log, by its positions, is.
	keepEvery = 30 * time.Second
	keepBytes = segmentBytes
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
	s, err := a.Extend(ctx, domain.Position{}, nil) // as it is
	if err != nil {
		return err
	}
	end := s.End()
	if err := s.Close(); err != nil || head.Position.Commit < end.Commit+keepBytes {
		return err
	}
	if s, err = a.Extend(ctx, head.Position, nil); err != nil {
		return err
	}
	return s.Close()
}
