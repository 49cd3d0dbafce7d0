package metric_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"aftercare/domain/catalog"
	"aftercare/domain/codec"
	"aftercare/projections"
	"aftercare/projections/metric"
	"aftercare/projections/postgres/pgtest"
	"aftercare/projections/viewtest"
)

const manifest = `
name: tally
version: 1
description: {en: Events by type}
events: [ticket.*]
result: tally
key: [type]
timeout: 1m
columns:
  - {name: type, type: text, description: {en: The stored type}}
  - {name: events, type: int, description: {en: How many}}
`

const (
	create = "create table tally (type text primary key, events bigint not null);"
	apply  = `insert into tally as t select type, count(*) from batch group by type
on conflict (type) do update set events = t.events + excluded.events;`
)

func sample(tb testing.TB) []codec.Raw {
	tb.Helper()
	var h viewtest.History
	for i := range 5 {
		h.Case(i, history(i)...)
	}
	return raw(tb, h.Events)
}

func TestACheckRefusesWhatIsNotAMetric(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	events := sample(t)
	hasty := strings.Replace(manifest, "1m", "200ms", 1)
	view := func(expression string) string {
		return "create table seen (type text); create view tally as select type, " + expression + " as events from seen"
	}
	insert := "insert into seen select distinct type from batch where not exists (select from seen s where s.type = batch.type)"
	for name, test := range map[string]struct {
		manifest, create, apply string
		want                    string
	}{
		"a good one":                       {want: ""},
		"it fails":                         {apply: "insert into tally select type, 1/0 from batch", want: "apply.sql:1: division by zero (22012)"},
		"no such table, in the third line": {apply: "\n\nselect * from tallie", want: `apply.sql:3: relation "tallie" does not exist (42P01)`},
		"no such column, in its own line":  {apply: "select type,\n  typ\nfrom batch", want: `apply.sql:2: column "typ" does not exist`},
		"it loops":                         {manifest: hasty, apply: "select count(*) from generate_series(1, 100000000000)", want: "apply.sql: took longer than the timeout of 200ms"},
		"it sleeps":                        {manifest: hasty, apply: "select pg_sleep(60)", want: "took longer"},
		"it does not compile":              {apply: "insert into", want: "apply.sql:1: syntax error at end of input (42601)"},
		"create.sql fails":                 {create: "create table tally (type text);\ncreate index on tally (nothing)", want: `create.sql:2: column "nothing" does not exist`},
		"create.sql makes no result":       {create: "create table other (n int)", apply: "select 1", want: "create.sql makes no table or view named tally"},
		"another type":                     {create: "create table tally (type text, events text)", want: "column events of tally is text, but int in metric.yaml stands for smallint or integer or bigint"},
		"another column":                   {create: "create table tally (type text primary key, events int, more int)", want: "column more (integer) that metric.yaml does not describe"},
		"a column less":                    {create: "create table tally (type text primary key)", apply: "select 1", want: "describes a column events that tally does not have"},
		"values of another type":           {apply: "insert into tally select type, 'many'::text from batch", want: "column \"events\" is of type bigint but expression is of type text"},
		"text that is no number":           {apply: "insert into tally select type, type::int from batch", want: `invalid input syntax for type integer: "..."`},
		"it depends on batches":            {apply: "insert into tally select type, count(*) from batch group by type on conflict (type) do nothing", want: "other numbers when they come in other batches"},
		"the key is not one":               {create: "create table tally (type text, events bigint)", apply: "insert into tally select type, 1 from batch", want: "several rows of tally have type"},
		"no such event":                    {manifest: strings.Replace(manifest, "ticket.*", "tickets.*", 1), want: "no stored type is tickets.*"},

		"writes to a checkpoint":      {apply: "update aftercare.checkpoint set commit_position = 0", want: "permission denied for schema aftercare"},
		"reads the definitions":       {apply: "select * from aftercare.metric", want: "permission denied"},
		"reads another schema":        {apply: "select * from public.aftercare_migration", want: "permission denied"},
		"reads passwords":             {apply: "select * from pg_catalog.pg_authid", want: "permission denied"},
		"reads a file":                {apply: "select pg_read_file('/etc/passwd')", want: "permission denied"},
		"writes to the batch":         {apply: "delete from batch", want: "permission denied for table batch"},
		"makes a table":               {apply: "create table more (n int)", want: `apply.sql:1: the metric cannot be used: a statement may not begin with "CREATE TABLE"`},
		"makes a table by select":     {apply: "select * into more from batch", want: "permission denied for schema"},
		"makes a temporary table":     {create: create + "create table pg_temp.ticket (n int)", want: "in its own schema only, not pg_temp_"},
		"makes a temporary type":      {create: create + "create domain pg_temp.uuid as text", want: "in its own schema only, not pg_temp_"},
		"selects into a table":        {apply: "select * into pg_temp.ticket from batch", want: "SELECT ... INTO is not implemented"},
		"makes a table for all":       {create: create + "create table public.ticket (n int)", want: "permission denied for schema public"},
		"marks its schema":            {create: create + "comment on schema view_metric_tally_once is 'mine'", want: "must be owner of schema"},
		"a view of the batch":         {create: create + "create table own (n int); create view pg_temp.ticket as select * from own", want: "in its own schema only, not pg_temp_"},
		"becomes somebody else":       {apply: "reset role; drop table aftercare.checkpoint", want: `may not begin with "RESET ROLE"`},
		"becomes it by a function":    {apply: "select set_config('role', 'none', false)", want: "within security-definer function"},
		"becomes it in a subquery":    {apply: "select query_to_xml('select set_config(''role'', ''none'', false)', true, true, '')", want: "within security-definer function"},
		"changes the session":         {apply: "select set_config('session_authorization', 'postgres', false)", want: "within security-definer function"},
		"ends the transaction":        {apply: "commit; drop table aftercare.checkpoint", want: `may not begin with "COMMIT`},
		"hides a statement":           {apply: "select E'a'\n'b\\'' ; create function f() returns int language sql as 'select 1' ; --'", want: "may not go on after its end"},
		"hides it after a number":     {apply: "select 1$$ ' $$ ; commit ; --'", want: `may not begin with "COMMIT"`},
		"makes a function":            {create: create + "create function f() returns int language sql as 'select 1'", want: `may not begin with "CREATE FUNCTION"`},
		"does":                        {apply: "do $$ begin loop end loop; end $$", want: `may not begin with "DO`},
		"leaves a cursor":             {apply: "declare c cursor with hold for select 1", want: `may not begin with "DECLARE C"`},
		"copies to a program":         {apply: "copy tally to program 'sh'", want: `may not begin with "COPY TALLY"`},
		"a view that becomes another": {create: view("length(set_config('role', 'none', false))"), apply: insert, want: "within security-definer function"},
		"a view that reads files":     {create: view("length(pg_read_file('/etc/passwd'))"), apply: insert, want: "permission denied"},
		"a view that reads others":    {create: "create view tally as select view as type, events from aftercare.checkpoint", apply: "select 1", want: "permission denied"},
		"breaks out of its quotes":    {create: create + "comment on table tally is $install$ $install$; comment on table tally is 'it''s $$'", want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := metric.New(or(test.manifest, manifest), or(test.create, create), or(test.apply, apply))
			if err == nil {
				_, err = metric.Check(t.Context(), pool, d, catalog.Codec().Names(), events)
			}
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (!errors.Is(err, metric.ErrInvalid) || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func TestAMetricLeavesNothingBehindInASession(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	b := bench{t, pool, &metric.Store{Pool: pool}}
	d, err := metric.New(manifest, create, apply+`
		select set_config('search_path', 'view_metric_tally', false), set_config('timezone', 'Asia/Tokyo', false),
		       set_config('statement_timeout', '1', false), pg_advisory_lock(7)`)
	if err != nil {
		t.Fatal(err)
	}
	events := sample(t)
	b.install(d, events)
	for _, c := range pool.AcquireAllIdle(t.Context()) {
		var path, zone, timeout string
		var locks int
		if err := c.QueryRow(t.Context(), `select current_setting('search_path'), current_setting('timezone'), current_setting('statement_timeout'),
			(select count(*) from pg_catalog.pg_locks where locktype = 'advisory' and database = (select oid from pg_catalog.pg_database where datname = current_database()))`).Scan(&path, &zone, &timeout, &locks); err != nil {
			t.Error(err)
		}
		if path != `"$user", public` || zone != "UTC" || timeout != "0" || locks != 0 {
			t.Errorf("left behind: search path %s, zone %s, timeout %s, %d locks", path, zone, timeout, locks)
		}
		c.Release()
	}
}

func TestAnErrorOfAMetricIsItsOwn(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	b := bench{t, pool, &metric.Store{Pool: pool}}
	d, err := metric.New(manifest, create, "select pg_sleep(0.01 * (select count(*) from tally)); insert into tally select type, 1 from batch")
	if err != nil {
		t.Fatal(err)
	}
	events := sample(t)
	b.install(d, events[:1])
	views, err := b.store.Views(t.Context())
	if err != nil || len(views) != 1 {
		t.Fatalf("got %v %v, want one view", views, err)
	}
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.WithoutCancel(t.Context())) //nolint:errcheck // it is rolled back
	if _, err := tx.Exec(t.Context(), "set local search_path to view_metric_tally"); err != nil {
		t.Fatal(err)
	}
	err = b.apply(t.Context(), tx, views[0], events[:1])
	const want = `apply.sql:1: duplicate key value violates unique constraint "..." (constraint tally_pkey of tally) (23505)`
	if !errors.Is(err, projections.ErrBroken) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	m, err := b.store.Load(t.Context(), "tally")
	if err != nil || m.Error == nil || !strings.Contains(*m.Error, want) || m.ParkedAt == nil {
		t.Errorf("got %+v %v, want it parked", m.Error, err)
	}
	if views, err = b.store.Views(t.Context()); err != nil || len(views) != 0 {
		t.Errorf("got %v %v, want nothing to keep", views, err)
	}
	if err := b.store.Resume(t.Context(), "tally"); err != nil {
		t.Error(err)
	}
	if views, err = b.store.Views(t.Context()); err != nil || len(views) != 1 {
		t.Errorf("got %v %v, want it back", views, err)
	}
}
