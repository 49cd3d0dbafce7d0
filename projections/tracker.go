package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/projections/feed"
)

// Tracker knows how far the views are, in this process by signal and in others by looking. It is safe for concurrent use.
type Tracker struct {
	Pool *pgxpool.Pool
	Log  *feed.Log
	// Now is the clock for ages and rates, which stay zero without it.
	Now func() time.Time

	mu      sync.Mutex
	views   map[string]*local
	changed chan struct{}
	store   error
}

// local is what a runner in this process says of a view.
type local struct {
	position domain.Position
	failing  error
	rate     rate
}

// Progress is how far views are.
type Progress struct {
	// Reached reports whether all are at least where they were waited for.
	Reached bool
	// Positions are those of the views, by name.
	Positions map[string]domain.Position
}

// ErrUnknown says that there is no checkpoint of a view's name.
var ErrUnknown = errors.New("no such view")

const (
	firstLook = 5 * time.Millisecond
	lastLook  = 100 * time.Millisecond
)

// Wait returns when the views have come to the position, and says how far they are. When ctx ends first it returns the
// progress so far and the error of ctx, joined with ErrUnknown where a view has no checkpoint: it may be about to get one.
func (t *Tracker) Wait(ctx context.Context, position domain.Position, views ...string) (Progress, error) {
	look := firstLook
	for {
		changed := t.change()
		p, missing := t.known(position, views)
		if len(missing) == 0 {
			return p, nil
		}
		found, err := t.positions(ctx, missing)
		if err == nil {
			p.Reached = true
			for _, v := range missing {
				at, ok := found[v]
				if !ok {
					err = fmt.Errorf("view %s: %w", v, ErrUnknown)
				}
				p.Positions[v] = at
				p.Reached = p.Reached && ok && at.Compare(position) >= 0
			}
			if p.Reached {
				return p, nil
			}
		}
		timer := time.NewTimer(look)
		select {
		case <-changed:
		case <-timer.C:
			look = min(2*look, lastLook)
		case <-ctx.Done():
			timer.Stop()
			return p, fmt.Errorf("wait for views at %d: %w", position.Commit, errors.Join(ctx.Err(), err))
		}
		timer.Stop()
	}
}

// known returns what is known in this process, and the views of which that is not enough.
func (t *Tracker) known(position domain.Position, views []string) (Progress, []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := Progress{Positions: make(map[string]domain.Position, len(views))}
	var missing []string
	for _, v := range views {
		l, ok := t.views[v]
		if ok {
			p.Positions[v] = l.position
		}
		if !ok || l.position.Compare(position) < 0 {
			missing = append(missing, v)
		}
	}
	p.Reached = len(missing) == 0
	return p, slices.Compact(missing)
}

// positions reads checkpoints.
func (t *Tracker) positions(ctx context.Context, views []string) (map[string]domain.Position, error) {
	rows, err := t.Pool.Query(ctx, `select view, commit_position, prepare_position from aftercare.checkpoint where view = any($1)`, views)
	if err != nil {
		return nil, err
	}
	found := make(map[string]domain.Position, len(views))
	var (
		view string
		at   domain.Position
	)
	_, err = pgx.ForEachRow(rows, []any{&view, &at.Commit, &at.Prepare}, func() error {
		found[view] = at
		return nil
	})
	return found, err
}

// now returns the time, zero without a clock.
func (t *Tracker) now() time.Time {
	if t.Now == nil {
		return time.Time{}
	}
	return t.Now()
}

func (t *Tracker) change() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changed == nil {
		t.changed = make(chan struct{})
	}
	return t.changed
}

// at returns what is kept of a view. The caller holds the lock.
func (t *Tracker) at(view string) *local {
	if t.views == nil {
		t.views = make(map[string]*local)
	}
	l, ok := t.views[view]
	if !ok {
		l = &local{}
		t.views[view] = l
	}
	return l
}

func (t *Tracker) moved(view string, at domain.Position, events int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.at(view)
	l.position = at
	if t.Now != nil {
		l.rate.add(t.Now(), events)
	}
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

func (t *Tracker) failing(view string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at(view).failing = err
}

func (t *Tracker) connected(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.store = err
}

// Connected returns nil while the runner in this process has a subscription, and else what keeps it from one.
func (t *Tracker) Connected() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.store
}

// Failing returns what keeps a view from going on, as the runner in this process says; nil when nothing does.
func (t *Tracker) Failing(view string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l, ok := t.views[view]; ok {
		return l.failing
	}
	return nil
}
