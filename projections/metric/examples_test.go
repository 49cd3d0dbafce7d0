package metric_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/domain/clock"
	"aftercare/domain/codec"
	"aftercare/domain/ticket"
	"aftercare/projections/metric"
	"aftercare/projections/postgres/pgtest"
	"aftercare/projections/viewtest"
)

// independent computes the numbers of the shipped metrics over all events at once, in another way than their files.
var independent = map[string]string{
	"ticket_flow": `
		select a.fact from_fact, b.fact to_fact, count(*) times, count(distinct a.stream) tickets,
		       percentile_cont(0.5) within group (order by extract(epoch from b.occurred_at) - extract(epoch from a.occurred_at)) median_gap
		  from (select *, split_part(type, '.', 2) fact, row_number() over (partition by stream order by revision) n from event where type like 'ticket.%') a
		  join (select *, split_part(type, '.', 2) fact, row_number() over (partition by stream order by revision) n from event where type like 'ticket.%') b
		    on b.stream = a.stream and b.n = a.n + 1
		 group by 1, 2`,
	"team_backlog": `
		with e as (select *, split_part(type, '.', 2) fact, (occurred_at at time zone 'UTC')::date as day from event
		            where type ~ '^ticket\.(received|assigned|classified|resolved|reopened|closed|cancelled)\.'),
		s as (
		  select e.*, p.*, q.* from e,
		  lateral (select coalesce((select data->>'team' from e x where x.stream = e.stream and x.revision <= e.revision and data->>'team' <> '' order by revision desc limit 1), '') team,
		                  coalesce((select fact in ('received', 'reopened') from e x where x.stream = e.stream and x.revision <= e.revision and fact not in ('assigned', 'classified') order by revision desc limit 1), false) open) p,
		  lateral (select coalesce((select data->>'team' from e x where x.stream = e.stream and x.revision < e.revision and data->>'team' <> '' order by revision desc limit 1), '') was_team,
		                  coalesce((select fact in ('received', 'reopened') from e x where x.stream = e.stream and x.revision < e.revision and fact not in ('assigned', 'classified') order by revision desc limit 1), false) was_open) q
		), d as (
		  select day, team, (fact = 'received')::int r, (was_open and not open)::int f, (fact = 'reopened' and not was_open)::int o, open::int n from s
		  union all select day, was_team, 0, 0, 0, -was_open::int from s
		), g as (select day, team, sum(r) received, sum(f) finished, sum(o) reopened, sum(n) net from d group by 1, 2)
		select day, team, received, finished, reopened, (select sum(net) from g x where x.team = g.team and x.day <= g.day) as open from g
		 where exists (select from g x where x.day = g.day and x.team = g.team and (x.received, x.finished, x.reopened, x.net) <> (0, 0, 0, 0))`,
	"clock_verdicts": `
		select clock, definition, definition_version, count(*) promised, sum((v is null)::int) running, sum((v is not distinct from 'met')::int) met,
		       sum((v is not distinct from 'met-late')::int) met_late, sum((v is not distinct from 'breached')::int) breached, sum((coalesce(v, '') in ('cancelled', 'superseded'))::int) withdrawn
		  from (
		    select distinct on (s.stream, s.data->>'instance') s.data->>'clock' clock, s.data #>> '{promise,definition,id}' definition,
		           s.data #>> '{promise,definition,version}' definition_version,
		           (select split_part(type, '.', 2) from event e where e.stream = s.stream and e.data->'instance' = s.data->'instance'
		               and type ~ '^clock\.(met|met-late|breached|cancelled|superseded)\.' order by revision desc limit 1) v
		      from event s where type = 'clock.started.v1' order by s.stream, s.data->>'instance', s.revision
		  ) p group by 1, 2, 3`,
}

