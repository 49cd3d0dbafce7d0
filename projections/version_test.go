package projections_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections"
	"aftercare/projections/archive"
)

// counted is a view across streams that takes events as they are stored: how many there were, and of how many bytes.
type counted struct{}

func (counted) Name() string { return "counted" }
func (counted) Tables() string {
	return `create table total (events bigint not null, bytes bigint not null, last bigint)`
}
func (counted) Indexes() string               { return "" }
func (counted) Handles(eventType string) bool { return strings.HasPrefix(eventType, "sum.") }
func (counted) Apply(context.Context, pgx.Tx, []domain.Recorded) error {
	return errors.New("never called")
}
func (counted) Bulk() projections.Bulk { return nil }

func (counted) ApplyStored(ctx context.Context, tx pgx.Tx, batch []codec.Raw) error {
	var bytes int
	for _, e := range batch {
		bytes += len(e.Data)
	}
	if _, err := tx.Exec(ctx, `insert into total select 0, 0 where not exists (select from total)`); err != nil {
		return err
	}
	last := batch[len(batch)-1].Position.Commit
	tag, err := tx.Exec(ctx, `update total set events = events + $1, bytes = bytes + $2, last = $3 where last is null or last < $3`, len(batch), bytes, int64(last)) //nolint:gosec // small
	if err == nil && tag.RowsAffected() == 0 {
		err = errors.New("a batch came twice, or in another order")
	}
	return err
}

// versions are those of sums besides the live one.
func (b *bench) versions() (names []string) {
	b.Helper()
	for _, row := range query[struct{ View string }](b, `select view from aftercare.checkpoint where view like 'sums@%' order by 1`) {
		names = append(names, strings.TrimPrefix(row.View, "sums@"))
	}
	return names
}

func TestAViewAcrossStreamsIsRebuiltInTheOrderOfTheLog(t *testing.T) {
	t.Parallel()
	b := newBench(t, counted{}, sums(nil))
	b.fill(60, 20)
	b.start(b.runner())
	b.wait(b.add("sum-1", 1), "counted", "sums")
	live := []map[string]projections.Print{b.prints("counted"), b.prints("sums")}
	if _, err := b.rebuilder().Rebuild(t.Context(), b.views...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(live, []map[string]projections.Print{b.prints("counted"), b.prints("sums")}); diff != "" {
		t.Errorf("-live +rebuilt:\n%s", diff)
	}
	got := query[struct{ Events int }](b, `select events from view_counted.total`)
	if len(got) != 1 || got[0].Events != 60*20+1 {
		t.Errorf("got %v, want %d events", got, 60*20+1)
	}
}

func TestAnInterruptedRebuildGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil), lines(), counted{})
	b.fill(200, 10)
	b.start(b.runner())
	b.wait(b.add("sum-1", 1), "sums", "lines", "counted")
	r := b.rebuilder()
	r.Archive = &archive.Archive{Dir: t.TempDir(), Log: b.store.Log()}
	r.Portion, r.Partitions, r.Program = 50, 2, "this"
	for kills := 1; ; kills++ {
		ctx, cancel := context.WithCancel(t.Context())
		var seen atomic.Int64
		r.Observe = func(projections.RebuildProgress) {
			if seen.Add(1) == 12 {
				cancel()
			}
		}
		report, err := r.Rebuild(ctx, b.views...)
		cancel()
		if err == nil {
			if kills < 3 || report.Resumed < 1000 || report.Events < 2001 {
				t.Errorf("after %d interruptions: %+v; want most of it to be there before", kills, report)
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if kills == 50 {
			t.Fatal("it gets nowhere")
		}
		b.wait(b.add("sum-2", 0), "sums", "lines", "counted")
	}
	rebuilt := []map[string]projections.Print{b.prints("sums"), b.prints("lines"), b.prints("counted")}
	r.Observe, r.Program = nil, "another"
	report, err := r.Rebuild(t.Context(), b.views...)
	if err != nil || report.Resumed != 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	if diff := cmp.Diff(rebuilt, []map[string]projections.Print{b.prints("sums"), b.prints("lines"), b.prints("counted")}); diff != "" {
		t.Errorf("-with interruptions +in one go:\n%s", diff)
	}
}

func TestBucketsAreDividedAmongPortions(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil), lines())
	b.start(b.runner())
	b.wait(b.fill(60, 20), "sums", "lines")
	live := []map[string]projections.Print{b.prints("sums"), b.prints("lines")}
	r := b.rebuilder()
	r.Portion = 3
	if _, err := r.Rebuild(t.Context(), b.views...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(live, []map[string]projections.Print{b.prints("sums"), b.prints("lines")}); diff != "" {
		t.Errorf("-live +rebuilt:\n%s", diff)
	}
}

func TestWhatAnotherProgramBeganIsBegunAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	b.fill(100, 10)
	r := b.rebuilder()
	r.Portion, r.Partitions, r.Program, r.Hold = 50, 1, "old", true
	if _, err := r.Rebuild(t.Context(), b.views...); err != nil {
		t.Fatal(err)
	}
	b.exec(`update view_sums_next.sum set total = -1`) // as an old program with a mistake would have it
	r.Program = "new"
	if report, err := r.Rebuild(t.Context(), b.views...); err != nil || report.Resumed != 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	if wrong := query[struct{ N int }](b, `select count(*) from view_sums_next.sum where total = -1`)[0].N; wrong != 0 {
		t.Errorf("%d rows are the other program's", wrong)
	}
}

func TestWhatWasBegunOnALogThatWasRestoredSinceIsBegunAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	b.fill(100, 10)
	r := b.rebuilder()
	r.Portion, r.Partitions, r.Hold = 50, 1, true
	if report, err := r.Rebuild(t.Context(), b.views...); err != nil || report.Resumed != 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	if report, err := r.Rebuild(t.Context(), b.views...); err != nil || report.Resumed != 1000 {
		t.Fatalf("again: %+v, %v", report, err)
	}
	b.exec(`update aftercare.rebuild set commit_position = commit_position - 1, prepare_position = prepare_position - 1`) // an event of a log that is gone
	if report, err := r.Rebuild(t.Context(), b.views...); err != nil || report.Resumed != 0 {
		t.Errorf("after a restore: %+v, %v", report, err)
	}
}

func TestTheSwitchCanBeTakenBack(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil), lines())
	b.start(b.runner())
	b.wait(b.fill(20, 5), "sums", "lines")
	r := b.rebuilder()
	if err := r.Switch(t.Context(), b.views[0], projections.Previous); !errors.Is(err, projections.ErrNoVersion) {
		t.Errorf("switch back without a previous version: %v", err)
	}
	r.Hold = true
	if _, err := r.Rebuild(t.Context(), b.views...); err != nil {
		t.Fatal(err)
	}
	b.exec(`update view_sums.sum set last = -7 where stream = 'sum-1'`) // to tell the two apart
	marked := func() int {
		return query[struct{ N int }](b, `select count(*) from view_sums.sum where last = -7`)[0].N
	}
	if diff := cmp.Diff([]string{"next"}, b.versions()); diff != "" || marked() != 1 {
		t.Errorf("held back: %s, %d marked", diff, marked())
	}
	b.wait(b.add("sum-2", 1), "sums", "lines")
	if err := r.Switch(t.Context(), b.views[0], projections.Next); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"previous"}, b.versions()); diff != "" || marked() != 0 {
		t.Errorf("switched: %s, %d marked", diff, marked())
	}
	at := b.add("sum-3", 1, 2, 3)
	b.wait(at, "sums", "lines")
	if err := r.Switch(t.Context(), b.views[0], projections.Previous); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"previous"}, b.versions()); diff != "" || marked() != 1 {
		t.Errorf("switched back: %s, %d marked", diff, marked())
	}
	b.exec(`update view_sums.sum set last = (select max(revision) from view_lines.line l where l.stream = sum.stream) where last = -7`)
	b.wait(b.add("sum-3", 4), "sums", "lines")
	live := b.prints("sums")
	if _, err := b.rebuilder().Rebuild(t.Context(), b.views[0]); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(live, b.prints("sums")); diff != "" {
		t.Errorf("the version that was switched back to lacks something, -it +rebuilt:\n%s", diff)
	}
	if err := r.Drop(t.Context(), "sums", projections.Previous); err != nil {
		t.Fatal(err)
	}
	if err := r.Drop(t.Context(), "sums", projections.Previous); !errors.Is(err, projections.ErrNoVersion) {
		t.Errorf("drop twice: %v", err)
	}
	if err := r.Switch(t.Context(), reshaped{b.views[0]}, projections.Next); !errors.Is(err, projections.ErrNoVersion) {
		t.Errorf("switch to what is not there: %v", err)
	}
}

