package metric_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/projections"
	"aftercare/projections/feed/feedtest"
	"aftercare/projections/metric"
	"aftercare/projections/page"
	"aftercare/projections/postgres/pgtest"
	"aftercare/projections/ticket"
	"aftercare/projections/viewtest"
)

// world is a bench over a store.
type world struct {
	bench
	testing.TB

	log     *feedtest.Store
	tracker *projections.Tracker
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	pool, log := pgtest.Pool(tb), feedtest.New(tb)
	return &world{
		bench{tb, pool, &metric.Store{Pool: pool}}, tb, log, &projections.Tracker{Pool: pool, Log: log.Log()},
	}
}

// record appends the histories of some cases, event by event in turn.
func (w *world) record(from, to int) (at domain.Position) {
	w.Helper()
	var h viewtest.History
	for i := from; i < to; i++ {
		h.Case(i, history(i)...)
	}
	for _, e := range raw(w.TB, h.Events) {
		at = w.log.Append(e.Stream, esdb.EventData{
			EventID: uuid.UUID(e.ID), EventType: e.Type, ContentType: esdb.ContentTypeJson, Data: e.Data, Metadata: e.Metadata,
		})
	}
	return at
}

// rebuild fills a view as the program does.
func (w *world) rebuild(ctx context.Context, v projections.View) error {
	r := projections.Rebuilder{Pool: w.pool, Log: w.log.Log(), Codec: catalog.Codec()}
	_, err := r.Rebuild(ctx, v)
	return err
}

// keep runs a runner over the installed metrics and the tickets until the test ends.
func (w *world) keep() (stop func() error) {
	w.Helper()
	r := projections.Runner{
		Pool: w.pool, Log: w.log.Log(), Codec: catalog.Codec(), Views: []projections.View{ticket.View()}, More: w.store.Views,
		Tracker: w.tracker, Most: 7,
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	w.Cleanup(func() { _ = stop() })
	return stop
}

func (w *world) wait(at domain.Position, views ...string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 30*time.Second)
	defer cancel()
	if p, err := w.tracker.Wait(ctx, at, views...); err != nil {
		w.Fatalf("%v; progress %+v", err, p)
	}
}

func (w *world) find(name string) metric.Definition {
	w.Helper()
	d, err := metric.Find(name)
	if err != nil {
		w.Fatal(err)
	}
	return d
}

func TestAMetricIsKeptLiveAndIsTheSameAsRebuilt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.record(0, 10)
	names := metric.Shipped()
	var views []string
	for _, name := range names {
		if err := w.store.Install(t.Context(), w.find(name), w.rebuild); err != nil {
			t.Fatal(err)
		}
		views = append(views, metric.ViewName(name))
	}
	stop := w.keep()
	w.wait(w.record(10, 20), views...)
	for _, name := range names {
		table := "view_metric_" + name + "." + w.find(name).Result
		live := w.rows("select * from " + table)
		if err := w.rebuild(t.Context(), w.find(name).View()); err != nil { // under the eyes of the runner
			t.Fatal(err)
		}
		if diff := cmp.Diff(live, w.rows("select * from "+table)); diff != "" || len(live) == 0 {
			t.Errorf("%s: %d rows (-live +rebuilt):\n%s", name, len(live), diff)
		}
	}
	w.wait(w.record(20, 22), views...)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestABadMetricIsParkedAndHurtsNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.record(0, 3)
	bad, err := metric.New(manifest, create, apply+"\nselect 1 / (100 - (select sum(events) from tally));")
	if err != nil {
		t.Fatal(err)
	}
	// It fails as soon as there are a hundred events.
	bad.Apply = strings.Replace(bad.Apply, "1 / (100", "1 / greatest(0, 100", 1)
	if bad, err = metric.New(bad.YAML, bad.Create, bad.Apply); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Install(t.Context(), bad, w.rebuild); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Install(t.Context(), w.find("ticket_flow"), w.rebuild); err != nil {
		t.Fatal(err)
	}
	stop := w.keep()
	end := w.record(3, 40)
	w.wait(end, "ticket", "metric_ticket_flow")
	if err := stop(); err != nil {
		t.Error("the runner failed:", err)
	}
	m, err := w.store.Load(t.Context(), "tally")
	if err != nil || m.Error == nil || !strings.Contains(*m.Error, "apply.sql:3: division by zero (22012)") {
		t.Fatalf("got %v %v, want it parked", m.Error, err)
	}
	p, err := w.tracker.Wait(t.Context(), before, "metric_tally")
	if at := p.Positions["metric_tally"]; err != nil || at.Compare(end) >= 0 {
		t.Errorf("got %v %v, want the position of the last good batch", at, err)
	}
	counted := w.rows("select sum(events) <= 100 from view_metric_tally.tally")
	if diff := cmp.Diff([]string{"(t)"}, counted); diff != "" {
		t.Errorf("events of a refused batch were kept:\n%s", diff)
	}
	if rows, _, err := w.store.Read(t.Context(), m, metric.Query{Page: page.Page{First: 100}}); err != nil || len(rows) == 0 {
		t.Errorf("got %v %v, want the numbers of the last good batch", rows, err)
	}

	good, err := metric.New(manifest, create, apply)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.Install(t.Context(), good, w.rebuild); err != nil {
		t.Fatal(err)
	}
	if m, err = w.store.Load(t.Context(), "tally"); err != nil || m.Error != nil {
		t.Errorf("got %v %v, want it mended", m.Error, err)
	}
	if got := w.rows("select sum(events) > 100 from view_metric_tally.tally"); !cmp.Equal(got, []string{"(t)"}) {
		t.Errorf("the mended metric has not all events: %v", got)
	}
}

