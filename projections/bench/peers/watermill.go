package main

import (
	"context"
	"errors"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-sql/v4/pkg/sql"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain/codec"
	"aftercare/projections/bench/summary"
)

// watermillSQL is Watermill's own subscriber over a table in Postgres. A message is acked when its row is written, in the transaction that
// the subscriber reads a hundred messages in, as its example of exactly-once delivery does.
type watermillSQL struct{ pool *pgxpool.Pool }

const topic = "events"

func (w watermillSQL) store(_ context.Context, events []codec.Raw) error {
	publisher, err := sql.NewPublisher(sql.BeginnerFromPgx(w.pool), sql.PublisherConfig{
		SchemaAdapter: sql.DefaultPostgreSQLSchema{}, AutoInitializeSchema: true,
	}, watermill.NopLogger{})
	if err != nil {
		return err
	}
	const portion = 1000
	var some []*message.Message
	for i, raw := range events {
		m := message.NewMessage(raw.ID.String(), raw.Data)
		m.Metadata.Set("type", raw.Type)
		m.Metadata.Set("stream", raw.Stream)
		if some = append(some, m); len(some) == portion || i == len(events)-1 {
			if err := publisher.Publish(topic, some...); err != nil {
				return err
			}
			some = some[:0]
		}
	}
	return publisher.Close()
}

func (w watermillSQL) project(ctx context.Context, schema string) (events int, err error) {
	var total int
	if err := w.pool.QueryRow(ctx, `select count(*) from watermill_events`).Scan(&total); err != nil {
		return 0, err
	}
	table := pgx.Identifier{schema, "summary"}.Sanitize()
	if _, err := w.pool.Exec(ctx, indexOf(schema)); err != nil {
		return 0, err
	}
	subscriber, err := sql.NewSubscriber(sql.BeginnerFromPgx(w.pool), sql.SubscriberConfig{
		ConsumerGroup: watermill.NewShortUUID(), SchemaAdapter: sql.DefaultPostgreSQLSchema{}, OffsetsAdapter: sql.DefaultPostgreSQLOffsetsAdapter{},
		InitializeSchema: true,
	}, watermill.NopLogger{})
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages, err := subscriber.Subscribe(ctx, topic)
	if err != nil {
		return 0, err
	}
	folded := rows{}
	for m := range messages {
		e, err := decode(m.Metadata.Get("type"), m.Payload)
		if err != nil {
			return events, err
		}
		stream := m.Metadata.Get("stream")
		folded.apply(stream, e)
		tx, ok := sql.TxFromContext(m.Context())
		if !ok {
			return events, errors.New("there is no transaction")
		}
		if _, err := tx.ExecContext(ctx, upsert(table), values(folded[stream])...); err != nil {
			return events, err
		}
		m.Ack()
		if events++; events == total {
			break
		}
	}
	return events, subscriber.Close()
}

func upsert(table string) string {
	return "insert into " + table + ` (stream, events, received, closed, last, priority, team, agent, status, reopened, clocks)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		on conflict (stream) do update set events = excluded.events, received = excluded.received, closed = excluded.closed, last = excluded.last,
			priority = excluded.priority, team = excluded.team, agent = excluded.agent, status = excluded.status, reopened = excluded.reopened,
			clocks = excluded.clocks`
}

func values(r *summary.Row) []any {
	return []any{r.Stream, r.Events, r.Received, r.Closed, r.Last, r.Priority, r.Team, r.Agent, r.Status, r.Reopened, r.Clocks}
}
