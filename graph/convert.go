package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aftercare/domain"
	"aftercare/domain/clock"
	tickets "aftercare/domain/ticket"
	"aftercare/graph/loader"
	"aftercare/graph/model"
	"aftercare/projections/satisfaction"
	"aftercare/projections/sla"
	"aftercare/projections/ticket"
)

func ticketOf(row ticket.Row, batch *loader.Batch) *model.Ticket {
	subject := row.Customer
	if subject == "" {
		subject = string(nobody(tickets.ID(row.ID.String())))
	}
	t := &model.Ticket{
		ID: model.GlobalID(model.KindTicket, row.ID.String()), UUID: row.ID, Number: row.Number,
		Revision: int64(row.Revision), //nolint:gosec // revisions are below 2^63
		Phase:    model.Phase(strings.ToUpper(row.Phase.String())), Status: known(row.Status), WaitReason: known(row.WaitReason),
		Kind: known(row.Kind), Channel: known(row.Channel), Priority: known(row.Priority), Category: known(row.Category),
		Subcategory: known(row.Subcategory), Product: known(row.Product), Location: known(row.Location), Team: known(row.Team),
		Agent: known(row.Agent), Attributes: attributes(row.Attributes),
		Title: sealed(row.Title, subject), Description: sealed(row.Description, subject),
		Reopened: row.Reopened, Reassigned: row.Reassigned, Facts: row.Facts, SourceRows: row.SourceRows,
		ReceivedAt: row.ReceivedAt, AcknowledgedAt: row.AcknowledgedAt, FirstRespondedAt: row.FirstRespondedAt,
		FirstResolvedAt: row.FirstResolvedAt, ResolvedAt: row.ResolvedAt, ClosedAt: row.ClosedAt, CancelledAt: row.CancelledAt,
		FirstEventAt: row.FirstEventAt, LastEventAt: row.LastEventAt,
		Batch: batch,
	}
	if row.Customer != "" || !row.Name.IsZero() || !row.Contact.IsZero() {
		t.Customer = &model.Customer{ID: subject, Name: sealed(row.Name, subject), Contact: sealed(row.Contact, subject)}
	}
	if row.SourceSystem != "" {
		t.Source = &model.Source{System: row.SourceSystem, Key: row.SourceKey}
	}
	return t
}

func sealed(t ticket.Text, subject string) model.SealedText {
	return sealedText(t.Value, t.Forgotten, subject)
}

func sealedText(value string, forgotten bool, subject string) model.SealedText {
	switch {
	case forgotten:
		return model.ForgottenText{Subject: subject}
	case value == "":
		return nil
	}
	return model.ClearText{Text: value}
}

func clockOf(i sla.Instance) (*model.Clock, error) {
	c := &model.Clock{
		Instance: positive(i.Instance), Clock: i.Clock, Origin: model.ClockOrigin(strings.ToUpper(i.Origin.String())),
		Source: known(i.Source), State: model.ClockState(strings.ToUpper(i.Verdict.String())),
		StartedAt: i.StartedAt, Due: i.DueAt, PromisedDue: i.PromisedDueAt, StoppedAt: i.StoppedAt, BreachedAt: i.BreachedAt,
		ElapsedSeconds: i.ElapsedSeconds, OverrunSeconds: i.OverrunSeconds, PausedSeconds: i.PausedSeconds,
		PauseReason: known(i.PauseReason), Supersedes: positive(i.Supersedes), SupersededBy: positive(i.SupersededBy),
		Reason: known(i.Reason),
	}
	if i.Verdict == sla.Running && i.Paused {
		c.State = model.ClockStatePaused
	}
	if len(i.Promise) == 0 || string(i.Promise) == "null" {
		return c, nil
	}
	var p clock.Promise
	if err := json.Unmarshal(i.Promise, &p); err != nil {
		return nil, fmt.Errorf("read promise %d of %s: %w", i.Instance, i.Ticket, err)
	}
	counted := p.Counted
	if len(i.Counted) > 0 && string(i.Counted) != "null" {
		if err := json.Unmarshal(i.Counted, &counted); err != nil {
			return nil, fmt.Errorf("read the stretches of promise %d of %s: %w", i.Instance, i.Ticket, err)
		}
	}
	c.Promise = &model.Promise{
		Definition: &model.PolicyVersion{ID: p.Definition.ID, Version: p.Definition.Version},
		Calendar:   &model.PolicyVersion{ID: p.Calendar.ID, Version: p.Calendar.Version},
		Tz:         known(p.TZ), Start: p.Start, Budget: p.Budget, Unit: p.Unit.String(), CarriedSeconds: p.Carried, Due: p.Due, Provisional: p.Provisional,
		Counted: make([]*model.Span, len(counted)),
	}
	for n, s := range counted {
		c.Promise.Counted[n] = &model.Span{Start: s.Start, End: s.End}
	}
	return c, nil
}

func ratingOf(r satisfaction.Rating, subject string) *model.Rating {
	return &model.Rating{
		At: r.At, Score: r.Score, Min: r.Min, Max: r.Max, Team: known(r.Team), Agent: known(r.Agent),
		Comment: sealedText(r.Comment, r.CommentForgotten, subject),
	}
}

// subjectOf returns whose words those of a ticket are.
func subjectOf(t *model.Ticket) string {
	if t.Customer != nil {
		return t.Customer.ID
	}
	return string(nobody(tickets.ID(t.UUID.String())))
}

// attributes returns pairs in the order of their names.
func attributes(m map[string]string) []*model.Attribute {
	list := make([]*model.Attribute, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, &model.Attribute{Name: name, Value: m[name]})
	}
	return list
}

// known returns nil for what is not known.
func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func positive(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

func knownID(u domain.UUID) *domain.UUID {
	if u.IsZero() {
		return nil
	}
	return &u
}

func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
