package graph

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"aftercare/domain/ticket"
	"aftercare/graph/model"
	"aftercare/projections/page"
	"aftercare/projections/timeline"
)

// ticketViews returns the views an operation reads when it reads tickets: the ticket view, and those of the fields it asks for
// below. A client that waits for a position waits for all of them.
func ticketViews(ctx context.Context) []string {
	views := []string{viewTicket}
	var look func(set []graphql.CollectedField)
	operation := graphql.GetOperationContext(ctx)
	look = func(set []graphql.CollectedField) {
		for _, f := range set {
			if f.ObjectDefinition != nil && f.ObjectDefinition.Name == "Ticket" {
				if view, ok := viewsBelow[f.Name]; ok && !slices.Contains(views, view) {
					views = append(views, view)
				}
				continue
			}
			look(graphql.CollectFields(operation, f.Selections, satisfied))
		}
	}
	look(graphql.CollectFieldsCtx(ctx, satisfied))
	return views
}

var (
	viewsBelow = map[string]string{"timeline": viewTimeline, "clocks": viewSLA, "ratings": viewSatisfaction}
	satisfied  = []string{"Ticket", "Node", "TicketChanged", "TicketResult", "TicketChange"}
)

func (r *Resolver) history(ctx context.Context, t *model.Ticket, p page.Page) (*model.TimelineConnection, error) {
	var (
		found timeline.History
		err   error
	)
	switch {
	case p.After != "" || p.Before != "":
		found, err = t.Batch.Page(ctx, t.UUID, p)
	case p.Last > 0:
		found.Entries, err = t.Batch.Latest(ctx, t.UUID, p.Last+1)
		if found.HasPrevious = len(found.Entries) > p.Last; found.HasPrevious {
			found.Entries = found.Entries[:p.Last]
		}
		found.Entries = slices.Clone(found.Entries) // the batch keeps its own for another field
		slices.Reverse(found.Entries)
	default:
		found.Entries, err = t.Batch.First(ctx, t.UUID, p.First+1)
		if found.HasNext = len(found.Entries) > p.First; found.HasNext {
			found.Entries = found.Entries[:p.First]
		}
	}
	if err != nil {
		return nil, err
	}
	connection := &model.TimelineConnection{
		Nodes: make([]*model.TimelineEvent, len(found.Entries)), Edges: make([]*model.TimelineEdge, len(found.Entries)),
	}
	cursors := make([]string, len(found.Entries))
	for i, e := range found.Entries {
		cursors[i] = page.Encode(t.UUID.String(), strconv.FormatUint(e.Revision, 10))
		if connection.Nodes[i], err = entryOf(e, subjectOf(t)); err != nil {
			return nil, err
		}
		connection.Edges[i] = &model.TimelineEdge{Cursor: cursors[i], Node: connection.Nodes[i]}
	}
	connection.PageInfo = pageInfo(found.Info, cursors)
	return connection, nil
}

func (r *Resolver) clocks(ctx context.Context, t *model.Ticket) ([]*model.Clock, error) {
	found, err := t.Batch.Clocks(ctx, t.UUID)
	if err != nil {
		return nil, err
	}
	list := make([]*model.Clock, len(found))
	for i, c := range found {
		if list[i], err = clockOf(c); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r *Resolver) ratings(ctx context.Context, t *model.Ticket) ([]*model.Rating, error) {
	found, err := t.Batch.Ratings(ctx, t.UUID)
	if err != nil {
		return nil, err
	}
	list := make([]*model.Rating, len(found))
	for i, c := range found {
		list[i] = ratingOf(c, subjectOf(t))
	}
	return list, nil
}

func phaseOf(p model.Phase) (ticket.Phase, error) {
	return ticket.ParsePhase(strings.ToLower(string(p)))
}
