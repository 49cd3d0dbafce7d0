package facet

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/domain/ticket"
)

// DB is what queries run on: a pool, a connection or a transaction.
type DB interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Filter chooses cases. Values of one field are alternatives, fields must all hold; an empty field chooses everything,
// and the empty string among the values chooses cases where it is not known.
type Filter struct {
	IDs           []domain.UUID
	Sources       []string
	Kinds         []string
	Phases        []ticket.Phase
	Channels      []string
	Priorities    []string
	Categories    []string
	Subcategories []string
	Products      []string
	Locations     []string
	Teams         []string
	Agents        []string
	Customers     []string
	Statuses      []string
	Attributes    []AttributeFilter
	// ReceivedFrom and ReceivedTo bound the time of receipt: from, inclusive, to, exclusive. Zero is unbounded.
	ReceivedFrom time.Time
	ReceivedTo   time.Time
	// Text is searched in number, source key, title and description: the start of the first two, any words of the others.
	Text string
}

// AttributeFilter chooses cases that have an attribute, with one of the values In, if any are given, and none of NotIn.
type AttributeFilter struct {
	Name  string
	In    []string
	NotIn []string
}
