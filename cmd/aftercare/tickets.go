package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"aftercare/graph/model"
)

//go:embed ticket.graphql
var ticketQuery string

// shownTicket is what the ticket query asks for.
type shownTicket struct {
	ID, UUID, Number, Phase                                        string
	Status, WaitReason, Kind, Channel, Priority, Category, Product *string
	Team, Agent                                                    *string
	Source                                                         *struct{ System, Key string }
	ReceivedAt                                                     time.Time
	ResolvedAt, ClosedAt                                           *time.Time
	Title                                                          *shownText
	Timeline                                                       struct {
		PageInfo struct {
			HasNextPage bool
			EndCursor   string
		}
		Nodes []shownEntry
	}
	Clocks []shownClock
}

type shownText struct {
	Typename string `json:"__typename"`
	Text     string
}

func (t *shownText) String() string {
	switch {
	case t == nil:
		return ""
	case t.Typename == "ForgottenText":
		return "(forgotten)"
	}
	return t.Text
}

type shownEntry struct {
	Revision   int64
	Type       string
	OccurredAt time.Time
	RecordedAt time.Time
	Facts      []struct{ Name, Value string }
}

type shownClock struct {
	Instance                       *int
	Clock, Origin, State           string
	Source                         *string
	StartedAt, Due, PromisedDue    *time.Time
	StoppedAt, BreachedAt          *time.Time
	ElapsedSeconds, OverrunSeconds *int64
	PausedSeconds                  int64
	PauseReason, Reason            *string
	Supersedes, SupersededBy       *int
	Promise                        *struct {
		Definition, Calendar struct {
			ID      string
			Version int
		}
		TZ             *string
		Start, Due     time.Time
		Budget         int
		Unit           string
		CarriedSeconds int64
		Counted        []struct{ Start, End time.Time }
		Provisional    bool
	}
}

// fetch returns a case by its number, id or UUID, with its whole timeline.
func (p program) fetch(ctx context.Context, c *config, api, which string) (*shownTicket, error) {
	var whole *shownTicket
	after := ""
	for {
		variables := map[string]any{"first": 100}
		if after != "" {
			variables["after"] = after
		}
		if _, err := model.ParseTicketID(which); err == nil {
			variables["id"] = which
		} else {
			variables["number"] = which // as people say it, or as another system made it
		}
		answer, err := p.ask(ctx, c, api, ticketQuery, variables)
		if err != nil {
			return nil, err
		}
		if err := graphErrors(answer); err != nil {
			return nil, err
		}
		var a struct{ Data struct{ Ticket *shownTicket } }
		if err := json.Unmarshal(answer, &a); err != nil {
			return nil, fmt.Errorf("read the API's answer: %w", err)
		}
		page := a.Data.Ticket
		if page == nil {
			return nil, fmt.Errorf("there is no ticket %q", which)
		}
		if whole == nil {
			whole = page
		} else {
			whole.Timeline.Nodes = append(whole.Timeline.Nodes, page.Timeline.Nodes...)
		}
		if !page.Timeline.PageInfo.HasNextPage {
			return whole, nil
		}
		after = page.Timeline.PageInfo.EndCursor
	}
}

func (p program) tickets(c *config) *cli.Command {
	var api string
	return &cli.Command{
		Name:  "tickets",
		Usage: "look at tickets",
		Commands: []*cli.Command{{
			Name: "show", Usage: "print one ticket with its full history", ArgsUsage: "NUMBER|ID",
			Flags: []cli.Flag{apiFlag(&api)},
			Action: func(ctx context.Context, cmd *cli.Command) error {
				if cmd.Args().Len() != 1 {
					return usage("tickets show takes a service number or an id")
				}
				t, err := p.fetch(ctx, c, api, cmd.Args().First())
				if err != nil {
					return err
				}
				p.show(t)
				return nil
			},
		}},
	}
}

func (p program) show(t *shownTicket) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(p.Out, "%-12s %s\n", name, value)
		}
	}
	line("Number", t.Number)
	line("Id", t.UUID)
	line("Phase", t.Phase)
	line("Title", t.Title.String())
	for _, f := range []struct {
		name  string
		value *string
	}{
		{"Status", t.Status},
		{"Waits for", t.WaitReason},
		{"Kind", t.Kind},
		{"Channel", t.Channel},
		{"Priority", t.Priority},
		{"Category", t.Category},
		{"Product", t.Product},
		{"Team", t.Team},
		{"Agent", t.Agent},
	} {
		line(f.name, text(f.value))
	}
	if t.Source != nil {
		line("Source", t.Source.System+" "+t.Source.Key)
	}
	fmt.Fprintln(p.Out)
	for _, e := range t.Timeline.Nodes {
		words := []string{}
		for _, f := range e.Facts {
			if !strings.HasPrefix(f.Name, "promise.") || f.Name == "promise.due" { // the rest is for clock explain
				words = append(words, f.Name+"="+f.Value)
			}
		}
		fmt.Fprintf(p.Out, "%4d  %s  %-27s %s\n", e.Revision, e.OccurredAt.Format(time.RFC3339), e.Type, strings.Join(words, " "))
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
