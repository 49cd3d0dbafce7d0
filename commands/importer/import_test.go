package importer_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/commands"
	"aftercare/commands/importer"
	"aftercare/commands/logtest"
	"aftercare/commands/policies"
	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/domain/clock"
	"aftercare/domain/policy"
	"aftercare/domain/seal"
	"aftercare/domain/ticket"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// system is a log with the real ticket decider in front of it.
type system struct {
	log     *logtest.Memory
	tickets commands.Handler[ticket.State, ticket.Command, domain.Event]
}

func book(tb testing.TB) *policy.Book {
	tb.Helper()
	var published []policy.Published
	for _, v := range policies.Default() {
		published = append(published, policy.Published{Version: v})
	}
	b, err := policy.NewBook("test").With(published...)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func newSystem(tb testing.TB) *system {
	tb.Helper()
	log := logtest.NewMemory(catalog.Codec(), logtest.Sealer{}, func() time.Time { return now })
	return &system{log, commands.Handler[ticket.State, ticket.Command, domain.Event]{
		Log: log, Decider: ticket.New(book(tb)), HashKey: []byte("a key for the hashes of tests..."),
	}}
}

// result is what one run came to.
type result struct {
	files, rows, cases, facts, refusals int64
	refused                             []string // file:row column=value reason
}

// run imports what is under the paths.
func (s *system) run(tb testing.TB, m *importer.Mapping, paths ...string) result {
	tb.Helper()
	var r result
	im := importer.Import{
		Mapping: m, Key: []byte("a key for the pseudonyms of tests"), Principal: domain.Principal{ID: "test"}, Workers: 4,
		Handle: s.tickets.HandleAll,
		Refused: func(f importer.Refusal) error {
			r.refused = append(r.refused, fmt.Sprintf("%s:%d %s=%s %s", filepath.Base(f.File), f.Row, f.Column, f.Value, f.Reason.Code))
			return nil
		},
	}
	var p importer.Progress
	if err := im.Run(tb.Context(), paths, &p); err != nil {
		tb.Fatal(err)
	}
	r.files, r.rows, r.cases, r.facts, r.refusals = p.Files.Load(), p.Rows.Load(), p.Cases.Load(), p.Facts.Load(), p.Refusals.Load()
	return r
}

// events returns the events of a case in short, in order.
func (s *system) events(tb testing.TB, m *importer.Mapping, key string) (all []string) {
	tb.Helper()
	for r, err := range s.log.Read(tb.Context(), ticket.Category+"-"+importer.CaseID(m.Source, key).String(), 0) {
		if err != nil {
			tb.Fatal(err)
		}
		at := r.Metadata.OccurredAt.Format("01-02T15:04:05")
		switch e := r.Event.(type) {
		case ticket.StatusRecorded:
			all = append(all, fmt.Sprintf("%s %d %s", at, e.Seq, e.Status))
		case clock.TargetRecorded:
			all = append(all, fmt.Sprintf("%s target %s %s of %s", at, e.Clock, e.Due.Format("01-02T15:04:05"), e.Source))
		case clock.VerdictRecorded:
			all = append(all, fmt.Sprintf("%s verdict %s %t of %s", at, e.Clock, e.Met, e.Source))
		case ticket.Rated:
			all = append(all, fmt.Sprintf("%s rated %d", at, e.Score))
		case ticket.Received:
			all = append(all, fmt.Sprintf("%s received %s %v", at, e.Priority, e.Attributes))
		case ticket.Event:
			all = append(all, at+" "+strings.TrimSuffix(strings.TrimPrefix(e.EventType(), "ticket."), ".v1"))
		}
	}
	return all
}

func read(tb testing.TB, text string) *importer.Mapping {
	tb.Helper()
	m, err := importer.Read(files("m.yaml", text), "m.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// write writes a file and returns its path.
func write(tb testing.TB, dir, name, text string) string {
	tb.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

const caseMapping = `
name: desk
rows: case
zone: Asia/Shanghai
times: ["yyyy-MM-dd HH:mm"]
missing: ["-", n/a]
key: ID
received: Opened
customer: {columns: [Mail], optional: true}
details:
  priority: {columns: [Priority], map: {P1: critical, P2: high, none: ""}, default: normal, optional: true}
  agent: {columns: [Agent], optional: true}
text: {title: {columns: [Title], optional: true}}
events:
  - {at: Closed, status: {const: Closed}, phase: closed}
attributes:
  first_reply: {columns: [First reply], time: true, optional: true}
  where: {template: "{Site}/{Room}", optional: true}
targets:
  - {clock: resolution, due: {columns: [Due], optional: true}}
verdicts:
  - {clock: resolution, value: {columns: [In time], optional: true}, met: ["Yes"], missed: ["No"]}
rating: {score: {columns: [Stars], optional: true}, at: Closed, min: 1, max: 5}
checks:
  - {before: Opened, after: Closed}
`

func TestACaseInARow(t *testing.T) {
	t.Parallel()
	s, m := newSystem(t), read(t, caseMapping)
	path := write(t, t.TempDir(), "a.csv", "id;OPENED;closed;due;In time?;title;priority;first_reply;site;room;stars;Surplus\n"+
		"1;2026-01-05 09:00;2026-01-06 10:00;2026-01-07 00:00;YES;\"Lamp;\ndark\";p1;2026-01-05 09:30;A;3;4;x\n"+
		"2;2026-01-05 09:00;-;N/A;maybe;;none;-;A;-;;\n"+
		"3;2026-01-05 09:00;2026-01-05 09:00;-;no;;whatever;-;-;3;5.0;\n")
	got := s.run(t, m, path)
	if diff := cmp.Diff(result{files: 1, rows: 3, cases: 3, facts: 10}, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
	for key, want := range map[string][]string{
		"1": {
			"01-05T01:00:00 received critical map[first_reply:2026-01-05T01:30:00Z where:A/3]",
			"01-05T01:00:00 target resolution 01-06T16:00:00 of desk",
			"01-06T02:00:00 1 Closed", "01-06T02:00:00 closed", "01-06T02:00:00 verdict resolution true of desk", "01-06T02:00:00 rated 4",
		},
		"2": {"01-05T01:00:00 received  map[]"},
		"3": {
			"01-05T01:00:00 received whatever map[]",
			"01-05T01:00:00 1 Closed", "01-05T01:00:00 closed", "01-05T01:00:00 verdict resolution false of desk", "01-05T01:00:00 rated 5",
		},
	} {
		if diff := cmp.Diff(want, s.events(t, m, key)); diff != "" {
			t.Errorf("case %s (-want +got):\n%s", key, diff)
		}
	}
}

func TestRefusalsNameTheirPlaceAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	s, m := newSystem(t), read(t, caseMapping)
	long := strings.Repeat("长", 301)
	dir := t.TempDir()
	write(t, dir, "a.csv", "ID,Opened,Closed,Stars,Agent\n"+
		",2026-01-05 09:00,,,\n"+ // 2
		"2,,,,\n"+ // 3
		"3,yesterday,,,\n"+ // 4
		"4,2026-01-05 09:00,2026-01-04 09:00,,\n"+ // 5
		"5,2026-01-05 09:00,2026-01-06 09:00,6,\n"+ // 6
		"6,2026-01-05 09:00,2026-01-06 09:00,4.5,\n"+ // 7
		"7,2026-01-05 09:00,,,"+long+"\n"+ // 8
		"8,2026-01-05 09:00\n"+ // 9
		"9,2026-01-05 09:00,\",,\n"+ // 10
		"10,2026-01-05 09:00,,,\n"+ // 11
		"10,2026-01-05 09:00,,,\n"+ // 12: the same again
		"10,2026-01-05 10:00,,,\n") // 13
	write(t, dir, "b.csv", "ID,Closed\n1,\n")
	write(t, dir, "c.csv", "")
	write(t, dir, "d.csv", "ID,Opened,Closed\n")
	write(t, dir, "e.pdf", "%PDF")
	write(t, dir, "f.csv.gz", "no gzip")
	write(t, dir, "g.zip", "no zip")
	write(t, dir, "h.xlsx", "no workbook")
	write(t, dir, "i.xes", "")
	write(t, dir, "j.xes", "<html></html>")
	write(t, dir, ".hidden.csv", "x")
	got := s.run(t, m, dir)
	slices.Sort(got.refused)
	want := []string{
		"a.csv:10 =9,2026-01-05 09:00,\",, import.malformed-row",
		"a.csv:13 ID=10 import.duplicate-case",
		"a.csv:2 ID= import.missing-value",
		"a.csv:3 Opened= import.missing-value",
		"a.csv:4 Opened=yesterday import.bad-time",
		"a.csv:5 Closed=2026-01-04 09:00 import.wrong-order",
		"a.csv:6 Stars=6 import.bad-rating",
		"a.csv:7 Stars=4.5 import.bad-rating",
		"a.csv:8 ID=7 ticket.value-too-long",
		"a.csv:9 =8,2026-01-05 09:00 import.malformed-row",
		"b.csv:0 = import.missing-column",
		"c.csv:0 = import.empty-file",
		"e.pdf:0 = import.unknown-format",
		"f.csv.gz:0 = import.unreadable-file",
		"g.zip:0 = import.unreadable-file",
		"h.xlsx:0 = import.unreadable-file",
		"i.xes:0 = import.empty-file",
		"j.xes:0 = import.unreadable-file",
	}
	if diff := cmp.Diff(want, got.refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if got.cases != 1 || got.refusals != int64(len(want)) || len(s.events(t, m, "10")) != 1 || len(s.events(t, m, "7")) != 0 {
		t.Errorf("%d cases, %d refusals", got.cases, got.refusals)
	}
}

const eventMapping = `
name: flow
rows: event
order: %s
key: case
received: at
details: {team: {columns: [team], optional: true}}
text: {title: {columns: [title], optional: true}}
events:
  - at: at
    status: state
    states:
      Queued: {phase: open}
      On-Hold: {phase: waiting, reason: parts}
      "-1": {phase: cancelled}
      Done: {phase: resolved}
      "1": {phase: closed}
    otherwise: refuse
attributes: {note: {columns: [note], optional: true}}
`

func TestACaseInManyRowsAndFiles(t *testing.T) {
	t.Parallel()
	s, m := newSystem(t), read(t, fmt.Sprintf(eventMapping, "file"))
	dir := t.TempDir()
	first := write(t, dir, "1.csv", "case,at,state,note\nA,2026-01-05,QUEUED,x\nB,2026-01-05,-1,\nA,2026-01-06,On-Hold,y\nA,2026-01-06,On-Hold,y\n")
	second := write(t, dir, "2.csv", "state,case,at,note\nDONE,A,2026-01-08,z\nOn-Hold,A,2026-01-06,\nOn-Hold,A,2026-01-06,\nOn-Hold,A,2026-01-06,\nlost,B,2026-01-09,\n")
	got := s.run(t, m, dir, first, filepath.Join(dir, ".", "2.csv"))
	want := result{files: 2, rows: 9, cases: 2, facts: 8, refusals: 1, refused: []string{"2.csv:6 state=lost import.unknown-status"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
	wantEvents := []string{
		"01-05T00:00:00 received  map[]",
		"01-05T00:00:00 1 QUEUED",
		"01-06T00:00:00 2 On-Hold", "01-06T00:00:00 wait-started",
		"01-06T00:00:00 3 On-Hold",
		"01-08T00:00:00 4 DONE",
		"01-08T00:00:00 resolved",
		"01-06T00:00:00 5 On-Hold", "01-06T00:00:00 reopened", "01-06T00:00:00 wait-started",
	}
	_ = second
	if diff := cmp.Diff(wantEvents, s.events(t, m, "A")); diff != "" {
		t.Errorf("case A (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"01-05T00:00:00 received  map[]", "01-05T00:00:00 1 -1", "01-05T00:00:00 cancelled"}, s.events(t, m, "B")); diff != "" {
		t.Errorf("case B (-want +got):\n%s", diff)
	}
}

func TestAFileThatGrewAddsItsNewRows(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"file", "time"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			s, m := newSystem(t), read(t, fmt.Sprintf(eventMapping, order))
			const begun = "case,at,state\nA,2026-01-05,Queued\nA,2026-01-06,Done\nB,2026-01-05,Queued\n"
			dir := t.TempDir()
			s.run(t, m, write(t, dir, "a.csv", begun))
			before, other := s.events(t, m, "A"), s.events(t, m, "B")
			s.run(t, m, write(t, dir, "a.csv", begun)) // the same again
			s.run(t, m, write(t, dir, "a.csv", begun+"A,2026-01-07,1\n"))
			s.run(t, m, write(t, dir, "a.csv", begun+"A,2026-01-07,1\n"))
			want := append(before, "01-07T00:00:00 3 1", "01-07T00:00:00 closed")
			if diff := cmp.Diff(want, s.events(t, m, "A")); diff != "" {
				t.Errorf("case A (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(other, s.events(t, m, "B")); diff != "" {
				t.Errorf("case B (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARowThatIsPutRightDoublesNothing(t *testing.T) {
	t.Parallel()
	s, m := newSystem(t), read(t, fmt.Sprintf(eventMapping, "file"))
	dir := t.TempDir()
	text := "case,at,state\nA,2026-01-05,Queued\nA,someday,On-Hold\nA,2026-01-07,Done\n"
	s.run(t, m, write(t, dir, "a.csv", text))
	before := s.events(t, m, "A")
	s.run(t, m, write(t, dir, "a.csv", strings.Replace(text, "someday", "2026-01-06", 1)))
	if diff := cmp.Diff(before, s.events(t, m, "A")); diff != "" {
		t.Errorf("case A (-before +after):\n%s", diff)
	}
}

func TestByTimeTheOrderOfFilesDoesNotMatter(t *testing.T) {
	t.Parallel()
	m := read(t, fmt.Sprintf(eventMapping, "time"))
	dir := t.TempDir()
	paths := []string{
		write(t, dir, "1.csv", "case,at,state,title,note\nA,2026-01-07,Done,late,n3\nA,2026-01-05,Queued,early,n1\nA,2026-01-06,Queued,,n2\n"),
		write(t, dir, "2.csv", "case,at,state,note\nA,2026-01-06,On-Hold,n4\nB,2026-01-05,Queued,\n"),
		write(t, dir, "3.csv", "case,at,state,note\nA,2026-01-06,Queued,n5\nA,2026-01-09,1,n6\nA,2026-01-09,1,n7\n"),
	}
	var want []string
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		s := newSystem(t)
		s.run(t, m, paths[order[0]], paths[order[1]], paths[order[2]])
		got := s.events(t, m, "A")
		if want == nil {
			want = got
			if got[1] != "01-05T00:00:00 1 Queued" || !slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(a[:14], b[:14]) }) {
				t.Errorf("not by time:\n%s", strings.Join(got, "\n"))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("order %v (-want +got):\n%s", order, diff)
		}
	}
}

func TestInterruptedAndRunAgainNothingIsTwice(t *testing.T) {
	t.Parallel()
	s, m := newSystem(t), read(t, fmt.Sprintf(eventMapping, "file"))
	var text strings.Builder
	text.WriteString("case,at,state\n")
	for i := range 3000 {
		fmt.Fprintf(&text, "%d,2026-01-05,Queued\n%d,2026-01-06,Done\n", i, i)
	}
	path := write(t, t.TempDir(), "a.csv", text.String())
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var once sync.Mutex
	done := 0
	im := importer.Import{
		Mapping: m, Key: []byte("a key for the pseudonyms of tests"),
		Handle: func(ctx context.Context, id string, cmds []ticket.Command, meta domain.Metadata) (commands.Receipt, error) {
			once.Lock()
			if done++; done == 1500 {
				stop()
			}
			once.Unlock()
			return s.tickets.HandleAll(ctx, id, cmds, meta)
		},
	}
	if err := im.Run(ctx, []string{path}, &importer.Progress{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("the interrupted run returned %v", err)
	}
	s.run(t, m, path)
	for i := range 3000 {
		if got := s.events(t, m, strconv.Itoa(i)); len(got) != 4 {
			t.Fatalf("case %d: %q", i, got)
		}
	}
}

func TestAStoreThatIsAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	m := read(t, fmt.Sprintf(eventMapping, "file"))
	path := write(t, t.TempDir(), "a.csv", "case,at,state\nA,2026-01-05,Queued\n")
	tries := 0
	im := importer.Import{Mapping: m, Handle: func(context.Context, string, []ticket.Command, domain.Metadata) (commands.Receipt, error) {
		if tries++; tries == 1 {
			return commands.Receipt{}, domain.Refuse(domain.Unavailable, "store.unavailable")
		}
		return commands.Receipt{}, nil
	}}
	var p importer.Progress
	if err := im.Run(t.Context(), []string{path}, &p); err != nil || tries != 2 || p.Cases.Load() != 1 {
		t.Errorf("%d tries, %d cases, %v", tries, p.Cases.Load(), err)
	}
	broken := errors.New("the disk is gone")
	im.Handle = func(context.Context, string, []ticket.Command, domain.Metadata) (commands.Receipt, error) {
		return commands.Receipt{}, broken
	}
	if err := im.Run(t.Context(), []string{path}, &importer.Progress{}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := im.Run(t.Context(), []string{"/no/such/path"}, &importer.Progress{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestOneCustomerIsOnePersonOfOneSource(t *testing.T) {
	t.Parallel()
	path := write(t, t.TempDir(), "a.csv", "ID,Opened,Closed,Mail,Title\n1,2026-01-05 09:00,,a@example.com,t\n2,2026-01-05 09:00,,a@example.com,t\n3,2026-01-05 09:00,,,t\n4,2026-01-05 09:00,,,\n")
	persons := map[string]seal.Subject{}
	var prepared []seal.Subject
	var mu sync.Mutex
	im := importer.Import{
		Mapping: read(t, caseMapping), Key: []byte("k"),
		Prepare: func(_ context.Context, who []seal.Subject) error { prepared = append(prepared, who...); return nil },
		Handle: func(_ context.Context, _ string, cmds []ticket.Command, _ domain.Metadata) (commands.Receipt, error) {
			mu.Lock()
			defer mu.Unlock()
			r := cmds[0].(ticket.Receive)
			persons[r.Source.Key] = r.Customer
			return commands.Receipt{}, nil
		},
	}
	if err := im.Run(t.Context(), []string{path}, &importer.Progress{}); err != nil {
		t.Fatal(err)
	}
	if persons["1"] == "" || persons["1"] != persons["2"] || persons["3"] != "" || strings.Contains(string(persons["1"]), "@") || len(prepared) != 2 {
		t.Errorf("persons %v, prepared %v", persons, prepared)
	}
}
