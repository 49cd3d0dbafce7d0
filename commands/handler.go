package commands

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"aftercare/domain"
	"aftercare/domain/seal"
)

// Handler carries out the commands of one aggregate. It is safe for concurrent use.
type Handler[S any, C any, E domain.Event] struct {
	Log     Log
	Decider domain.Decider[S, C, E]
	// HashKey is the secret under which command bodies are fingerprinted, at least 16 bytes.
	HashKey []byte
	// Since is the head of the log when an import began: what HandleAll finds written at or before it is marked Repeated.
	Since domain.Position
	// Attempts bounds how often one command is decided when others write to its stream. Defaults to 5.
	Attempts int
}

// Handle carries out one command. meta.CommandID is its idempotency key and must be set. A wish already fulfilled writes
// nothing and returns where the stream stands; for a stream never written that is the zero Receipt.
func (h Handler[S, C, E]) Handle(ctx context.Context, id string, command C, meta domain.Metadata) (Receipt, error) {
	return h.run(ctx, wish[C]{id: id, commands: []C{command}, meta: meta})
}

// HandleAt is Handle for a caller who has seen the stream at a revision: when it has moved on, the refusal
// "revision.stale" says where it stands. A nil expected is no expectation. A repeated command is answered before the
// revision is compared.
func (h Handler[S, C, E]) HandleAt(ctx context.Context, id string, expected *uint64, command C, meta domain.Metadata) (Receipt, error) {
	return h.run(ctx, wish[C]{id: id, commands: []C{command}, meta: meta, expected: expected})
}

// HandleAll carries out several commands under one key, decided one after another and appended as one. The first refusal
// refuses them all. It assumes that the stream does not exist yet and reads it only when that proves wrong, which suits
// imports. A repetition of commands that made the stream is answered with their receipt, which only the field Since can
// tell from a new one. See the package about appends larger than the store accepts.
func (h Handler[S, C, E]) HandleAll(ctx context.Context, id string, commands []C, meta domain.Metadata) (Receipt, error) {
	return h.run(ctx, wish[C]{id: id, commands: commands, meta: meta, fresh: true, split: true})
}

type wish[C any] struct {
	id       string
	commands []C
	meta     domain.Metadata
	expected *uint64
	fresh    bool // try first as if the stream did not exist
	split    bool // may be appended in parts
}

func (h Handler[S, C, E]) run(ctx context.Context, w wish[C]) (r Receipt, err error) {
	ctx, s := span(ctx, "handle", h.Decider.Category)
	defer func() { end(s, r, err) }()
	if w.meta.Traceparent == "" {
		w.meta.Traceparent = traceparent(ctx)
	}
	if w.meta.CommandID.IsZero() {
		return Receipt{}, domain.Refuse(domain.Invalid, "command.id-missing")
	}
	if w.meta.CommandHash, err = hash(h.HashKey, w.commands); err != nil {
		return Receipt{}, err
	}
	attempts := h.Attempts
	if attempts <= 0 {
		attempts = 5
	}
	if w.fresh {
		attempts++ // the guess
	}
	var past history[E]
	for range attempts {
		r, err = h.attempt(ctx, w, &past)
		if !errors.Is(err, ErrConflict) {
			return r, h.edge(err)
		}
		w.fresh = false
	}
	return Receipt{}, h.edge(err)
}

// attempt loads what is not in past yet, decides and appends once.
func (h Handler[S, C, E]) attempt(ctx context.Context, w wish[C], past *history[E]) (Receipt, error) {
	stream := h.Decider.Stream(w.id)
	if !w.fresh {
		if err := h.load(ctx, stream, w.meta.CommandID, past); err != nil {
			return Receipt{}, err
		}
	}
	if past.done > 0 && past.hash != w.meta.CommandHash {
		return Receipt{}, domain.Refuse(domain.Conflict, "command.key-reused", "commandId", w.meta.CommandID.String())
	}
	if past.done > 0 && !w.split {
		return past.first, nil
	}
	if err := stale(w.expected, past); err != nil {
		return Receipt{}, err
	}
	var state S
	events, _, err := h.Decider.DecideAll(h.Decider.Fold(state, past.before...), w.commands...)
	if w.fresh && (err != nil || len(events) == 0) {
		return Receipt{}, ErrConflict // perhaps only because the guess was wrong: read
	}
	if err != nil {
		return Receipt{}, err
	}
	if past.done > 0 && past.done >= len(events) {
		return past.first, nil
	}
	if len(events) == 0 {
		return h.known(w, past.last), nil
	}
	receipt, err := h.append(ctx, stream, past, propose(stream, events, w.meta)[past.done:], w.split)
	return h.known(w, receipt), err
}

// known marks the receipt of an import that wrote nothing, or only what the store had.
func (h Handler[S, C, E]) known(w wish[C], r Receipt) Receipt {
	r.Repeated = w.split && r.Position != (domain.Position{}) && r.Position.Compare(h.Since) <= 0
	return r
}

// append writes the events as one, or halved as often as the store's size limit asks for.
func (h Handler[S, C, E]) append(ctx context.Context, stream string, past *history[E], events []Proposed, split bool) (receipt Receipt, err error) {
	ctx, s := span(ctx, "append", h.Decider.Category)
	defer func() { end(s, receipt, err) }()
	expected, size := past.expected(), len(events)
	for {
		part := events[:min(size, len(events))]
		receipt, err = h.Log.Append(ctx, stream, expected, part)
		switch {
		case errors.Is(err, ErrTooLarge) && split && size > 1:
			size = (size + 1) / 2
			continue
		case err != nil:
			return Receipt{}, err
		}
		if events = events[len(part):]; len(events) == 0 {
			return receipt, nil
		}
		expected = Expected(receipt.Revision) //nolint:gosec // revisions are below 2^63
	}
}

func propose[E domain.Event](stream string, events []E, meta domain.Metadata) []Proposed {
	prefix := stream + "/" + meta.CommandHash + "/"
	proposed := make([]Proposed, len(events))
	for i, e := range events {
		proposed[i] = Proposed{
			ID:       domain.DeriveUUID(meta.CommandID, prefix+strconv.Itoa(i)),
			Event:    e,
			Metadata: meta,
		}
		proposed[i].Metadata.OccurredAt = e.OccurredAt()
	}
	return proposed
}

// edge turns failures of the store, and of the key a text needs, into refusals that still wrap their cause.
func (h Handler[S, C, E]) edge(err error) error {
	var large *TooLargeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return fmt.Errorf("%w: %w", domain.Refuse(domain.Invalid, "append.too-large",
			"size", strconv.Itoa(large.Size), "limit", strconv.Itoa(large.Limit)), err)
	case errors.Is(err, ErrTooLarge):
		return fmt.Errorf("%w: %w", domain.Refuse(domain.Invalid, "append.too-large"), err)
	case errors.Is(err, ErrConflict):
		return fmt.Errorf("%w: %w", domain.Refuse(domain.Conflict, "stream.contended"), err)
	case errors.Is(err, seal.ErrForgotten):
		return fmt.Errorf("%w: %w", domain.Refuse(domain.WrongState, "person.forgotten"), err)
	case errors.Is(err, ErrUnavailable):
		return fmt.Errorf("%w: %w", domain.Refuse(domain.Unavailable, "store.unavailable"), err)
	}
	return err
}
