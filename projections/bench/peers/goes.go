package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/modernice/goes/backend/postgres"
	"github.com/modernice/goes/event"
	"github.com/modernice/goes/event/query"
	"github.com/modernice/goes/projection"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// goes is github.com/modernice/goes: a job over all events that is applied to one projection.
type goes struct {
	pool   *pgxpool.Pool
	events *postgres.EventStore
}

func newGoes(pool *pgxpool.Pool) (goes, error) {
	g := goes{pool, postgres.NewEventStore(payloads{}, postgres.Pool(pool))}
	return g, g.events.Connect(context.Background())
}

// payloads is its encoding.
type payloads struct{}

func (payloads) Marshal(v any) ([]byte, error) { return json.Marshal(v) }

func (payloads) Unmarshal(data []byte, name string) (any, error) { return decode(name, data) }

func (g goes) store(ctx context.Context, events []codec.Raw) error {
	const portion = 1000
	var some []event.Event
	for i, raw := range events {
		e, err := decode(raw.Type, raw.Data)
		if err != nil {
			return err
		}
		category, id, _ := strings.Cut(raw.Stream, "-")
		// Its order is that of times, which it keeps in nanoseconds.
		some = append(some, event.New[any](raw.Type, e, event.ID(uuid.UUID(raw.ID)), event.Time(time.Unix(0, int64(i))),
			event.Aggregate(uuid.MustParse(id), category, int(raw.Revision)+1)))
		if len(some) == portion || i == len(events)-1 {
			if err := g.events.Insert(ctx, some...); err != nil {
				return err
			}
			some = some[:0]
		}
	}
	return nil
}

// target is a projection of all streams.
type target struct {
	rows   rows
	events int
}

// ApplyEvent implements projection.Target.
func (t *target) ApplyEvent(e event.Event) {
	id, category, _ := e.Aggregate()
	t.rows.apply(category+"-"+id.String(), e.Data().(domain.Event))
	t.events++
}

func (g goes) project(ctx context.Context, schema string) (int, error) {
	t := &target{rows: rows{}}
	job := projection.NewJob(ctx, g.events, query.New(query.SortByTime()))
	if err := job.Apply(ctx, t); err != nil {
		return 0, err
	}
	return t.events, t.rows.write(ctx, g.pool, schema)
}
