package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"aftercare/commands"
	"aftercare/commands/eventstore"
	"aftercare/commands/keyring"
	"aftercare/domain"
	"aftercare/domain/calendar"
	"aftercare/domain/catalog"
	"aftercare/domain/clock"
	"aftercare/domain/policy"
	"aftercare/domain/ticket"
	"aftercare/graph"
	"aftercare/projections"
	"aftercare/projections/facet"
	"aftercare/projections/feed/feedtest"
	"aftercare/projections/metric"
	"aftercare/projections/observe"
	"aftercare/projections/postgres"
	"aftercare/projections/postgres/pgtest"
	"aftercare/projections/satisfaction"
	"aftercare/projections/sla"
	tickets "aftercare/projections/ticket"
	"aftercare/projections/timeline"
)

var update = flag.Bool("update", os.Getenv("UPDATE") != "", "rewrite the golden files")

func TestMain(m *testing.M) {
	flag.Parse()
	// The throw-away Postgres outlives the tests.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("aftercare/deploy/localpg.(*server).wait"))
}

// noon is the time of the tests.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// clockOfTheMachine is what servers behind the API go by; what the API itself says is held to noon.
var clockOfTheMachine = time.Now //nolint:forbidigo // ages of events the real store recorded are measured with it

// bench is the whole API over a real store and a real Postgres.
type bench struct {
	testing.TB
	server  *httptest.Server
	store   *feedtest.Store
	pool    *pgxpool.Pool
	log     *eventstore.Log
	ring    *keyring.Ring
	tracker *projections.Tracker
	counted *counted
	ids     *atomic.Uint64
}

func newBench(tb testing.TB, change ...func(*graph.Config)) *bench {
	tb.Helper()
	b := &bench{TB: tb, store: feedtest.New(tb), pool: pgtest.Pool(tb), ids: new(atomic.Uint64)}
	ctx := context.WithoutCancel(tb.Context())
	wrapper, err := keyring.LocalKeyset(filepath.Join(tb.TempDir(), "keyset.json"))
	if err != nil {
		tb.Fatal(err)
	}
	if b.ring, err = keyring.Open(ctx, keyring.Options{Pool: b.pool, Wrapper: wrapper, Now: clockOfTheMachine}); err != nil {
		tb.Fatal(err)
	}
	if b.log, err = eventstore.Open(b.store.Log().URL, catalog.Codec(), b.ring, eventstore.Options{}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = b.log.Close() })
	b.tracker = &projections.Tracker{Pool: b.pool, Log: b.store.Log(), Now: clockOfTheMachine}
	b.counted = &counted{DB: postgres.Reader{Pool: b.pool}}
	config := graph.Config{
		Commands: commands.Handler[ticket.State, ticket.Command, domain.Event]{
			Log: b.log, Decider: ticket.New(book(tb)), HashKey: []byte("a key of the tests, long enough"),
		},
		History: b.log, Progress: b.tracker, Metrics: &metric.Store{Pool: b.pool}, DB: b.counted,
		Now: func() time.Time { return noon }, NewID: b.id,
		Log: slog.New(slog.NewTextHandler(tb.Output(), nil)), Watch: 5 * time.Millisecond,
	}
	for _, f := range change {
		f(&config)
	}
	b.run(ctx, config.Tracing)
	b.server = httptest.NewServer(graph.New(config))
	tb.Cleanup(b.server.Close)
	return b
}

// in returns the bench for a part of its test.
func (b *bench) in(tb testing.TB) *bench {
	tb.Helper()
	part := *b
	part.TB = tb
	return &part
}

