package projections

import (
	"context"
	"fmt"
	"hash/maphash"

	"golang.org/x/sync/errgroup"

	"aftercare/domain"
	"aftercare/domain/codec"
)

const (
	// chunk is how many events go to a partition at once, and depth how many chunks may wait for it.
	chunk = 256
	depth = 16
)

// load folds the log up to a position into the new tables.
func (b *rebuild) load(ctx context.Context, until domain.Position, fillings []*filling) error {
	group, ctx := errgroup.WithContext(ctx)
	parts := make([]*partition, b.Partitions)
	for i := range parts {
		p := &partition{rebuild: b, number: i, inbox: make(chan []codec.Raw, depth), folds: make([]fold, len(fillings))}
		for j, f := range fillings {
			p.folds[j] = fold{filling: f, bulk: f.view.Bulk(), behind: make(map[string]bool)}
		}
		parts[i] = p
		group.Go(func() error { return p.run(ctx) })
	}
	group.Go(func() error { return b.read(ctx, until, parts) })
	return group.Wait()
}

// read deals the events of the log out to the partitions, each stream to one of them.
func (b *rebuild) read(ctx context.Context, until domain.Position, parts []*partition) error {
	defer func() {
		for _, p := range parts {
			close(p.inbox)
		}
	}()
	if until == (domain.Position{}) {
		return nil
	}
	var (
		seed    = maphash.MakeSeed()
		waiting = make([][]codec.Raw, len(parts))
		handles = handled(b.views)
	)
	send := func(i int) error {
		select {
		case parts[i].inbox <- waiting[i]:
			waiting[i] = nil
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for e, err := range b.Log.Read(ctx, domain.Position{}) {
		if err != nil {
			return err
		}
		if e.Position.Compare(until) > 0 {
			break
		}
		if b.report.Events++; b.report.Events%10_000 == 0 {
			b.Observe(b.report.Events)
		}
		if !handles(e.Type) {
			continue
		}
		i := int(maphash.String(seed, e.Stream) % uint64(len(parts))) //nolint:gosec // less than the number of parts
		if waiting[i] == nil {
			waiting[i] = make([]codec.Raw, 0, chunk)
		}
		waiting[i] = append(waiting[i], e)
		if len(waiting[i]) == chunk {
			if err := send(i); err != nil {
				return err
			}
		}
	}
	for i := range parts {
		if err := send(i); err != nil {
			return err
		}
	}
	return nil
}

// partition decodes and folds the streams that fall to it, for all views.
type partition struct {
	*rebuild
	number int
	inbox  chan []codec.Raw
	folds  []fold
}

// fold is what a partition holds of one view.
type fold struct {
	filling *filling
	bulk    Bulk
	// behind are the streams with a refused event. Refused are those events and all later ones, and events the number of the
	// others, that are not copied yet.
	behind  map[string]bool
	refused []refusal
	events  int
}

type refusal struct {
	domain.Recorded
	reason   string
	attempts int
}

func (p *partition) run(ctx context.Context) error {
	for events := range p.inbox {
		for _, d := range decode(ctx, p.Codec, p.Opener, events) {
			if d.err != nil && passing(d.err) {
				return d.err
			}
			if d.Event == nil && d.err == nil {
				continue
			}
			for i := range p.folds {
				if p.folds[i].filling.view.Handles(d.Type) {
					p.folds[i].add(d)
				}
			}
		}
		for i := range p.folds {
			if p.folds[i].bulk.Full() {
				if err := p.copy(ctx, &p.folds[i]); err != nil {
					return err
				}
			}
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// Partitions begin with different views, so as not to wait for each other.
	for i := range p.folds {
		if err := p.copy(ctx, &p.folds[(i+p.number)%len(p.folds)]); err != nil {
			return err
		}
	}
	return nil
}

func (f *fold) add(e entry) {
	if f.behind[e.Stream] {
		f.refused = append(f.refused, refusal{e.Recorded, behind, 0})
		return
	}
	err := e.err
	if err == nil {
		err = guard(func() error { return f.bulk.Add(e.Recorded) })
	}
	if err != nil {
		f.behind[e.Stream] = true
		f.refused = append(f.refused, refusal{e.Recorded, err.Error(), 1})
		return
	}
	f.events++
}

func (p *partition) copy(ctx context.Context, f *fold) error {
	if err := f.filling.copy(ctx, f); err != nil {
		return fmt.Errorf("copy %s: %w", f.filling.view.Name(), err)
	}
	return nil
}
