package timeline

import (
	"encoding/json"
	"time"

	"aftercare/domain"
	"aftercare/projections/facet"
	"aftercare/projections/page"
)

// Entry is one event of a case.
type Entry struct {
	Ticket   domain.UUID
	Revision uint64
	Position domain.Position
	EventID  domain.UUID
	// Type is the stored name of the event.
	Type       string
	OccurredAt time.Time
	RecordedAt time.Time
	// Principal is who acted, OnBehalfOf for whom.
	Principal  string
	OnBehalfOf string
	// Channel is how the wish reached us, not how the customer did.
	Channel       string
	CommandID     domain.UUID
	CorrelationID domain.UUID
	CausationID   domain.UUID
	// Fact is the middle of the stored name of a fact of the case; empty for clocks and for the answers of programs.
	Fact string
	// Status and Seq are the word and the place of a row of a foreign history; Seq is 0 elsewhere.
	Status string
	Seq    int
	// Detail is the payload as recorded, a JSON object, without its texts; these are in Texts by their path, such as "title".
	Detail json.RawMessage
	Texts  map[string]Text
}

// Text is personal data or free text of an event.
type Text struct {
	// Subject is the opaque id of the person it concerns.
	Subject string `json:"subject,omitempty"`
	Value   string `json:"value,omitempty"`
	// Forgotten says that there was a text, and that the key of the person was destroyed.
	Forgotten bool `json:"forgotten,omitempty"`
}

// HistoryQuery asks for a page of the history of a case, in the order of its stream.
type HistoryQuery struct {
	Ticket domain.UUID
	// Descending gives the newest first.
	Descending bool
	// Types leaves out events stored under other names, of which a retired one is another; empty means all.
	Types []string
	Page  page.Page
}

// History is a page of entries. Cursors are those of the entries, in the same order.
type History struct {
	Entries []Entry
	Cursors []string
	page.Info
}

// DwellQuery asks how long cases stayed in the statuses of the systems they came from: from one row of a case to its next,
// in the order of the source. Months and years are those of the row that began the stay, in Zone, which defaults to UTC.
type DwellQuery struct {
	Filter  facet.Filter
	GroupBy []facet.By
	Zone    string
}

// Dwell is the time spent in one status by one group of cases, in seconds.
type Dwell struct {
	Status string
	Group  []facet.Value
	// N counts the stays, Cases the cases.
	N      int64
	Cases  int64
	Total  float64
	Mean   float64
	Median float64
	P90    float64
}
