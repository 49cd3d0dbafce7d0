package graph

import (
	"context"
	"strings"
	"time"
	"unicode"

	"aftercare/domain"
	"aftercare/domain/seal"
	"aftercare/domain/servicenumber"
	"aftercare/domain/ticket"
	"aftercare/graph/model"
)

// receive opens a case. Its id and, when none is given, its number follow from the command id, so that doing it again is
// the same act.
func (r *Resolver) receive(ctx context.Context, input model.ReceiveTicketInput) (model.TicketResult, error) {
	codes, err := details(input.Details)
	if err != nil {
		return r.refused(ctx, err)
	}
	if input.CommandID == nil {
		id := r.NewID()
		input.CommandID = &id
	}
	key := domain.DeriveUUID(ticketNamespace, input.CommandID.String())
	id := ticket.ID(key.String())
	number := strings.TrimSpace(text(input.Number))
	if number == "" {
		number = servicenumber.New(key).String()
	}
	if strings.ContainsFunc(text(input.Customer), unicode.IsControl) {
		return r.refused(ctx, domain.Refuse(domain.Invalid, "customer.malformed")) // it names a key, which is stored elsewhere
	}
	customer := seal.Subject(text(input.Customer))
	return r.carryOut(ctx, wish{
		Envelope: input.Envelope, id: id,
		subject: func(context.Context) (seal.Subject, error) {
			if customer == "" {
				return nobody(id), nil
			}
			return customer, nil
		},
		command: func(at time.Time, say func(*string) seal.Text) ticket.Command {
			return ticket.Receive{
				At: at, Number: number, Details: codes, Customer: customer,
				Name: say(input.Name), Contact: say(input.Contact), Title: say(input.Title), Description: say(input.Description),
			}
		},
	})
}

func details(d model.Details) (ticket.Details, error) {
	codes := ticket.Details{
		Kind: text(d.Kind), Channel: text(d.Channel), Priority: text(d.Priority), Category: text(d.Category),
		Subcategory: text(d.Subcategory), Product: text(d.Product), Location: text(d.Location), Team: text(d.Team), Agent: text(d.Agent),
	}
	for _, a := range d.Attributes {
		if _, twice := codes.Attributes[a.Name]; twice {
			return ticket.Details{}, domain.Refuse(domain.Invalid, "attribute.repeated", "name", a.Name)
		}
		if codes.Attributes == nil {
			codes.Attributes = make(map[string]string, len(d.Attributes))
		}
		codes.Attributes[a.Name] = a.Value
	}
	return codes, nil
}
