package graph

import (
	"context"
	"sync"
	"time"

	"aftercare/domain"
	"aftercare/domain/ticket"
	"aftercare/graph/model"
	tickets "aftercare/projections/ticket"
)

// maxWatchers is how many subscriptions there may be at once.
const maxWatchers = 1000

// watch looks for changed tickets on behalf of all subscriptions: as long as there are any it asks, now and then, whether the
// view moved, and if so reads the tickets watched with one statement.
type watch struct {
	r *Resolver

	mu       sync.Mutex
	watchers map[*watcher]struct{}
	stop     context.CancelFunc
}

// watcher is one subscription. News holds the newest change not yet told; what a slow client misses are states in between.
type watcher struct {
	id       domain.UUID
	revision uint64
	told     bool
	news     chan news
}

type news struct {
	row tickets.Row
	at  domain.Position
}

func newWatch(r *Resolver) *watch { return &watch{r: r, watchers: map[*watcher]struct{}{}} }

// join begins to watch a ticket. Everything that the view takes in from now on is told.
func (w *watch) join(ctx context.Context, id domain.UUID) (*watcher, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.watchers) >= maxWatchers {
		return nil, domain.Refuse(domain.Unavailable, "subscriptions.too-many")
	}
	one := &watcher{id: id, news: make(chan news, 1)}
	w.watchers[one] = struct{}{}
	if w.stop == nil {
		// It runs for all subscriptions, so it must not end with this one's.
		ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
		w.stop = stop
		go w.run(ctx)
	}
	return one, nil
}

func (w *watch) leave(one *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.watchers, one)
	if len(w.watchers) == 0 && w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

func (w *watch) run(ctx context.Context) {
	ticker := time.NewTicker(w.r.Watch)
	defer ticker.Stop()
	var seen domain.Position
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		at, err := w.look(ctx, seen)
		if err != nil && ctx.Err() == nil {
			w.r.Log.WarnContext(ctx, "subscriptions could not look for changes", "error", err)
			continue
		}
		seen = at
	}
}

// look tells the watchers what changed, when the view moved past a position, and returns where it is.
func (w *watch) look(ctx context.Context, seen domain.Position) (domain.Position, error) {
	// Asked before the rows are read: they show at least what there was then.
	progress, err := w.r.Progress.Wait(ctx, domain.Position{}, viewTicket)
	if err != nil {
		return seen, err
	}
	at := progress.Positions[viewTicket]
	ids := w.ids(at != seen)
	if len(ids) == 0 {
		return at, nil
	}
	rows, err := tickets.ByIDs(ctx, w.r.DB, ids)
	if err != nil {
		return seen, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.watchers {
		if row, ok := rows[one.id]; ok {
			one.tell(news{row, at})
		}
	}
	return at, nil
}

// ids returns the tickets to read: those of all watchers when the view moved, else those of watchers never told anything.
func (w *watch) ids(moved bool) []domain.UUID {
	w.mu.Lock()
	defer w.mu.Unlock()
	unique := make(map[domain.UUID]struct{}, len(w.watchers))
	for one := range w.watchers {
		if moved || !one.told {
			unique[one.id] = struct{}{}
		}
	}
	ids := make([]domain.UUID, 0, len(unique))
	for id := range unique {
		ids = append(ids, id)
	}
	return ids
}

// tell replaces what was not taken yet, when the row is new. The caller holds the lock of the watch.
func (o *watcher) tell(n news) {
	if o.told && n.row.Revision <= o.revision {
		return
	}
	o.told, o.revision = true, n.row.Revision
	select {
	case <-o.news:
	default:
	}
	o.news <- n
}

// changes tells the ticket as it is, unless the client has that already, and each change after it.
func (r *Resolver) changes(ctx context.Context, id string, since *domain.Position) (<-chan *model.TicketChange, error) {
	parsed, err := model.ParseTicketID(id)
	if err != nil {
		return nil, err
	}
	key, err := domain.ParseUUID(string(parsed))
	if err != nil {
		return nil, err
	}
	views := ticketViews(ctx)
	one, err := r.watch.join(ctx, key)
	if err != nil {
		return nil, err
	}
	if err := r.exists(ctx, key, since); err != nil {
		r.watch.leave(one)
		return nil, err
	}
	out := make(chan *model.TicketChange)
	go func() {
		defer close(out)
		defer r.watch.leave(one)
		for {
			select {
			case <-ctx.Done():
				return
			case n := <-one.news:
				if since != nil && n.row.CommitPosition <= since.Commit {
					continue
				}
				r.settle(ctx, n.at, views)
				select {
				case <-ctx.Done():
					return
				case out <- &model.TicketChange{Position: n.at, Ticket: r.siblings([]tickets.Row{n.row})[0]}:
				}
			}
		}
	}()
	return out, nil
}

// exists refuses a subscription to a ticket that the view does not have, once it came as far as the client has.
func (r *Resolver) exists(ctx context.Context, id domain.UUID, since *domain.Position) error {
	if since != nil {
		r.settle(ctx, *since, []string{viewTicket})
	}
	rows, err := tickets.ByIDs(ctx, r.DB, []domain.UUID{id})
	if err == nil && len(rows) == 0 {
		err = ticket.ErrUnknown
	}
	return err
}

// settle gives the views a moment to come to a position. What they do not have by then, the next change shows.
func (r *Resolver) settle(ctx context.Context, at domain.Position, views []string) {
	ctx, cancel := context.WithTimeout(ctx, defaultWait)
	defer cancel()
	if _, err := r.Progress.Wait(ctx, at, views...); err != nil && ctx.Err() == nil {
		r.Log.WarnContext(ctx, "a subscription could not wait for its views", "error", err)
	}
}
