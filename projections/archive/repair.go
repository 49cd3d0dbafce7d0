package archive

import (
	"context"
	"fmt"

	"aftercare/projections/feed"
)

// repair makes a segment anew from the store, unless somebody else has. It waits while another process extends the folder, which would take
// a file that is not finished for one that was left over.
func (s *Snapshot) repair(ctx context.Context, i int, damaged *segment) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i >= len(s.segments) || s.segments[i] != damaged {
		return nil
	}
	if !s.extending {
		unlock, err := s.folder.lock(ctx)
		if err != nil {
			return err
		}
		defer unlock()
	}
	b, err := s.folder.again(ctx, damaged)
	if err != nil {
		return err
	}
	made, err := s.folder.write(b)
	if err != nil {
		return err
	}
	s.segments[i] = made
	// Others may be reading the damaged one: it is closed when they are done, by the garbage collector.
	s.folder.outdated(damaged, made)
	return nil
}

// again reads the stretch of a segment from the store. The store may have dropped events meanwhile, also the last one, but it must not have
// others.
func (f folder) again(ctx context.Context, damaged *segment) (*builder, error) {
	b := &builder{after: damaged.After}
	for e, err := range f.archive.Log.Read(ctx, damaged.After) {
		if err != nil {
			return nil, err
		}
		if e.Position.Compare(damaged.Until) > 0 {
			b.upTo = damaged.Until // it goes on behind the stretch, so nothing more comes in it
			break
		}
		b.add(e)
	}
	other := false
	if n := len(b.events); n > 0 {
		last := b.events[n-1]
		other = last.Position == damaged.Last && last.ID != damaged.LastID
	}
	if other || b.until() != damaged.Until {
		return nil, fmt.Errorf("read the segment up to %d from the store: %w", damaged.Until.Commit, feed.ErrReplaced)
	}
	return b, nil
}