// run keeps the views up to date until the test ends, with spans where there is what makes them.
func (b *bench) run(ctx context.Context, tracing trace.TracerProvider) {
	views := []projections.View{tickets.View(), timeline.View(), sla.View(), satisfaction.View()}
	if err := projections.Ensure(ctx, b.pool, views...); err != nil {
		b.Fatal(err)
	}
	r := projections.Runner{
		Pool: b.pool, Log: b.store.Log(), Codec: catalog.Codec(), Opener: b.ring, Views: views, Tracker: b.tracker,
	}
	if tracing != nil {
		r.Observers = []projections.Observer{observe.Spans{Tracing: tracing}}
	}
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			b.Error("the runner failed:", err)
		}
	})
}

// book holds two promises: a first answer within an hour, and a solution within two working days while we do not wait for the
// customer. The office is open from nine to five.
func book(tb testing.TB) *policy.Book {
	tb.Helper()
	office := calendar.Definition{Zone: "UTC", Week: map[string][]calendar.Interval{}}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri"} {
		office.Week[day] = []calendar.Interval{{"09:00", "17:00"}}
	}
	b, err := policy.NewBook("2026a").With(
		policy.Published{At: noon, Version: policy.Version{ID: "office", Number: 1, Calendar: &office}},
		policy.Published{At: noon, Version: policy.Version{ID: "service", Number: 1, Clocks: []clock.Definition{
			{
				Clock: "first_response", Start: []string{"received"}, Stop: []string{"responded", "resolved"},
				Budget: 60, Unit: clock.Minutes, Calendar: "office",
			},
			{
				Clock: "resolution", Start: []string{"received"}, Stop: []string{"resolved"}, Budget: 2, Unit: clock.WorkingDays,
				Calendar: "office", Pause: []string{"customer"}, When: map[string][]string{"priority": {"high"}},
			},
		}}},
	)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// id makes ids that are the same in every run.
func (b *bench) id() domain.UUID {
	return domain.DeriveUUID(domain.UUID{}, "test "+strconv.FormatUint(b.ids.Add(1), 10))
}

// counted counts statements.
type counted struct {
	facet.DB
	n atomic.Int64
}

func (c *counted) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	c.n.Add(1)
	return c.DB.Query(ctx, sql, args...)
}

func (c *counted) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	c.n.Add(1)
	return c.DB.QueryRow(ctx, sql, args...)
}

// answer is what GraphQL answered.
type answer struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Path       []any          `json:"path"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
	Extensions struct {
		Consistency *struct {
			Position  string `json:"position"`
			LagMs     *int64 `json:"lagMs"`
			Satisfied bool   `json:"satisfied"`
		} `json:"consistency"`
	} `json:"extensions"`
}

// post sends a body and returns status and answer.
func (b *bench) post(body []byte, header ...string) (int, []byte) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, b.server.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := b.server.Client().Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return response.StatusCode, got
}

// ask sends an operation and returns the answer, errors and all.
func (b *bench) ask(query string, variables map[string]any, header ...string) answer {
	b.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		b.Fatal(err)
	}
	_, got := b.post(body, header...)
	var a answer
	if err := json.Unmarshal(got, &a); err != nil {
		b.Fatalf("no JSON: %v\n%s", err, got)
	}
	return a
}

// data sends an operation that must succeed and reads its data.
func data[T any](b *bench, query string, variables map[string]any) T {
	b.Helper()
	a := b.ask(query, variables)
	if len(a.Errors) > 0 {
		b.Fatalf("%s\ngot errors %+v", query, a.Errors)
	}
	var d T
	if err := json.Unmarshal(a.Data, &d); err != nil {
		b.Fatal(err)
	}
	return d
}

// golden compares JSON with a file in testdata.
func golden(tb testing.TB, name string, got []byte) {
	tb.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, got, "", "  "); err != nil {
		tb.Fatalf("%v\n%s", err, got)
	}
	compare(tb, name, append(pretty.Bytes(), '\n'))
}

func compare(tb testing.TB, name string, got []byte) {
	tb.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			tb.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		tb.Errorf("%s differs (-want +got); UPDATE=1 rewrites it:\n%s", name, diff)
	}
}
