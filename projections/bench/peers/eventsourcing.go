package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/hallgren/eventsourcing"
	"github.com/hallgren/eventsourcing/aggregate"
	"github.com/hallgren/eventsourcing/core"
	store "github.com/hallgren/eventsourcing/eventstore/sql"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/codec"
	"aftercare/domain/ticket"
)

// eventsourcingPeer is github.com/hallgren/eventsourcing: a projection that runs to the end of the table of events.
type eventsourcingPeer struct {
	pool   *pgxpool.Pool
	events *store.Postgres
}

// Ticket and Clock are two aggregates, because it tells events apart by the names of their Go types, of which both packages have Resumed
// and Cancelled.
type (
	Ticket struct{ aggregate.Root }
	Clock  struct{ aggregate.Root }
)

// Transition implements its aggregate.
func (*Ticket) Transition(eventsourcing.Event) {}

// Register implements its aggregate.
func (*Ticket) Register(r aggregate.RegisterFunc) {
	r(&ticket.Received{}, &ticket.Acknowledged{}, &ticket.Classified{}, &ticket.PriorityChanged{}, &ticket.Assigned{}, &ticket.Escalated{},
		&ticket.WaitStarted{}, &ticket.Resumed{}, &ticket.Resolved{}, &ticket.Reopened{}, &ticket.Closed{}, &ticket.StatusRecorded{})
}

// Transition implements its aggregate.
func (*Clock) Transition(eventsourcing.Event) {}

// Register implements its aggregate.
func (*Clock) Register(r aggregate.RegisterFunc) {
	r(&clock.Started{}, &clock.Met{}, &clock.MetLate{}, &clock.Breached{}, &clock.TargetRecorded{}, &clock.VerdictRecorded{})
}

func newEventsourcing(pool *pgxpool.Pool) (*eventsourcingPeer, error) {
	aggregate.Register(&Ticket{})
	aggregate.Register(&Clock{})
	events, err := store.NewPostgres(stdlib.OpenDBFromPool(pool))
	return &eventsourcingPeer{pool, events}, err
}

// store writes the events of a stream that follow each other in one go. Versions count from 1 for each aggregate.
func (p *eventsourcingPeer) store(_ context.Context, events []codec.Raw) error {
	versions := map[string]core.Version{}
	var some []core.Event
	flush := func() error {
		err := p.events.Save(some)
		some = some[:0]
		return err
	}
	for _, raw := range events {
		e, err := decode(raw.Type, raw.Data)
		if err != nil {
			return err
		}
		kind := "Ticket"
		if _, ok := e.(clock.Event); ok {
			kind = "Clock"
		}
		if len(some) > 0 && (some[0].AggregateID != raw.Stream || some[0].AggregateType != kind) {
			if err := flush(); err != nil {
				return err
			}
		}
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		versions[kind+raw.Stream]++
		some = append(some, core.Event{
			AggregateID: raw.Stream, AggregateType: kind, Version: versions[kind+raw.Stream], Reason: reflect.TypeOf(e).Name(),
			Timestamp: raw.RecordedAt, Data: data, Metadata: raw.Metadata,
		})
	}
	return flush()
}

func (p *eventsourcingPeer) project(ctx context.Context, schema string) (events int, err error) {
	folded := rows{}
	projection := eventsourcing.NewProjection(p.events.All(0), func(e eventsourcing.Event) error {
		fact, ok := reflect.ValueOf(e.Data()).Elem().Interface().(domain.Event)
		if !ok {
			return fmt.Errorf("a %T is no event", e.Data())
		}
		folded.apply(e.AggregateID(), fact)
		events++
		return nil
	})
	if result := projection.RunToEnd(ctx); result.Error != nil {
		return 0, result.Error
	}
	return events, folded.write(ctx, p.pool, schema)
}
