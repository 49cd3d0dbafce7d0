package viewtest

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"aftercare/domain"
	"aftercare/domain/seal"
)

// Start is when the histories of tests begin.
func Start() time.Time { return time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC) }

// At returns the instant so many hours after Start.
func At(hours float64) time.Time { return Start().Add(time.Duration(hours * float64(time.Hour))) }

// ID returns the id of the n-th case.
func ID(n int) domain.UUID { return domain.DeriveUUID(domain.UUID{1}, fmt.Sprintf("case %d", n)) }

// History records events in the order of all streams.
type History struct {
	Events    []domain.Recorded
	revisions map[string]uint64
}

// Case records events of the n-th case.
func (h *History) Case(n int, events ...domain.Event) {
	if h.revisions == nil {
		h.revisions = map[string]uint64{}
	}
	stream := "ticket-" + ID(n).String()
	for _, e := range events {
		place := uint64(len(h.Events)+1) * 100
		h.Events = append(h.Events, domain.Recorded{
			ID:     domain.DeriveUUID(ID(n), fmt.Sprintf("event %d", h.revisions[stream])),
			Stream: stream, Revision: h.revisions[stream], Position: domain.Position{Commit: place, Prepare: place},
			RecordedAt: e.OccurredAt().Add(time.Second), Type: e.EventType(), Event: e,
			Metadata: domain.Metadata{
				CommandID: domain.DeriveUUID(ID(n), "command"), Principal: domain.Principal{ID: "anna", OnBehalfOf: "li"},
				Channel: "import", OccurredAt: e.OccurredAt(),
			},
		})
		h.revisions[stream]++
	}
}

// Forgotten returns a text whose key was destroyed.
func Forgotten(subject seal.Subject) seal.Text {
	ctx := context.Background()
	binding := seal.Binding{}
	sealed, err := seal.Seal(ctx, destroyed{}, seal.New(subject, "gone"), binding)
	if err != nil {
		panic(err)
	}
	stored, err := json.Marshal(sealed)
	if err != nil {
		panic(err)
	}
	var t seal.Text
	if err := json.Unmarshal(stored, &t); err != nil {
		panic(err)
	}
	if t, err = seal.Open(ctx, destroyed{}, t, binding); err != nil {
		panic(err)
	}
	return t
}

// destroyed seals and has lost every key.
type destroyed struct{}

func (destroyed) Seal(context.Context, seal.Subject, []byte, []byte) ([]byte, error) {
	return []byte("cipher"), nil
}

func (destroyed) Open(context.Context, seal.Subject, []byte, []byte) ([]byte, error) {
	return nil, seal.ErrForgotten
}
