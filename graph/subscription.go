package graph

import (
	"context"

	"aftercare/domain"
	"aftercare/graph/model"
)

// TicketChanged is the resolver for the ticketChanged field.
func (r *subscriptionResolver) TicketChanged(ctx context.Context, id string, since *domain.Position) (<-chan *model.TicketChange, error) {
	return r.changes(ctx, id, since)
}
