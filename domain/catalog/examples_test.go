package catalog_test

import (
	"encoding/json"
	"reflect"
	"time"

	"aftercare/domain"
	"aftercare/domain/calendar"
	"aftercare/domain/clock"
	"aftercare/domain/policy"
	"aftercare/domain/seal"
	"aftercare/domain/ticket"
)

var (
	at    = time.Date(2026, time.March, 2, 9, 30, 15, 123_456_000, time.UTC)
	due   = time.Date(2026, time.March, 4, 17, 0, 0, 0, time.UTC)
	spans = []clock.Span{{Start: at, End: due}}
)

// sealed is a text as it comes from the store: its bytes are not those of any cipher.
func sealed(s string) (t seal.Text) {
	data, err := json.Marshal(struct {
		Subject string `json:"subject"`
		Sealed  []byte `json:"sealed"`
	}{"c-1", []byte("sealed:" + s)})
	if err == nil {
		err = t.UnmarshalJSON(data)
	}
	if err != nil {
		panic(err)
	}
	return t
}

func details() ticket.Details {
	return ticket.Details{
		Kind: "repair", Channel: "phone", Priority: "high", Category: "hardware", Subcategory: "pump", Product: "p-100",
		Location: "leeds", Team: "line-2", Agent: "agent-7", Attributes: map[string]string{"contract": "gold", "region": "north"},
	}
}

// examples has one event of each stored type, by its name, with every field set.
func examples() map[string]domain.Event {
	all := map[string]domain.Event{}
	for _, list := range [][]domain.Event{ticketEvents(), clockEvents(), {published()}} {
		for _, e := range list {
			all[e.EventType()] = e
		}
	}
	return all
}

// published has a calendar and clocks, of which a version that was checked has one.
func published() policy.Published {
	return policy.Published{At: at, Version: policy.Version{
		ID: "service", Number: 2, ValidFrom: at, ValidTo: due, Title: "Service levels", Origin: "contract 2026, annex 3",
		Calendar: &calendar.Definition{
			Zone: "Europe/London", Week: map[string][]calendar.Interval{"mon": {{"09:00", "12:00"}, {"13:00", "17:00"}}},
			Holidays: []string{"2026-12-25"}, Makeup: []string{"2026-12-26"}, MakeupHours: []calendar.Interval{{"10:00", "12:00"}},
			Known: &calendar.Years{From: 2026, To: 2027},
		},
		Clocks: []clock.Definition{{
			Clock: "resolution", Name: "resolution-high", Start: []string{"received"}, Stop: []string{"resolved"}, Cancel: []string{"closed"},
			Budget: 480, Unit: clock.Minutes, Calendar: "office", Pause: []string{"customer"},
			When: map[string][]string{"attributes.contract": {"gold"}, "priority": {"high", ""}}, Carry: clock.CarryElapsed,
		}},
	}}
}

func ticketEvents() []domain.Event {
	return []domain.Event{
		ticket.Received{
			At: at, Number: "NE73-QVZZ-8RHQ", Details: details(), Customer: "c-1", Name: sealed("name"), Contact: sealed("contact"),
			Title: sealed("title"), Description: sealed("description"), Source: &ticket.Source{System: "uci", Key: "INC0000045"},
		},
		ticket.Acknowledged{At: at},
		ticket.Responded{At: at, Agent: "agent-7", Message: sealed("message"), By: ticket.Autoresponder},
		ticket.Classified{At: at, Details: details()},
		ticket.PriorityChanged{At: at, From: "low", To: "high", Reason: sealed("reason")},
		ticket.Assigned{At: at, Team: "line-2", Agent: "agent-7"},
		ticket.Escalated{At: at, To: "line-3", Level: 2, Reason: sealed("reason")},
		ticket.WaitStarted{At: at, Reason: "customer", Note: sealed("note")},
		ticket.Resumed{At: at},
		ticket.Dispatched{At: at, Agent: "tech-1"},
		ticket.Arrived{At: at},
		ticket.Diagnosed{At: at, Cause: "leak", Note: sealed("note")},
		ticket.Planned{At: at, Plan: sealed("plan")},
		ticket.Confirmed{At: at, Note: sealed("note")},
		ticket.Resolved{At: at, Resolution: "repaired", Agent: "agent-7", Note: sealed("note")},
		ticket.Reopened{At: at, From: ticket.Shut, Reason: sealed("reason")},
		ticket.Closed{At: at, Outcome: "confirmed"},
		ticket.Cancelled{At: at, Reason: "duplicate"},
		ticket.Noted{At: at, Text: sealed("text")},
		ticket.Rated{At: at, Score: 4, Min: 1, Max: 5, Comment: sealed("comment"), Team: "line-2", Agent: "agent-7"},
		ticket.StatusRecorded{At: at, Seq: 3, Status: "Awaiting User Info", Agent: "agent-7"},
	}
}

func clockEvents() []domain.Event {
	return []domain.Event{
		clock.Started{
			At: at, Instance: 2, Clock: "resolution", Supersedes: 1, Carry: clock.Restart,
			Promise: clock.Promise{
				Definition: clock.Version{ID: "service/resolution-high", Version: 2}, Calendar: clock.Version{ID: "office", Version: 1},
				TZ: "2026a", Start: at, Budget: 480, Unit: clock.Minutes, Carried: 60, Due: due, Counted: spans, Provisional: true,
			},
		},
		clock.Paused{At: at, Instance: 2, Reason: "customer"},
		clock.Resumed{At: at, Instance: 2, Due: due, Counted: spans},
		clock.Met{At: at, Instance: 2, Due: due, Elapsed: 3600},
		clock.MetLate{At: at, Instance: 2, Due: due, Elapsed: 36_000, Overrun: 7200},
		clock.Breached{At: due, Instance: 2},
		clock.Cancelled{At: at, Instance: 2, Reason: "not_applicable"},
		clock.Superseded{At: at, Instance: 2, By: 3, Reason: "priority"},
		clock.TargetRecorded{At: at, Clock: "resolution", Due: due, Source: "boston311"},
		clock.VerdictRecorded{At: at, Clock: "resolution", Met: true, Source: "boston311"},
	}
}

// zeroFields lists the exported fields of an event that are not set, also those of structs and lists within.
func zeroFields(e domain.Event) []string {
	return zeroWithin(reflect.ValueOf(e), "")
}

func zeroWithin(v reflect.Value, path string) (all []string) {
	if v.IsZero() {
		return []string{path}
	}
	switch v.Kind() { //nolint:exhaustive // the others have nothing within
	case reflect.Pointer:
		return zeroWithin(v.Elem(), path)
	case reflect.Slice:
		return zeroWithin(v.Index(0), path+"[0]")
	case reflect.Struct:
		for field, value := range v.Fields() {
			if field.IsExported() {
				all = append(all, zeroWithin(value, path+"."+field.Name)...)
			}
		}
	default:
	}
	return all
}
