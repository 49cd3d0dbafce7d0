package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// table is an event log as one makes it in Postgres: one table, whose unique index refuses a revision that is taken.
type table struct {
	url string
}

func (t table) name() string { return "postgres" }
func (t table) pid() int     { return 0 }

const (
	createTable = `CREATE TABLE event (
	id uuid NOT NULL,
	stream text NOT NULL,
	revision bigint NOT NULL,
	type text NOT NULL,
	data bytea NOT NULL,
	metadata bytea NOT NULL,
	position bigserial NOT NULL,
	UNIQUE (stream, revision)
)`
	insertOne  = `INSERT INTO event (id, stream, revision, type, data, metadata) VALUES ($1, $2, $3, $4, $5, $6)`
	insertMany = `INSERT INTO event (id, stream, revision, type, data, metadata)
SELECT id, $2, revision, $4, data, metadata
FROM unnest($1::uuid[], $3::bigint[], $5::bytea[], $6::bytea[]) AS new (id, revision, data, metadata)`
)

// open makes a new table, so that none pays for the rows of the load before, and one connection for each writer.
func (t table) open(ctx context.Context, l load) (session, error) {
	config, err := pgxpool.ParseConfig(t.url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(l.writers) //nolint:gosec // G115: few
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &tableSession{load: l, pool: pool, writers: make([]tableWriter, l.writers)}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the table: %w", err), s.close(ctx))
	}
	return s, nil
}

type tableSession struct {
	load    load
	pool    *pgxpool.Pool
	writers []tableWriter
}

// tableWriter is a writer with its own connection. Its slices are the columns of an append.
type tableWriter struct {
	conn            *pgxpool.Conn
	stream          string
	count           int64
	ids             []uuid.UUID
	revisions       []int64
	datas, metadata [][]byte
}

func (s *tableSession) prepare(ctx context.Context) error {
	if _, err := s.pool.Exec(ctx, `DROP TABLE IF EXISTS event`); err != nil {
		return err
	}
	if _, err := s.pool.Exec(ctx, createTable); err != nil {
		return err
	}
	for w := range s.writers {
		conn, err := s.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		one := tableWriter{
			conn: conn, stream: streamName(s.load.run, w),
			ids: make([]uuid.UUID, s.load.batch), revisions: make([]int64, s.load.batch),
		}
		for range s.load.batch {
			one.datas = append(one.datas, payload)
			one.metadata = append(one.metadata, metadata)
		}
		s.writers[w] = one
	}
	return nil
}

// append inserts with one statement, prepared by the connection the first time, in one round trip.
func (s *tableSession) append(ctx context.Context, writer int) error {
	w := &s.writers[writer]
	for i := range w.ids {
		w.ids[i] = eventID(s.load.run, writer, uint64(w.count)+uint64(i)) //nolint:gosec // G115: not negative
		w.revisions[i] = w.count + int64(i)
	}
	var err error
	if s.load.batch == 1 {
		_, err = w.conn.Exec(ctx, insertOne, w.ids[0], w.stream, w.count, eventType, payload, metadata)
	} else {
		_, err = w.conn.Exec(ctx, insertMany, w.ids, w.stream, w.revisions, eventType, w.datas, w.metadata)
	}
	if err != nil {
		return fmt.Errorf("insert into %s at %d: %w", w.stream, w.count, err)
	}
	w.count += int64(s.load.batch)
	return nil
}

func (s *tableSession) close(ctx context.Context) error {
	var err error
	for _, w := range s.writers {
		if w.conn != nil {
			w.conn.Release()
		}
	}
	if _, dropped := s.pool.Exec(ctx, `DROP TABLE IF EXISTS event`); !errors.Is(dropped, pgx.ErrNoRows) {
		err = dropped
	}
	s.pool.Close()
	return err
}
