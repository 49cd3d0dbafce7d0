package graph

import (
	"context"
	"slices"

	"aftercare/domain"
	"aftercare/domain/servicenumber"
	"aftercare/domain/ticket"
	"aftercare/graph/loader"
	"aftercare/graph/model"
	"aftercare/projections/facet"
	"aftercare/projections/page"
	tickets "aftercare/projections/ticket"
)

// Names of the views.
const (
	viewTicket       = "ticket"
	viewTimeline     = "timeline"
	viewSLA          = "sla"
	viewSatisfaction = "satisfaction"
)

// tickets returns those of the cases that exist, as siblings, each once and in the order asked for.
func (r *Resolver) tickets(ctx context.Context, ids []ticket.ID) ([]*model.Ticket, error) {
	keys := make([]domain.UUID, 0, len(ids))
	for _, id := range ids {
		key, err := domain.ParseUUID(string(id))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	rows, err := tickets.ByIDs(ctx, r.DB, keys)
	if err != nil {
		return nil, err
	}
	found := make([]tickets.Row, 0, len(rows))
	for _, key := range keys {
		if row, ok := rows[key]; ok {
			found = append(found, row)
		}
	}
	return r.siblings(found), nil
}

func (r *Resolver) siblings(rows []tickets.Row) []*model.Ticket {
	ids := make([]domain.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	batch := loader.New(r.DB, ids)
	list := make([]*model.Ticket, len(rows))
	for i, row := range rows {
		list[i] = ticketOf(row, batch)
	}
	return list
}

// nodes returns what the global ids name, nil for what does not exist.
func (r *Resolver) nodes(ctx context.Context, ids []string, c *model.ConsistencyInput) ([]model.Node, error) {
	if err := r.await(ctx, c, ticketViews(ctx)...); err != nil {
		return nil, err
	}
	keys := make([]ticket.ID, 0, len(ids))
	for _, id := range ids {
		if kind, key, ok := model.ParseGlobalID(id); ok && kind == model.KindTicket {
			if parsed, err := ticket.ParseID(key); err == nil {
				keys = append(keys, parsed)
			}
		}
	}
	nodes := make([]model.Node, len(ids))
	if len(keys) == 0 {
		return nodes, nil
	}
	found, err := r.tickets(ctx, keys)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*model.Ticket, len(found))
	for _, t := range found {
		byID[t.ID] = t
	}
	for i, id := range ids {
		if t, ok := byID[id]; ok {
			nodes[i] = t
		}
	}
	return nodes, nil
}

func (r *Resolver) oneTicket(ctx context.Context, id, number *string, c *model.ConsistencyInput) (*model.Ticket, error) {
	if (id == nil) == (number == nil) {
		return nil, domain.Refuse(domain.Invalid, "ticket.id-or-number")
	}
	if err := r.await(ctx, c, ticketViews(ctx)...); err != nil {
		return nil, err
	}
	if number != nil {
		spoken := *number
		if n, err := servicenumber.Parse(spoken); err == nil {
			spoken = n.String() // numbers of imported cases are not ours, and are taken as they are
		}
		row, ok, err := tickets.ByNumber(ctx, r.DB, spoken)
		if err != nil || !ok {
			return nil, err
		}
		return r.siblings([]tickets.Row{row})[0], nil
	}
	parsed, err := model.ParseTicketID(*id)
	if err != nil {
		return nil, err
	}
	found, err := r.tickets(ctx, []ticket.ID{parsed})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func (r *Resolver) ticketPage(
	ctx context.Context, filter *model.TicketFilter, order *model.TicketOrder, p page.Page, c *model.ConsistencyInput,
) (*model.TicketConnection, error) {
	chosen, err := filterOf(filter)
	if err != nil {
		return nil, err
	}
	if err := r.await(ctx, c, ticketViews(ctx)...); err != nil {
		return nil, err
	}
	q := tickets.Query{Filter: chosen, OrderBy: tickets.OrderReceived, Descending: true, Page: p}
	if order != nil {
		q.OrderBy, q.Descending = orders[order.Field], order.Direction == model.DirectionDesc
	}
	found, err := tickets.Find(ctx, r.DB, q)
	if err != nil {
		return nil, err
	}
	connection := &model.TicketConnection{
		Nodes: r.siblings(found.Rows), Edges: make([]*model.TicketEdge, len(found.Rows)),
		PageInfo: pageInfo(found.Info, found.Cursors),
		Count:    func(ctx context.Context) (int64, error) { return tickets.Count(ctx, r.DB, chosen) },
	}
	for i, t := range connection.Nodes {
		connection.Edges[i] = &model.TicketEdge{Cursor: found.Cursors[i], Node: t}
	}
	return connection, nil
}

var orders = map[model.TicketOrderField]tickets.OrderBy{
	model.TicketOrderFieldReceivedAt: tickets.OrderReceived, model.TicketOrderFieldLastEventAt: tickets.OrderLastEvent,
	model.TicketOrderFieldPriority: tickets.OrderPriority, model.TicketOrderFieldNumber: tickets.OrderNumber,
}

func filterOf(f *model.TicketFilter) (facet.Filter, error) {
	if f == nil {
		return facet.Filter{}, nil
	}
	chosen := facet.Filter{
		Sources: f.Source, Kinds: f.Kind, Channels: f.Channel, Priorities: f.Priority, Categories: f.Category,
		Subcategories: f.Subcategory, Products: f.Product, Locations: f.Location, Teams: f.Team, Agents: f.Agent,
		Customers: f.Customer, Statuses: f.Status, ReceivedFrom: instant(f.ReceivedFrom), ReceivedTo: instant(f.ReceivedBefore),
		Text: text(f.Search),
	}
	for _, id := range f.Ids {
		parsed, err := model.ParseTicketID(id)
		if err != nil {
			return facet.Filter{}, err
		}
		key, err := domain.ParseUUID(string(parsed))
		if err != nil {
			return facet.Filter{}, err
		}
		chosen.IDs = append(chosen.IDs, key)
	}
	for _, p := range f.Phase {
		phase, err := phaseOf(p)
		if err != nil {
			return facet.Filter{}, err
		}
		chosen.Phases = append(chosen.Phases, phase)
	}
	for _, a := range f.Attributes {
		chosen.Attributes = append(chosen.Attributes, facet.AttributeFilter{Name: a.Name, In: a.In, NotIn: a.NotIn})
	}
	return chosen, nil
}
