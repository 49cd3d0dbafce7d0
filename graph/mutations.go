package graph

import (
	"context"
	"time"

	"aftercare/domain/seal"
	"aftercare/domain/ticket"
	"aftercare/graph/model"
)

// ReceiveTicket is the resolver for the receiveTicket field.
func (r *mutationResolver) ReceiveTicket(ctx context.Context, input model.ReceiveTicketInput) (model.TicketResult, error) {
	return r.receive(ctx, input)
}

// AcknowledgeTicket is the resolver for the acknowledgeTicket field.
func (r *mutationResolver) AcknowledgeTicket(ctx context.Context, input model.AcknowledgeTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, _ func(*string) seal.Text) ticket.Command {
		return ticket.Acknowledge{At: at}
	})
}

// RespondToTicket is the resolver for the respondToTicket field.
func (r *mutationResolver) RespondToTicket(ctx context.Context, input model.RespondToTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, say func(*string) seal.Text) ticket.Command {
		return ticket.Respond{
			At: at, By: responder(input.By), Agent: text(input.Agent), Message: say(input.Message),
			Automatic: input.Automatic != nil && *input.Automatic,
		}
	})
}

// responder returns who answered, 0 when nobody says so.
func responder(by *model.Responder) ticket.Responder {
	if by == nil {
		return 0
	}
	switch *by {
	case model.ResponderPerson:
		return ticket.Person
	case model.ResponderAssistant:
		return ticket.Assistant
	case model.ResponderAutoresponder:
		return ticket.Autoresponder
	}
	return 0
}

// ClassifyTicket is the resolver for the classifyTicket field.
func (r *mutationResolver) ClassifyTicket(ctx context.Context, input model.ClassifyTicketInput) (model.TicketResult, error) {
	codes, err := details(input.Details)
	if err != nil {
		return r.refused(ctx, err)
	}
	return r.change(ctx, input.Target, func(at time.Time, _ func(*string) seal.Text) ticket.Command {
		return ticket.Classify{At: at, Details: codes}
	})
}

// ChangeTicketPriority is the resolver for the changeTicketPriority field.
func (r *mutationResolver) ChangeTicketPriority(ctx context.Context, input model.ChangeTicketPriorityInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, say func(*string) seal.Text) ticket.Command {
		return ticket.ChangePriority{At: at, Priority: input.Priority, Reason: say(input.Reason)}
	})
}

// AssignTicket is the resolver for the assignTicket field.
func (r *mutationResolver) AssignTicket(ctx context.Context, input model.AssignTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, _ func(*string) seal.Text) ticket.Command {
		return ticket.Assign{At: at, Team: text(input.Team), Agent: text(input.Agent)}
	})
}

// EscalateTicket is the resolver for the escalateTicket field.
func (r *mutationResolver) EscalateTicket(ctx context.Context, input model.EscalateTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, say func(*string) seal.Text) ticket.Command {
		return ticket.Escalate{At: at, To: input.To, Reason: say(input.Reason)}
	})
}

// WaitTicket is the resolver for the waitTicket field.
func (r *mutationResolver) WaitTicket(ctx context.Context, input model.WaitTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, say func(*string) seal.Text) ticket.Command {
		return ticket.Wait{At: at, Reason: input.Reason, Note: say(input.Note)}
	})
}

// ResumeTicket is the resolver for the resumeTicket field.
func (r *mutationResolver) ResumeTicket(ctx context.Context, input model.ResumeTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, _ func(*string) seal.Text) ticket.Command {
		return ticket.Resume{At: at}
	})
}

// DispatchTicket is the resolver for the dispatchTicket field.
func (r *mutationResolver) DispatchTicket(ctx context.Context, input model.DispatchTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, _ func(*string) seal.Text) ticket.Command {
		return ticket.Dispatch{At: at, Agent: text(input.Agent)}
	})
}

// ArriveTicket is the resolver for the arriveTicket field.
func (r *mutationResolver) ArriveTicket(ctx context.Context, input model.ArriveTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, _ func(*string) seal.Text) ticket.Command {
		return ticket.Arrive{At: at}
	})
}

// DiagnoseTicket is the resolver for the diagnoseTicket field.
func (r *mutationResolver) DiagnoseTicket(ctx context.Context, input model.DiagnoseTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, say func(*string) seal.Text) ticket.Command {
		return ticket.Diagnose{At: at, Cause: text(input.Cause), Note: say(input.Note)}
	})
}

// PlanTicket is the resolver for the planTicket field.
func (r *mutationResolver) PlanTicket(ctx context.Context, input model.PlanTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, say func(*string) seal.Text) ticket.Command {
		return ticket.Plan{At: at, Plan: say(input.Plan)}
	})
}

// ConfirmTicket is the resolver for the confirmTicket field.
func (r *mutationResolver) ConfirmTicket(ctx context.Context, input model.ConfirmTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, say func(*string) seal.Text) ticket.Command {
		return ticket.Confirm{At: at, Note: say(input.Note)}
	})
}

// ResolveTicket is the resolver for the resolveTicket field.
func (r *mutationResolver) ResolveTicket(ctx context.Context, input model.ResolveTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, say func(*string) seal.Text) ticket.Command {
		return ticket.Resolve{
			At: at, Resolution: text(input.Resolution), Agent: text(input.Agent), Note: say(input.Note),
		}
	})
}

// ReopenTicket is the resolver for the reopenTicket field.
func (r *mutationResolver) ReopenTicket(ctx context.Context, input model.ReopenTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, say func(*string) seal.Text) ticket.Command {
		return ticket.Reopen{At: at, Reason: say(input.Reason)}
	})
}

// CloseTicket is the resolver for the closeTicket field.
func (r *mutationResolver) CloseTicket(ctx context.Context, input model.CloseTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, _ func(*string) seal.Text) ticket.Command {
		return ticket.Close{At: at, Outcome: text(input.Outcome)}
	})
}

// CancelTicket is the resolver for the cancelTicket field.
func (r *mutationResolver) CancelTicket(ctx context.Context, input model.CancelTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, _ func(*string) seal.Text) ticket.Command {
		return ticket.Cancel{At: at, Reason: text(input.Reason)}
	})
}

// NoteTicket is the resolver for the noteTicket field.
func (r *mutationResolver) NoteTicket(ctx context.Context, input model.NoteTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, say func(*string) seal.Text) ticket.Command {
		return ticket.AddNote{At: at, Text: say(&input.Text)}
	})
}

// RateTicket is the resolver for the rateTicket field.
func (r *mutationResolver) RateTicket(ctx context.Context, input model.RateTicketInput) (model.TicketResult, error) {
	return r.change(ctx, input.Target, func(at time.Time, say func(*string) seal.Text) ticket.Command {
		return ticket.Rate{At: at, Score: input.Score, Min: input.Min, Max: input.Max, Comment: say(input.Comment)}
	})
}
