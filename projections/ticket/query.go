package ticket

import (
	"aftercare/projections/facet"
	"aftercare/projections/page"
)

// OrderBy is what a list is ordered by; equal rows are ordered by id.
type OrderBy uint8

// The orders. The zero OrderBy is OrderReceived.
const (
	OrderReceived OrderBy = iota + 1
	OrderLastEvent
	OrderPriority
	OrderNumber
)

// Query asks for a page of cases.
type Query struct {
	Filter  facet.Filter
	OrderBy OrderBy
	// Descending turns the order round.
	Descending bool
	Page       page.Page
}

// List is a page of cases. Cursors are those of the rows, in the same order.
type List struct {
	Rows    []Row
	Cursors []string
	page.Info
}
