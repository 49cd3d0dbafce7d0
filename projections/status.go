package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/projections/feed"
)

// Status is how a view does.
type Status struct {
	View       string
	Generation int64
	Position   domain.Position
	// Events is how many the view has folded, and Parked how many it could not.
	Events, Parked int64
	UpdatedAt      time.Time
	Lag            Lag
	// Holder is the name of the runner that keeps the view, "" when none does.
	Holder string
	// Failing is what keeps the view from going on, nil when nothing does, and FailingSince when that began, as far as the process that keeps
	// it has told.
	Failing      error
	FailingSince *time.Time
	// Rate is the events per second of late, known of the views that a runner in this process keeps.
	Rate float64
}

// Lag is how far a view is behind the head of the log. The zero Lag is not behind.
type Lag struct {
	// Distance is the difference of the positions.
	Distance uint64
	// Events is how many come after the view's position, counted up to a bound; More says that there are others.
	Events int
	More   bool
	// Age is how long ago the oldest of them was recorded.
	Age time.Duration
}

// Statuses are those of several views.
type Statuses struct {
	Views []Status
	// Head is the head of the log, and Store what kept it from being read: then no Lag is known.
	Head  feed.Head
	Store error
}

// Status returns how the views do, all that have a checkpoint when none is named. It fails when the database cannot be
// read; a store that cannot be read is part of the answer.
func (t *Tracker) Status(ctx context.Context, views ...string) (Statuses, error) {
	rows, err := t.Pool.Query(ctx, `
		select c.view, c.generation, c.commit_position, c.prepare_position, c.events, c.updated_at,
		       (select count(*) from aftercare.parked_event p where p.view = c.view), coalesce(p.name, ''), l.failing, l.failing_since
		  from aftercare.checkpoint c
		  left join aftercare.lease l on l.view = c.view
		  left join aftercare.projector p on p.id = l.holder and l.expires > clock_timestamp()
		 where case when cardinality($1::text[]) > 0 then c.view = any($1) else c.view not like '%@%' end
		 order by c.view`, append([]string{}, views...))
	if err != nil {
		return Statuses{}, fmt.Errorf("read the checkpoints: %w", err)
	}
	var all Statuses
	all.Views, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Status, err error) {
		var failing *string
		err = row.Scan(&s.View, &s.Generation, &s.Position.Commit, &s.Position.Prepare, &s.Events, &s.UpdatedAt, &s.Parked,
			&s.Holder, &failing, &s.FailingSince)
		if failing != nil {
			s.Failing = errors.New(*failing)
		}
		return s, err
	})
	if err != nil {
		return Statuses{}, fmt.Errorf("read the checkpoints: %w", err)
	}
	t.local(&all)
	all.Store = t.behind(ctx, &all)
	return all, nil
}

// behind adds the head of the log and the lags behind it.
func (t *Tracker) behind(ctx context.Context, all *Statuses) (err error) {
	if all.Head, err = t.Log.Head(ctx); err != nil {
		return err
	}
	lags := make(map[domain.Position]Lag)
	for i := range all.Views {
		at := all.Views[i].Position
		lag, ok := lags[at]
		if !ok {
			if lag, err = t.lag(ctx, at, all.Head); err != nil {
				return err
			}
			lags[at] = lag
		}
		all.Views[i].Lag = lag
	}
	return nil
}

// local adds what is known in this process only.
func (t *Tracker) local(all *Statuses) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range all.Views {
		s := &all.Views[i]
		l, ok := t.views[s.View]
		if !ok {
			continue
		}
		if l.failing != nil {
			s.Failing = l.failing
		}
		if t.Now != nil {
			s.Rate = l.rate.perSecond(t.Now())
		}
	}
}

// Lag returns how far views are behind the head of the log, by name: all that have a checkpoint when none is named.
func (t *Tracker) Lag(ctx context.Context, views ...string) (map[string]Lag, error) {
	all, err := t.Status(ctx, views...)
	if err != nil {
		return nil, err
	}
	if all.Store != nil {
		return nil, all.Store
	}
	lags := make(map[string]Lag, len(all.Views))
	for _, s := range all.Views {
		lags[s.View] = s.Lag
	}
	return lags, nil
}

// lagCount is up to how many events a lag is counted.
const lagCount = 1000

func (t *Tracker) lag(ctx context.Context, at domain.Position, head feed.Head) (Lag, error) {
	if head.Position.Compare(at) <= 0 {
		return Lag{}, nil
	}
	lag := Lag{Distance: head.Position.Commit - at.Commit}
	for e, err := range t.Log.Read(ctx, at) {
		if err != nil {
			return Lag{}, err
		}
		if lag.Events == lagCount {
			lag.More = true
			break
		}
		if lag.Events == 0 && t.Now != nil {
			lag.Age = max(0, t.Now().Sub(e.RecordedAt))
		}
		lag.Events++
	}
	return lag, nil
}

// ErrStuck says that a view is behind and has not moved for too long, and ErrUnkept that no runner keeps it.
var (
	ErrStuck  = errors.New("the view does not move")
	ErrUnkept = errors.New("no projector keeps the view")
)

// Health returns nil when the log and the database can be read, the log is the one that the runner in this process has
// followed, and no view is stuck: behind the head with events older than patience, and not moved for as long. Parked events
// are not ill health; they are for people to look at.
func (t *Tracker) Health(ctx context.Context, patience time.Duration, views ...string) error {
	all, err := t.Status(ctx, views...)
	if err != nil {
		return err
	}
	errs := []error{all.Store}
	if err := t.Connected(); errors.Is(err, feed.ErrReplaced) { // whose head may well be behind the views
		errs = append(errs, err)
	}
	seen := make(map[string]bool)
	for _, s := range all.Views {
		seen[s.View] = true
		if s.Lag.Age > patience && t.Now != nil && t.Now().Sub(s.UpdatedAt) > patience {
			reasons := []error{ErrStuck, s.Failing}
			if s.Holder == "" {
				reasons = append(reasons, ErrUnkept)
			}
			errs = append(errs, fmt.Errorf("view %s, %d events behind: %w", s.View, s.Lag.Events, errors.Join(reasons...)))
		}
	}
	for _, v := range views {
		if !seen[v] {
			errs = append(errs, fmt.Errorf("view %s: %w", v, ErrUnknown))
		}
	}
	return errors.Join(errs...)
}
