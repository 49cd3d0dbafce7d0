package graph

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"aftercare/commands"
	"aftercare/domain"
	"aftercare/domain/seal"
	"aftercare/domain/ticket"
	"aftercare/graph/auth"
	"aftercare/graph/locale"
	"aftercare/graph/model"
)

// ticketNamespace is what ids of cases are named in: a case opened twice under one command id is one case.
var ticketNamespace = domain.UUID{0x6b, 0x1f, 0x0c, 0x5e, 0x2f, 0x4d, 0x4c, 0x0e, 0x9d, 0x55, 0x61, 0x66, 0x74, 0x65, 0x72, 0x63}

// wish is a command on its way to the write side.
type wish struct {
	model.Envelope
	id       ticket.ID
	expected *int64
	// subject names whose words the command brings; it is asked only when there are any.
	subject func(context.Context) (seal.Subject, error)
	// command is told when it happened and how to seal words.
	command func(at time.Time, say func(*string) seal.Text) ticket.Command
}

// change carries out a wish about a case that exists.
func (r *Resolver) change(
	ctx context.Context, t model.Target, command func(at time.Time, say func(*string) seal.Text) ticket.Command,
) (model.TicketResult, error) {
	id, err := model.ParseTicketID(t.TicketID)
	if err != nil {
		return r.refused(ctx, err)
	}
	return r.carryOut(ctx, wish{
		Envelope: t.Envelope, id: id, expected: t.ExpectedRevision, command: command,
		subject: func(ctx context.Context) (seal.Subject, error) { return r.customer(ctx, id) },
	})
}

func (r *Resolver) carryOut(ctx context.Context, w wish) (model.TicketResult, error) {
	now := r.Now().UTC()
	at := now
	if w.OccurredAt != nil {
		at = *w.OccurredAt
	}
	if at.After(now) {
		return r.refused(ctx, domain.Refuse(domain.Invalid, "occurred-at.future",
			"occurredAt", at.Format(time.RFC3339Nano), "now", now.Format(time.RFC3339Nano)))
	}
	if w.CommandID == nil {
		id := r.NewID()
		w.CommandID = &id
	}
	receipt, err := r.handle(ctx, w, at)
	if errors.Is(err, errKeyReused) && w.OccurredAt == nil {
		receipt, err = r.repeat(ctx, w, err)
	}
	if err != nil {
		return r.refused(ctx, err)
	}
	changed := model.TicketChanged{
		ID: model.GlobalID(model.KindTicket, string(w.id)), Position: receipt.Position,
		Revision:  int64(receipt.Revision), //nolint:gosec // revisions are below 2^63
		CommandID: *w.CommandID, Repeated: receipt.Repeated, ClientMutationID: w.ClientMutationID,
	}
	if selected(ctx, "TicketChanged", "ticket") {
		changed.Ticket = r.afterwards(ctx, w.id, receipt.Position)
	}
	return changed, nil
}

var errKeyReused = domain.Refuse(domain.Conflict, "command.key-reused")

func (r *Resolver) handle(ctx context.Context, w wish, at time.Time) (commands.Receipt, error) {
	var (
		words   bool
		subject seal.Subject
	)
	command := w.command(at, func(s *string) seal.Text {
		words = words || s != nil && *s != ""
		return seal.Text{}
	})
	if words {
		var err error
		if subject, err = w.subject(ctx); err != nil {
			return commands.Receipt{}, err
		}
		command = w.command(at, func(s *string) seal.Text { return seal.New(subject, text(s)) })
	}
	var expected *uint64
	if w.expected != nil {
		if *w.expected < 0 {
			return commands.Receipt{}, domain.Refuse(domain.Invalid, "number.malformed", "value", strconv.FormatInt(*w.expected, 10))
		}
		revision := uint64(*w.expected)
		expected = &revision
	}
	return r.Commands.HandleAt(ctx, string(w.id), expected, command, domain.Metadata{
		CommandID: *w.CommandID, CorrelationID: *w.CommandID, Principal: auth.Principal(ctx), Channel: "graphql",
	})
}

// repeat sends a wish again as it was the first time. A client that leaves the time to us sends the same body twice, but our
// clock has gone on: the time of the first try is in the log.
func (r *Resolver) repeat(ctx context.Context, w wish, first error) (commands.Receipt, error) {
	var times []time.Time
	for e, err := range r.History.Read(ctx, ticketStream(w.id), 0) {
		if err != nil {
			return commands.Receipt{}, err
		}
		if e.Metadata.CommandID == *w.CommandID && !slices.ContainsFunc(times, e.Metadata.OccurredAt.Equal) {
			times = append(times, e.Metadata.OccurredAt)
		}
	}
	// A command leads to few events: breaches at their due times, then the fact at the command's own.
	for _, at := range slices.Backward(times) {
		if receipt, err := r.handle(ctx, w, at); !errors.Is(err, errKeyReused) {
			return receipt, err
		}
	}
	return commands.Receipt{}, first
}

// customer returns whose words are told about a case: the person of its first event, and for a case about nobody the case
// itself. It asks the log, since the view may not have come that far.
func (r *Resolver) customer(ctx context.Context, id ticket.ID) (seal.Subject, error) {
	for e, err := range r.History.Read(ctx, ticketStream(id), 0) {
		if err != nil {
			return "", err
		}
		if received, ok := e.Event.(ticket.Received); ok && received.Customer != "" {
			return received.Customer, nil
		}
		break
	}
	return nobody(id), nil
}

// nobody is the key of the words of a case whose customer is not known.
func nobody(id ticket.ID) seal.Subject { return seal.Subject("ticket-" + id) }

func ticketStream(id ticket.ID) string { return ticket.Category + "-" + string(id) }

// afterwards returns the case once the view has the change, or nil when that takes too long: the wish was carried out
// all the same.
func (r *Resolver) afterwards(ctx context.Context, id ticket.ID, at domain.Position) *model.Ticket {
	ctx, cancel := context.WithTimeout(ctx, r.MutationWait)
	defer cancel()
	if err := r.wait(ctx, at, ticketViews(ctx)); err != nil {
		return nil
	}
	found, err := r.tickets(ctx, []ticket.ID{id})
	if err != nil || len(found) == 0 {
		r.Log.WarnContext(ctx, "a changed ticket could not be read back", "ticket", string(id), "error", err)
		return nil
	}
	return found[0]
}

// refused answers with the problem, or fails when the error is no refusal.
func (r *Resolver) refused(ctx context.Context, err error) (model.TicketResult, error) {
	refusal, ok := refusalOf(err)
	if !ok {
		return nil, err
	}
	if refusal.Kind == domain.Unavailable {
		r.Log.WarnContext(ctx, "a wish could not be carried out", "error", err)
	}
	return problem(refusal, locale.From(ctx)), nil
}

// selected reports whether the operation asks for a field of the object the current field returns.
func selected(ctx context.Context, typeName, field string) bool {
	return slices.ContainsFunc(graphql.CollectFieldsCtx(ctx, []string{typeName}), func(f graphql.CollectedField) bool {
		return f.Name == field
	})
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
