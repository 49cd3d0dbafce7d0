package facet

import (
	"time"

	"aftercare/domain"
	"aftercare/domain/ticket"
)

// Case are the dimensions of a case, as far as its events have told. Read models embed it in their rows.
type Case struct {
	ReceivedAt   time.Time
	SourceSystem string
	Kind         string
	Channel      string
	Priority     string
	Category     string
	Subcategory  string
	Product      string
	Location     string
	Team         string
	Agent        string
}

// CaseColumns are the columns of a Case, in the order of its Fields.
func CaseColumns() []string {
	return []string{
		"received_at", "source_system", "kind", "channel", "priority", "category", "subcategory", "product", "location",
		"team", "agent",
	}
}

// Fields returns pointers to the fields, in the order of CaseColumns.
func (c *Case) Fields() []any {
	return []any{
		&c.ReceivedAt, &c.SourceSystem, &c.Kind, &c.Channel, &c.Priority, &c.Category, &c.Subcategory, &c.Product,
		&c.Location, &c.Team, &c.Agent,
	}
}

// CaseTypes are the stored names of the events that Fold knows.
func CaseTypes() []string {
	return []string{ticket.TypeReceived, ticket.TypeClassified, ticket.TypePriorityChanged, ticket.TypeAssigned}
}

// Fold changes the dimensions as the event says; most events change none.
func (c *Case) Fold(e domain.Event) {
	switch e := e.(type) {
	case ticket.Received:
		c.ReceivedAt = Instant(e.At)
		if e.Source != nil {
			c.SourceSystem = Clean(e.Source.System)
		}
		c.details(e.Details)
	case ticket.Classified:
		c.details(e.Details)
	case ticket.PriorityChanged:
		c.Priority = Clean(e.To)
	case ticket.Assigned:
		c.Team, c.Agent = Clean(e.Team), Clean(e.Agent)
	}
}

func (c *Case) details(d ticket.Details) {
	set := func(field *string, value string) {
		if value != "" {
			*field = Clean(value)
		}
	}
	set(&c.Kind, d.Kind)
	set(&c.Channel, d.Channel)
	set(&c.Priority, d.Priority)
	set(&c.Category, d.Category)
	set(&c.Subcategory, d.Subcategory)
	set(&c.Product, d.Product)
	set(&c.Location, d.Location)
	set(&c.Team, d.Team)
	set(&c.Agent, d.Agent)
}
