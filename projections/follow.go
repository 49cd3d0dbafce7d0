package projections

import (
	"context"
	"fmt"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections/archive"
)

// followed is how many events a view that takes the log in order gets at once.
const followed = 20_000

// follow gives a new version the log in order. Its own checkpoint says where to go on.
func (b *rebuild) follow(ctx context.Context, log *archive.Snapshot, f *filling) error {
	at, err := ensure(ctx, b.Pool, f.slot)
	if err != nil {
		return err
	}
	w := b.worker(f.slot, at)
	events := make([]codec.Raw, 0, followed)
	done := f.events
	give := func(target domain.Position) error {
		entries, err := b.entriesOf(ctx, f.view, events)
		if err != nil {
			return err
		}
		done += len(events)
		events = events[:0]
		if target.Compare(w.position) <= 0 {
			return nil
		}
		if err := w.process(ctx, ctx, entries, target); err != nil {
			return fmt.Errorf("fold into %s: %w", f.key, err)
		}
		b.Observe(RebuildProgress{Phase: Folding, View: f.view.Name(), Done: done, Total: log.Events()})
		return nil
	}
	for e, err := range log.Read(ctx, w.position, b.selection(f.plan, f.view)) {
		if err != nil {
			return err
		}
		if events = append(events, e); len(events) == followed {
			if err := give(e.Position); err != nil {
				return err
			}
		}
	}
	return give(f.until)
}

// entriesOf decodes events for a view, unless it takes them as they are stored.
func (b *rebuild) entriesOf(ctx context.Context, v View, events []codec.Raw) ([]entry, error) {
	s := slot{view: v}
	if _, stored := v.(Stored); !stored {
		c := collector{codec: b.Codec, opener: b.Opener, logger: b.Logger}
		entries, err := c.decode(ctx, events)
		return s.wanted(entries), err
	}
	entries := make([]entry, len(events))
	for i, e := range events {
		entries[i] = entry{Recorded: placeOf(e), raw: e}
	}
	return s.wanted(entries), nil
}

// placeOf is an event without what it says.
func placeOf(e codec.Raw) domain.Recorded {
	return domain.Recorded{ID: e.ID, Stream: e.Stream, Revision: e.Revision, Position: e.Position, RecordedAt: e.RecordedAt, Type: e.Type}
}

// worker folds into a slot that no runner keeps.
func (b *rebuild) worker(s slot, at checkpoint) *worker {
	return &worker{
		slot: s, limit: storedAnswer, pool: b.Pool, logger: b.Logger, checkpoint: at,
		failing: func(error) {}, moved: func(domain.Position, int) {}, now: b.Now,
	}
}