func TestAVersionOfAnotherProgramIsNotSwitchedTo(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil))
	b.start(b.runner())
	b.wait(b.fill(5, 5), "sums")
	if _, err := b.rebuilder().Rebuild(t.Context(), reshaped{b.views[0]}); err != nil {
		t.Fatal(err)
	}
	if err := b.rebuilder().Switch(t.Context(), reshaped{b.views[0]}, projections.Previous); !errors.Is(err, projections.ErrOutdated) {
		t.Errorf("got %v, want %v", err, projections.ErrOutdated)
	}
	if err := b.rebuilder().Switch(t.Context(), b.views[0], projections.Previous); err != nil {
		t.Errorf("the old program switches back: %v", err)
	}
	b.wait(b.add("sum-1", 1), "sums")
}

func TestAsOfIsWhatWasKnownThen(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil), lines(), counted{})
	b.start(b.runner())
	var moments []time.Time
	var known []map[string]projections.Print
	for range 3 {
		b.wait(b.fill(30, 7), "sums", "lines", "counted")
		head, err := b.store.Log().Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		moments, known = append(moments, head.RecordedAt), append(known, b.prints("sums"), b.prints("lines"), b.prints("counted"))
	}
	r := b.rebuilder()
	for i, moment := range moments {
		r.AsOf, r.Into = moment, fmt.Sprintf("then_%d", i)
		if _, err := r.Rebuild(t.Context(), b.views...); err != nil {
			t.Fatal(err)
		}
		for j, v := range []string{"sums", "lines", "counted"} {
			got, err := projections.Fingerprint(t.Context(), b.pool, projections.VersionSchema(v, r.Into))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(known[3*i+j], got); diff != "" {
				t.Errorf("%s %s, -known then +as of then:\n%s", v, r.Into, diff)
			}
		}
	}
	if diff := cmp.Diff([]string{"then_0", "then_1", "then_2"}, b.versions()); diff != "" {
		t.Error(diff)
	}
	b.wait(b.add("sum-1", 1), "sums", "lines", "counted")
	if err := r.Drop(t.Context(), "sums", "then_1"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"next", "", "Then", `x"y`, "leaving"} {
		r.AsOf, r.Into = moments[0], name
		if _, err := r.Rebuild(t.Context(), b.views...); err == nil {
			t.Errorf("a version called %q was made", name)
		}
	}
}