func TestTheShippedMetricsAreThoseOfAnIndependentStatement(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), `create table event (stream text, revision bigint, type text, occurred_at timestamptz, data jsonb)`); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		b := bench{rt, pool, &metric.Store{Pool: pool}}
		var events []codec.Raw
		for _, batch := range viewtest.Batches(rt) {
			events = append(events, raw(rt, batch)...)
		}
		size := rapid.SampledFrom([]int{1, 7, 5000}).Draw(rt, "size of the batches")
		for _, name := range metric.Shipped() {
			d, err := metric.Find(name)
			if err != nil {
				rt.Fatalf("find %s: %v", name, err)
			}
			b.install(d, cut(events, size)...)
		}
		b.load(events)
		for name, sql := range independent {
			d, _ := metric.Find(name)
			columns := "*"
			if name == "clock_verdicts" {
				columns = "clock, definition, definition_version, promised, running, met, met_late, breached, withdrawn"
			}
			got := b.rows("select " + columns + " from view_metric_" + name + "." + d.Result)
			if diff := cmp.Diff(b.rows(sql), got); diff != "" {
				rt.Fatalf("%s in batches of %d (-independent +got):\n%s", name, size, diff)
			}
		}
	})
}

// load puts events into a table, as an import of an export would.
func (b bench) load(events []codec.Raw) {
	b.Helper()
	ctx := context.Background()
	if _, err := b.pool.Exec(ctx, "truncate event"); err != nil {
		b.Fatalf("%v", err)
	}
	for _, e := range events {
		var m domain.Metadata
		if err := json.Unmarshal(e.Metadata, &m); err != nil {
			b.Fatalf("load: %v", err)
		}
		if _, err := b.pool.Exec(ctx, `insert into event values ($1, $2, $3, $4, $5)`, e.Stream, e.Revision, e.Type, m.OccurredAt, bytes.ReplaceAll(e.Data, []byte(`\u0000`), []byte("\ufffd"))); err != nil {
			b.Fatalf("load: %v", err)
		}
	}
}

func TestTheShippedMetricsPassTheirCheck(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	var h viewtest.History
	for i := range 20 {
		h.Case(i, history(i)...)
	}
	for _, name := range metric.Shipped() {
		d, err := metric.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		trial, err := metric.Check(t.Context(), pool, d, catalog.Codec().Names(), raw(t, h.Events))
		if err != nil {
			t.Error(err)
		}
		if trial.Rows == 0 {
			t.Errorf("%s: no rows", name)
		}
	}
	left, err := pool.Query(t.Context(), `select nspname from pg_namespace where nspname like 'view_metric%'`)
	if err != nil {
		t.Fatal(err)
	}
	if schemas, err := pgx.CollectRows(left, pgx.RowTo[string]); err != nil || len(schemas) > 0 {
		t.Errorf("left behind: %v %v", schemas, err)
	}
}

// history is the facts of a case, with two promises.
func history(i int) []domain.Event {
	at := func(hours int) time.Time { return viewtest.At(float64(13*i + hours)) }
	team := []string{"field", "desk"}[i%2]
	promise := clock.Promise{Definition: clock.Version{ID: "gold", Version: 1 + i%2}, Start: at(0), Due: at(8), Unit: clock.Minutes}
	events := []domain.Event{
		ticket.Received{At: at(0), Number: fmt.Sprint("T-", i), Details: ticket.Details{Team: team}, Customer: "li"},
		clock.Started{At: at(0), Instance: 1, Clock: "first_response", Promise: promise},
		clock.Started{At: at(0), Instance: 2, Clock: "resolution", Promise: promise},
		ticket.Responded{At: at(1), By: ticket.Person},
		clock.Met{At: at(1), Instance: 1, Due: at(8), Elapsed: 3600},
		ticket.Assigned{At: at(2), Team: "lab"},
	}
	if i%3 == 0 {
		return append(events, clock.Breached{At: at(8), Instance: 2})
	}
	return append(events, ticket.Resolved{At: at(3 + i)}, clock.MetLate{At: at(3 + i), Instance: 2, Due: at(8), Elapsed: 9, Overrun: 1}, ticket.Reopened{At: at(30), From: ticket.Done})
}
