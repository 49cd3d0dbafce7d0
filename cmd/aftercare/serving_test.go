package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// settledCases asks what must not change while other cases do: those of a time of the demo that is over.
const settledCases = `query ($from: Time!, $before: Time!) {
	tickets(first: 20, filter: {receivedFrom: $from, receivedBefore: $before}) {
		totalCount nodes { number phase revision timeline(first: 5) { nodes { type } } clocks { clock state due } } }
	caseStatistics(input: {filter: {receivedFrom: $from, receivedBefore: $before}, by: [{dimension: PHASE}]}) { dimensions { value } cases }
	slaAttainment(input: {from: $from, before: $before, by: [{dimension: CLOCK}]}) {
		dimensions { value } attainment { numerator denominator } metLate openBreached }
	satisfaction(input: {from: $from, before: $before}) { count mean { value } }
}`

// settledTime is when those came in or were due: a day of 500 cases, an hour of many.
func settledTime(cases int) map[string]any {
	from, before := "2025-02-10T02:00:00Z", "2025-02-11T02:00:00Z"
	if cases > 10_000 {
		before = "2025-02-10T03:00:00Z"
	}
	return map[string]any{"from": from, "before": before}
}

// watch is a reader at a constant rate. It knows the one right answer.
type watch struct {
	api    api
	when   map[string]any
	right  json.RawMessage
	reads  atomic.Int64
	failed atomic.Int64
	wrong  atomic.Int64

	mu    sync.Mutex
	phase int
	took  [2][]time.Duration
	first string
}

// readsPerSecond is the reader's rate.
const readsPerSecond = 20

// run reads until ctx ends. A read is sent when it is due, however long others take.
func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(time.Second / readsPerSecond)
	defer tick.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		select {
		case due := <-tick.C:
			wg.Go(func() { w.read(due) }) //nolint:contextcheck // what was asked is answered, also when others stop
		case <-ctx.Done():
			return
		}
	}
}

func (w *watch) read(due time.Time) {
	got := w.api.ask(settledCases, w.when)
	took := time.Since(due) //nolint:forbidigo // real latencies
	w.reads.Add(1)
	said := ""
	switch {
	case len(got.Errors) > 0:
		w.failed.Add(1)
		said = fmt.Sprintf("%+v", got.Errors)
	case !bytes.Equal(got.Data, w.right):
		w.wrong.Add(1)
		said = string(got.Data)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.took[w.phase] = append(w.took[w.phase], took)
	if w.first == "" && said != "" {
		w.first = said
	}
}

// during says what the reads from now on are counted under.
func (w *watch) during(phase int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase = phase
}

func (w *watch) percentile(phase int, share float64) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := slices.Sorted(slices.Values(w.took[phase]))
	if len(all) == 0 {
		return 0
	}
	return all[min(int(share*float64(len(all))), len(all)-1)].Round(100 * time.Microsecond)
}

// TestViewsServeWhileTheyAreRebuilt rebuilds all views, and switches to the new ones, under readers and writers. AFTERCARE_TEST_SERVING is
// about how many events there are, 10,000 unless it is set.
func TestViewsServeWhileTheyAreRebuilt(t *testing.T) {
	t.Parallel()
	events := 10_000
	if n, err := strconv.Atoi(os.Getenv("AFTERCARE_TEST_SERVING")); err == nil {
		events = n
	}
	p := newPlace(t)
	server := p.up()
	p.run("demo", "--cases", strconv.Itoa(events/20), "--seed", "3", "--until", "2025-03-02")

	w := &watch{api: server, when: settledTime(events / 20)}
	settled := server.ask(settledCases, w.when)
	if w.right = settled.Data; len(settled.Errors) > 0 || strings.Contains(string(w.right), `"totalCount":0`) || strings.Count(string(w.right), `"number"`) != 20 {
		t.Fatalf("before the rebuild: %+v %.300s", settled.Errors, w.right)
	}
	ctx, quiet := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { w.run(ctx) })
	var written, unseen atomic.Int64
	for n := range 2 {
		wg.Go(func() { write(ctx, server, n, &written, &unseen) })
	}
	calm := time.NewTimer(max(3*time.Second, time.Duration(events/100_000)*2*time.Second))
	select {
	case <-calm.C:
	case <-ctx.Done():
	}
	w.during(1)
	made := p.run("views", "rebuild", "--no-switch", "--json").out.text()
	began := time.Now() //nolint:forbidigo // a real duration
	switched := p.run("views", "switch", "--json", "ticket", "timeline", "sla", "satisfaction").out.text()
	command := time.Since(began).Round(time.Millisecond) //nolint:forbidigo // a real duration
	p.run("views", "switch", "--back", "ticket", "timeline", "sla", "satisfaction")
	p.run("views", "rebuild")
	quiet()
	wg.Wait()

	t.Logf("%d reads at %d/s, %d failed, %d inconsistent; %d commands meanwhile, %d not seen by their writer; p50 %s and p99 %s without a rebuild, p50 %s and p99 %s during it; switch command %s, its switches %s",
		w.reads.Load(), readsPerSecond, w.failed.Load(), w.wrong.Load(), written.Load(), unseen.Load(),
		w.percentile(0, 0.5), w.percentile(0, 0.99), w.percentile(1, 0.5), w.percentile(1, 0.99), command, seconds(t, switched))
	t.Logf("the rebuild: %s", strings.Join(strings.Fields(made), " "))
	if w.failed.Load()+w.wrong.Load()+unseen.Load() > 0 {
		t.Errorf("first of them: %.2000s; right is %.2000s", w.first, w.right)
	}
	if w.reads.Load() < readsPerSecond || written.Load() < 10 {
		t.Errorf("%d reads and %d commands show nothing", w.reads.Load(), written.Load())
	}
}

// write opens cases and looks for them.
func write(ctx context.Context, server api, writer int, written, unseen *atomic.Int64) {
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		opened := server.ask(`mutation ($input: ReceiveTicketInput!) { receiveTicket(input: $input) { ... on TicketChanged { id position } } }`, //nolint:contextcheck // what was asked is answered, also when others stop
			map[string]any{"input": map[string]any{"kind": "repair", "title": fmt.Sprintf("%d of writer %d", n, writer)}})
		var done struct{ ReceiveTicket struct{ ID, Position string } }
		if err := json.Unmarshal(opened.Data, &done); err != nil || done.ReceiveTicket.ID == "" {
			unseen.Add(1)
			continue
		}
		written.Add(1)
		seen := server.ask(`query ($id: ID!, $at: Position!) { ticket(id: $id, consistency: {atLeast: $at, maxWaitMs: 10000}) { id } }`, //nolint:contextcheck // what was asked is answered, also when others stop
			map[string]any{"id": done.ReceiveTicket.ID, "at": done.ReceiveTicket.Position})
		if idOf(seen.Data) != done.ReceiveTicket.ID {
			unseen.Add(1)
		}
	}
}

// seconds lists how long each switch took.
func seconds(tb testing.TB, lines string) string {
	tb.Helper()
	var all []string
	for line := range strings.Lines(lines) {
		var s struct {
			View    string
			Seconds float64
		}
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			tb.Fatalf("%q: %v", line, err)
		}
		all = append(all, fmt.Sprintf("%s %.0f ms", s.View, 1000*s.Seconds))
	}
	return strings.Join(all, ", ")
}