func TestARebuildOfABadVersionLeavesTheOldNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.record(0, 5)
	good, err := metric.New(manifest, create, apply)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.Install(t.Context(), good, w.rebuild); err != nil {
		t.Fatal(err)
	}
	was := w.rows("select * from view_metric_tally.tally")
	bad, err := metric.New(manifest, create, "insert into tally select type, 1 / 0 from batch")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.Install(t.Context(), bad, w.rebuild); !errors.Is(err, projections.ErrBroken) {
		t.Errorf("got %v, want %v", err, projections.ErrBroken)
	}
	m, err := w.store.Load(t.Context(), "tally")
	if err != nil || m.Error != nil || m.Apply != apply {
		t.Errorf("got %+v %v, want the old version, not parked", m, err)
	}
	if diff := cmp.Diff(was, w.rows("select * from view_metric_tally.tally")); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestADroppedMetricLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.record(0, 3)
	for range 2 { // twice, for a previous version
		if err := w.store.Install(t.Context(), w.find("team_backlog"), w.rebuild); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.store.Drop(t.Context(), "team_backlog"); err != nil {
		t.Fatal(err)
	}
	left := w.rows(`
		select nspname from pg_namespace where nspname like 'view_metric%'
		union all select view from aftercare.checkpoint where view like 'metric%'
		union all select view from aftercare.rebuild where view like 'metric%'
		union all select rolname from pg_roles where rolname = 'aftercare_metric_' || (select oid from pg_database where datname = current_database()) || '_team_backlog'`)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	refusal, ok := errors.AsType[*domain.Error](w.store.Drop(t.Context(), "team_backlog"))
	if !ok || refusal.Kind != domain.NotFound {
		t.Errorf("got %v, want a refusal", refusal)
	}
}

func TestReadersForBusinessIntelligenceSeeTheResultAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.record(0, 5)
	secret, err := metric.New(strings.Replace(manifest, "How many}", "How many}, privacy: confidential", 1), create, apply)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.Install(t.Context(), secret, w.rebuild); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Install(t.Context(), w.find("team_backlog"), w.rebuild); err != nil {
		t.Fatal(err)
	}
	role := "tool_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := w.pool.Exec(t.Context(), "create role "+role+" login"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := w.pool.Exec(context.WithoutCancel(t.Context()), "drop role "+role); err != nil {
			t.Error(err)
		}
	})
	if _, err := w.store.Grant(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Install(t.Context(), w.find("ticket_flow"), w.rebuild); err != nil { // later than the grant
		t.Fatal(err)
	}
	for statement, refused := range map[string]bool{
		"select * from view_metric_ticket_flow.edge":                         false,
		"select * from view_metric_team_backlog.backlog":                     false,
		"select type from view_metric_tally.tally":                           false,
		"select events from view_metric_tally.tally":                         true,
		"select * from view_metric_tally.tally":                              true,
		"select * from view_metric_ticket_flow.step":                         true,
		"delete from view_metric_team_backlog.change":                        true,
		"select view_metric_tally.aftercare_run(array['delete from tally'])": true,
		"select view_metric_tally.aftercare_ask('select 1', '{}')":           true,
		"select * from aftercare.metric":                                     true,
	} {
		err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), "set local role "+role); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), statement)
			return err
		})
		answer, _ := errors.AsType[*pgconn.PgError](err)
		if refused != (answer != nil) || err != nil && answer.Code != "42501" {
			t.Errorf("%s: got %v, want refused %t", statement, err, refused)
		}
	}
}
