package loader

import (
	"context"
	"sync"

	"aftercare/domain"
	"aftercare/projections/facet"
	"aftercare/projections/page"
	"aftercare/projections/satisfaction"
	"aftercare/projections/sla"
	"aftercare/projections/timeline"
)

// Batch is a set of tickets that were read together. It is safe for concurrent use.
type Batch struct {
	db  facet.DB
	ids []domain.UUID

	clocks  once[map[domain.UUID][]sla.Instance]
	ratings once[map[domain.UUID][]satisfaction.Rating]

	mu      sync.Mutex
	latest  map[int]*once[map[domain.UUID][]timeline.Entry]
	opening map[int]*once[map[domain.UUID][]timeline.Entry]
}

// New returns the batch of some tickets.
func New(db facet.DB, ids []domain.UUID) *Batch {
	return &Batch{
		db: db, ids: ids,
		latest: map[int]*once[map[domain.UUID][]timeline.Entry]{}, opening: map[int]*once[map[domain.UUID][]timeline.Entry]{},
	}
}

// Clocks returns the clocks of one of the tickets.
func (b *Batch) Clocks(ctx context.Context, id domain.UUID) ([]sla.Instance, error) {
	all, err := b.clocks.do(func() (map[domain.UUID][]sla.Instance, error) { return sla.OfTickets(ctx, b.db, b.ids) })
	return all[id], err
}

// Ratings returns the ratings of one of the tickets.
func (b *Batch) Ratings(ctx context.Context, id domain.UUID) ([]satisfaction.Rating, error) {
	all, err := b.ratings.do(func() (map[domain.UUID][]satisfaction.Rating, error) {
		return satisfaction.OfTickets(ctx, b.db, b.ids)
	})
	return all[id], err
}

// Latest returns up to n entries from the end of the history of one of the tickets, newest first.
func (b *Batch) Latest(ctx context.Context, id domain.UUID, n int) ([]timeline.Entry, error) {
	all, err := b.pick(b.latest, n).do(func() (map[domain.UUID][]timeline.Entry, error) {
		return timeline.Latest(ctx, b.db, b.ids, n)
	})
	return all[id], err
}

// First returns up to n entries from the beginning of the history of one of the tickets, oldest first.
func (b *Batch) First(ctx context.Context, id domain.UUID, n int) ([]timeline.Entry, error) {
	all, err := b.pick(b.opening, n).do(func() (map[domain.UUID][]timeline.Entry, error) {
		return timeline.First(ctx, b.db, b.ids, n)
	})
	return all[id], err
}

// Page returns a page of the history of one ticket from a cursor on, which no two tickets share.
func (b *Batch) Page(ctx context.Context, id domain.UUID, p page.Page) (timeline.History, error) {
	return timeline.Read(ctx, b.db, timeline.HistoryQuery{Ticket: id, Page: p})
}

func (b *Batch) pick(
	of map[int]*once[map[domain.UUID][]timeline.Entry], n int,
) *once[map[domain.UUID][]timeline.Entry] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if of[n] == nil {
		of[n] = new(once[map[domain.UUID][]timeline.Entry])
	}
	return of[n]
}

// once computes a value the first time it is asked for.
type once[T any] struct {
	once  sync.Once
	value T
	err   error
}

func (o *once[T]) do(f func() (T, error)) (T, error) {
	o.once.Do(func() { o.value, o.err = f() })
	return o.value, o.err
}
