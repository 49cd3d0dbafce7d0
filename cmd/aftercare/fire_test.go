package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/projections"
	"aftercare/projections/feed"
)

// fire is several projectors on one pair of stores, and what happens to them.
type fire struct {
	*place
	pool       *pgxpool.Pool
	random     *rand.Rand
	projectors []*process
	args       []string

	killed, stopped, paused, backends int
	commands, refused                 atomic.Int64
}

// TestExactlyOnceUnderFire kills projectors and their connections while commands are carried out. Afterwards every view is what a rebuild
// from nothing makes of the log. AFTERCARE_TEST_FIRE is how often something is ended, 12 unless it is set.
func TestExactlyOnceUnderFire(t *testing.T) {
	t.Parallel()
	times := 12
	if n, err := strconv.Atoi(os.Getenv("AFTERCARE_TEST_FIRE")); err == nil {
		times = n
	}
	seed := uint64(time.Now().UnixNano()) //nolint:forbidigo // any number will do: it is told
	t.Log("seed", seed)
	f := &fire{place: newPlace(t), random: rand.New(rand.NewPCG(seed, 2))} //nolint:gosec // not a secret
	server := f.serving("serve")
	stores := f.instance()
	f.args = []string{"--eventstore-url", stores.EventStoreURL, "--postgres-url", stores.PostgresURL, "project"}
	var err error
	if f.pool, err = pgxpool.New(t.Context(), stores.PostgresURL); err != nil {
		t.Fatal(err)
	}
	defer f.pool.Close()
	for range 3 {
		f.projectors = append(f.projectors, f.start(f.args...))
	}
	f.run("metric", "run", "ticket_flow") // a view across streams, in SQL

	ctx, quiet := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() { f.command(ctx, server, worker) })
	}
	for range times {
		f.strike()
		f.rest(time.Duration(50+f.random.IntN(700)) * time.Millisecond)
	}
	quiet()
	wg.Wait()

	names := f.views()
	log := &feed.Log{URL: stores.EventStoreURL}
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waiting, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tracker := &projections.Tracker{Pool: f.pool, Log: log}
	if p, err := tracker.Wait(waiting, head.Position, names...); err != nil {
		t.Fatalf("views are not at the head, %d: %+v, %v", head.Position.Commit, p, err)
	}
	live := f.prints(names)
	f.run(append([]string{"views", "rebuild"}, names...)...)
	if diff := gocmp.Diff(live, f.prints(names)); diff != "" {
		t.Errorf("-after the fire +rebuilt from nothing:\n%s", diff)
	}
	if parked := f.rows("select count(*) from aftercare.parked_event")[0]; parked != "0" {
		t.Errorf("%s events are parked", parked)
	}
	events := f.rows("select events from aftercare.checkpoint where view = 'timeline'")[0]
	t.Logf("projectors killed %d, stopped %d, paused %d, connections ended %d; %d commands carried out, %d refused; %s events in %d views, all at the head, equal to a rebuild",
		f.killed, f.stopped, f.paused, f.backends, f.commands.Load(), f.refused.Load(), events, len(names))
	if len(names) != 5 || f.commands.Load() < int64(times) {
		t.Errorf("%d views and %d commands: too few to show anything", len(names), f.commands.Load())
	}
}

// command opens cases and carries them on until ctx ends. What is refused while the database loses connections is not counted.
func (f *fire) command(ctx context.Context, server api, worker int) {
	const operation = `mutation ($open: ReceiveTicketInput!) { receiveTicket(input: $open) { ... on TicketChanged { id } } }`
	const next = `mutation ($id: ID!) {
		acknowledgeTicket(input: {ticketId: $id}) { ... on TicketChanged { id } }
		assignTicket(input: {ticketId: $id, team: "fire"}) { ... on TicketChanged { id } }
		rateTicket(input: {ticketId: $id, score: 5}) { ... on TicketChanged { id } }
		resolveTicket(input: {ticketId: $id, resolution: "done"}) { ... on TicketChanged { id } } }`
	for n := 0; ctx.Err() == nil; n++ {
		opened := server.ask(operation, map[string]any{"open": map[string]any{"kind": "repair", "title": fmt.Sprintf("fire %d of %d", n, worker)}}) //nolint:contextcheck // what was asked is answered, also when others stop
		id := idOf(opened.Data)
		if id == "" {
			f.refused.Add(1)
			continue
		}
		server.ask(next, map[string]any{"id": id}) //nolint:contextcheck // what was asked is answered, also when others stop
		f.commands.Add(5)
	}
}

// strike ends something.
func (f *fire) strike() {
	f.tb.Helper()
	i := f.random.IntN(len(f.projectors))
	p := f.projectors[i]
	switch what := f.random.IntN(10); {
	case what < 4:
		p.kill()
		f.killed++
		f.projectors[i] = f.start(f.args...)
	case what < 5:
		p.says(`(Aftercare is running)`) // before, the signal may come before there is anybody to hear of it
		if code := p.interrupt(); code != 0 {
			f.tb.Errorf("a projector that was stopped ended with %d: %s", code, p.err.text())
		}
		f.stopped++
		f.projectors[i] = f.start(f.args...)
	case what < 6: // for longer than its leases last
		_ = syscall.Kill(p.cmd.Process.Pid, syscall.SIGSTOP)
		f.rest(4 * time.Second)
		_ = syscall.Kill(p.cmd.Process.Pid, syscall.SIGCONT)
		f.paused++
	default:
		ended := f.rows(`select count(pg_terminate_backend(pid)) from (
			select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() order by random() limit 3) s`)
		n, _ := strconv.Atoi(ended[0])
		f.backends += n
	}
}

// rest lets what runs run.
func (f *fire) rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.tb.Context().Done():
	}
}

func (f *fire) views() []string {
	return f.rows(`select view from aftercare.checkpoint where view not like '%@%' order by 1`)
}

func (f *fire) prints(views []string) map[string]map[string]projections.Print {
	f.tb.Helper()
	all := make(map[string]map[string]projections.Print)
	for _, v := range views {
		p, err := projections.Fingerprint(f.tb.Context(), f.pool, projections.Schema(v))
		if err != nil {
			f.tb.Fatal(err)
		}
		all[v] = p
	}
	return all
}
