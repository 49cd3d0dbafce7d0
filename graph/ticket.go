package graph

import (
	"context"

	"aftercare/graph/generated"
	"aftercare/graph/model"
)

// Ticket is the resolver for the ticket field.
func (r *queryResolver) Ticket(ctx context.Context, id *string, number *string, consistency *model.ConsistencyInput) (*model.Ticket, error) {
	return r.oneTicket(ctx, id, number, consistency)
}

// Tickets is the resolver for the tickets field.
func (r *queryResolver) Tickets(ctx context.Context, filter *model.TicketFilter, order *model.TicketOrder, first *int, after *string, last *int, before *string, consistency *model.ConsistencyInput) (*model.TicketConnection, error) {
	page, err := pageOf(first, after, last, before)
	if err != nil {
		return nil, err
	}
	return r.ticketPage(ctx, filter, order, page, consistency)
}

// Timeline is the resolver for the timeline field.
func (r *ticketResolver) Timeline(ctx context.Context, obj *model.Ticket, first *int, after *string, last *int, before *string) (*model.TimelineConnection, error) {
	page, err := pageOf(first, after, last, before)
	if err != nil {
		return nil, err
	}
	return r.history(ctx, obj, page)
}

// Clocks is the resolver for the clocks field.
func (r *ticketResolver) Clocks(ctx context.Context, obj *model.Ticket) ([]*model.Clock, error) {
	return r.clocks(ctx, obj)
}

// Ratings is the resolver for the ratings field.
func (r *ticketResolver) Ratings(ctx context.Context, obj *model.Ticket) ([]*model.Rating, error) {
	return r.ratings(ctx, obj)
}

// TotalCount is the resolver for the totalCount field.
func (r *ticketConnectionResolver) TotalCount(ctx context.Context, obj *model.TicketConnection) (*int64, error) {
	n, err := obj.Count(ctx)
	if err != nil {
		return nil, err
	}
	return &n, nil
}

// Ticket returns generated.TicketResolver implementation.
func (r *Resolver) Ticket() generated.TicketResolver { return &ticketResolver{r} }

// TicketConnection returns generated.TicketConnectionResolver implementation.
func (r *Resolver) TicketConnection() generated.TicketConnectionResolver {
	return &ticketConnectionResolver{r}
}

type (
	ticketResolver           struct{ *Resolver }
	ticketConnectionResolver struct{ *Resolver }
)