// TestARowThatPostgresRefusesIsParkedAsLive lets the tables refuse a value that the fold takes.
func TestNamesOfVersionsFitPostgres(t *testing.T) {
	t.Parallel()
	b := newBench(t, renamed{sums(nil), strings.Repeat("s", 40)})
	b.fill(2, 2)
	r := b.rebuilder()
	r.AsOf = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, fits := range map[string]bool{
		"elevencharx": true, "twelvecharxx": false, "next": false, "previous": false, "leaving": false, "a b": false, "A": false, "é": false, "1": false,
	} {
		r.Into = name
		_, err := r.Rebuild(t.Context(), b.views...)
		if fits != (err == nil) || !fits && !errors.Is(err, projections.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestARowThatPostgresRefusesIsParkedAsLive(t *testing.T) {
	t.Parallel()
	checked := renamedTables{lines(), `create table line (stream text not null, revision bigint not null, n bigint not null check (n <> 13))`}
	summed := renamedTables{sums(nil), `create table sum (stream text not null, events bigint not null, total bigint not null check (total < 1000), last bigint not null)`}
	b := newBench(t, checked, summed)
	for i := range 40 {
		b.add(stream(i), 1, 2, 3)
	}
	b.add("sum-3", 13, 5)
	b.add("sum-4", 5, 13)
	b.add("sum-5", 900, 100)
	b.start(b.runner())
	b.wait(b.add("sum-5", 7), "lines", "sums")
	type parking struct {
		View, Stream string
		Revision     int64
	}
	parked := func() []parking {
		return query[parking](b, `select view, stream, revision from aftercare.parked_event where view not like '%@%' order by 1, 2, 3`)
	}
	live, prints := parked(), []map[string]projections.Print{b.prints("lines"), b.prints("sums")}
	if len(live) != 5 {
		t.Fatalf("parked live: %v", live)
	}
	r := b.rebuilder()
	r.Portion = 60
	if _, err := r.Rebuild(t.Context(), b.views...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(live, parked()); diff != "" {
		t.Errorf("parked, -live +rebuilt:\n%s", diff)
	}
	if diff := cmp.Diff(prints, []map[string]projections.Print{b.prints("lines"), b.prints("sums")}); diff != "" {
		t.Errorf("tables, -live +rebuilt:\n%s", diff)
	}
}

type renamedTables struct {
	projections.View
	create string
}

func (r renamedTables) Tables() string { return r.create }

// TestALostConnectionInASwitch ends the connection of whoever does the k-th change of what a switch changes.
func TestALostConnectionInASwitch(t *testing.T) {
	t.Parallel()
	b := newBench(t, sums(nil), lines())
	b.start(b.runner())
	b.wait(b.fill(50, 10), "sums", "lines")
	b.exec(`create sequence public.step; create table public.victim (step bigint)`)
	b.exec(`insert into public.victim values (0)`)
	b.exec(`create function public.lose() returns trigger language plpgsql as $$ begin
		if nextval('public.step') = (select step from public.victim) then perform pg_terminate_backend(pg_backend_pid()); end if;
		return null; end $$`)
	for _, table := range []string{"checkpoint", "parked_event", "rebuild", "rebuild_portion"} {
		b.exec(`create trigger lose after insert or update or delete on aftercare.` + table + ` for each statement execute function public.lose()`)
	}
	steps := int64(60)
	for k := int64(1); k < steps; k++ {
		b.exec(`alter sequence public.step restart`)
		b.exec(fmt.Sprintf(`update public.victim set step = %d`, k))
		if _, err := b.rebuilder().Rebuild(t.Context(), b.views...); err != nil {
			t.Fatalf("step %d: %v", k, err)
		}
		b.wait(b.add("sum-1", 1), "sums", "lines")
		steps = min(steps, query[struct{ N int64 }](b, `select last_value from public.step`)[0].N) // there are no more
	}
	b.exec(`update public.victim set step = 0`)
	live := []map[string]projections.Print{b.prints("sums"), b.prints("lines")}
	if _, err := b.rebuilder().Rebuild(t.Context(), b.views...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(live, []map[string]projections.Print{b.prints("sums"), b.prints("lines")}); diff != "" {
		t.Errorf("-after lost connections +rebuilt:\n%s", diff)
	}
	if steps < 15 {
		t.Errorf("only %d connections were lost", steps)
	}
}
