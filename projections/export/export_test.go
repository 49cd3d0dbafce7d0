package export_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"

	"aftercare/projections/archive"
	"aftercare/projections/export"
	"aftercare/projections/feed/feedtest"
)

func add(store *feedtest.Store, stream, kind, data, metadata string) {
	store.Append(stream, esdb.EventData{
		EventID: uuid.New(), EventType: kind, ContentType: esdb.ContentTypeJson, Data: []byte(data), Metadata: []byte(metadata),
	})
}

func at(month int) string {
	return fmt.Sprintf(`{"commandId":"0199b2f0-7c1e-7000-8000-000000000001","principal":{"id":"=agent-1","roles":["agent","lead"]},"channel":"cli","occurredAt":"2026-%02d-15T10:00:00.25Z"}`, month)
}

// files returns what an export holds, by name.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "_") {
			return err
		}
		text, err := os.ReadFile(path) //nolint:gosec // G122: the test's own folder
		name, _ := filepath.Rel(dir, path)
		found[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// lines returns the rows of an NDJSON export, in the order of the log.
func lines(t *testing.T, dir string) (rows []export.Row) {
	t.Helper()
	for _, text := range files(t, dir) {
		for line := range strings.Lines(text) {
			var r export.Row
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b export.Row) int { return int(a.CommitPosition - b.CommitPosition) })
	return rows
}

func run(t *testing.T, x export.Export) export.Result {
	t.Helper()
	done, err := x.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestWordsOfPersonsAreNotExported(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	add(store, "ticket-1", "ticket.received.v1", `{"number":12345678901234567890.50,"title":{"subject":"p1","sealed":"c2VjcmV0"},"list":[{"note":{"subject":"p2","sealed":"c2VjcmV0"}}]}`, at(1))
	add(store, "ticket-1", "ticket.noted.v1", `{"text":{"se\u0061led":"c2VjcmV0","subject":"p3"}}`, at(1))
	add(store, "ticket-1", "ticket.odd.v1", "no JSON c2VjcmV0", "nor this")
	for _, format := range export.Formats() {
		dir := t.TempDir()
		done := run(t, export.Export{Archive: &archive.Archive{Dir: t.TempDir(), Log: store.Log()}, Dir: dir, Format: format})
		if done.Events != 3 {
			t.Errorf("%s: %d events, want 3", format, done.Events)
		}
		for name, text := range files(t, dir) {
			if format != export.Parquet && strings.Contains(text, "c2VjcmV0") {
				t.Errorf("%s has a sealed text:\n%s", name, text)
			}
		}
	}
	dir := t.TempDir()
	run(t, export.Export{Archive: &archive.Archive{Log: store.Log()}, Dir: dir, Format: export.NDJSON})
	var data []string
	for _, r := range lines(t, dir) {
		data = append(data, string(r.Data))
	}
	want := []string{
		`{"list":[{"note":{"closed":true,"subject":"p2"}}],"number":12345678901234567890.50,"title":{"closed":true,"subject":"p1"}}`,
		`{"text":{"closed":true,"subject":"p3"}}`, `null`,
	}
	if diff := cmp.Diff(want, data); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAllFormatsHoldTheSame(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	for i := range 60 {
		add(store, fmt.Sprintf("ticket-%d", i%7), "ticket.noted.v1", fmt.Sprintf(`{"n":%d}`, i), at(1+i/20))
	}
	log := &archive.Archive{Dir: t.TempDir(), Log: store.Log()}
	dirs := make(map[export.Format]string)
	for _, format := range export.Formats() {
		dirs[format] = t.TempDir()
		run(t, export.Export{Archive: log, Dir: dirs[format], Format: format, Months: export.Occurred, Stretch: 25})
	}
	want := lines(t, dirs[export.NDJSON])
	if len(want) != 60 || want[59].Stream != "ticket-3" || string(want[59].Data) != `{"n":59}` || want[59].Roles != "agent,lead" ||
		want[59].OccurredAt.Format("2006-01-02T15:04:05.00") != "2026-03-15T10:00:00.25" {
		t.Fatalf("%d rows, the last %+v", len(want), want[len(want)-1])
	}
	months := slices.Sorted(maps.Keys(files(t, dirs[export.NDJSON])))
	if len(months) != 5 || !strings.HasPrefix(months[0], "month=2026-01/") || !strings.HasPrefix(months[4], "month=2026-03/") {
		t.Errorf("files %v, want January to March over three stretches", months)
	}

	var packed []export.Row
	for name := range files(t, dirs[export.Parquet]) {
		rows, err := parquet.ReadFile[export.Row](filepath.Join(dirs[export.Parquet], name))
		if err != nil {
			t.Fatal(err)
		}
		packed = append(packed, rows...)
	}
	slices.SortFunc(packed, func(a, b export.Row) int { return int(a.CommitPosition - b.CommitPosition) })
	for i := range packed {
		packed[i].OccurredAt, packed[i].RecordedAt = packed[i].OccurredAt.UTC(), packed[i].RecordedAt.UTC()
		want[i].RecordedAt = want[i].RecordedAt.Truncate(1000)
	}
	if diff := cmp.Diff(want, packed); diff != "" {
		t.Errorf("-ndjson +parquet:\n%.2000s", diff)
	}

	n := 0
	for _, text := range files(t, dirs[export.CSV]) {
		records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		n += len(records) - 1
		if got := records[1][12]; got != "'=agent-1" {
			t.Errorf("a spreadsheet would reckon %q", got)
		}
	}
	if n != 60 {
		t.Errorf("%d lines of CSV, want 60", n)
	}

	var traces, events int
	for _, text := range files(t, dirs[export.XES]) {
		var log struct {
			Trace []struct {
				Event []struct{} `xml:"event"`
			} `xml:"trace"`
		}
		if err := xml.Unmarshal([]byte(text), &log); err != nil {
			t.Fatal(err)
		}
		for _, trace := range log.Trace {
			traces++
			events += len(trace.Event)
		}
	}
	if traces != 7 || events != 60 {
		t.Errorf("%d traces of %d events, want 7 of 60", traces, events)
	}
}

// TestAnExportIsFinishedWhereverItWasInterrupted ends exports after each number of events and goes on with them.
func TestAnExportIsFinishedWhereverItWasInterrupted(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	for i := range 2500 {
		add(store, fmt.Sprintf("ticket-%d", i%70), "ticket.noted.v1", fmt.Sprintf(`{"n":%d}`, i), at(1+i%3))
	}
	log := &archive.Archive{Dir: t.TempDir(), Log: store.Log()}
	whole := t.TempDir()
	run(t, export.Export{Archive: log, Dir: whole, Format: export.NDJSON, Months: export.Occurred, Stretch: 300})
	want := lines(t, whole)
	dir := t.TempDir()
	x := export.Export{Archive: log, Dir: dir, Format: export.NDJSON, Months: export.Occurred, Stretch: 300}
	for tries := 1; ; tries++ {
		ctx, cancel := context.WithCancel(t.Context())
		x.Observe = func(int) { cancel() } // after the first thousand
		_, err := x.Run(ctx)
		cancel()
		if err == nil {
			if tries < 2 {
				t.Error("it was never interrupted")
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		// As a process that was killed leaves it.
		if err := os.WriteFile(filepath.Join(dir, "month=2026-01", "123.partial"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "month=2026-01", "99999999999999999999.ndjson"), []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if tries == 20 {
			t.Fatal("it gets nowhere")
		}
	}
	if diff := cmp.Diff(want, lines(t, dir)); diff != "" {
		t.Errorf("-in one go +interrupted:\n%.2000s", diff)
	}
	x.Observe = nil
	before := files(t, dir)
	if done := run(t, x); done.Events != 0 || done.TotalEvents != 2500 {
		t.Errorf("again: %+v", done)
	}
	add(store, "ticket-1", "ticket.noted.v1", `{"n":-1}`, at(9))
	if done := run(t, x); done.Events != 1 || done.TotalEvents != 2501 {
		t.Errorf("with one more: %+v", done)
	}
	after := files(t, dir)
	for name, text := range before {
		if after[name] != text {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestAnotherExportIsNotMixedIn(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	add(store, "ticket-1", "ticket.noted.v1", `{"n":1}`, at(1))
	add(store, "ticket-1", "ticket.closed.v1", `{"n":2}`, at(1))
	x := export.Export{Archive: &archive.Archive{Log: store.Log()}, Dir: t.TempDir(), Format: export.CSV, Selection: export.Selection{Types: []string{"ticket.c*.v1"}}}
	if done := run(t, x); done.Events != 1 {
		t.Errorf("%+v, want the one event that is selected", done)
	}
	for _, other := range []func(*export.Export){
		func(x *export.Export) { x.Format = export.NDJSON },
		func(x *export.Export) { x.Selection.Types = nil },
		func(x *export.Export) { x.Months = export.Occurred },
	} {
		y := x
		other(&y)
		if _, err := y.Run(t.Context()); !errors.Is(err, export.ErrOther) {
			t.Errorf("got %v, want %v", err, export.ErrOther)
		}
	}
	x.Dir, x.Format = t.TempDir(), export.XES
	run(t, x)
	if _, err := x.Run(t.Context()); !errors.Is(err, export.ErrFinished) {
		t.Errorf("got %v, want %v", err, export.ErrFinished)
	}
	x.Dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(x.Dir, "thesis.doc"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Run(t.Context()); !errors.Is(err, export.ErrOther) {
		t.Errorf("a folder of somebody else: got %v, want %v", err, export.ErrOther)
	}
}

// TestFilesOfSomebodyElseAreLeftAlone exports into a table of another tool, which is in folders of the same names.
func TestFilesOfSomebodyElseAreLeftAlone(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	add(store, "ticket-1", "ticket.noted.v1", `{"n":1}`, at(1))
	for _, name := range []string{"month=2026-01/part-0.parquet", "month=2026-01/part-0.csv", "download.partial"} {
		x := export.Export{Archive: &archive.Archive{Log: store.Log()}, Dir: t.TempDir(), Format: export.Format(strings.TrimPrefix(filepath.Ext(name), "."))}
		if x.Format == "partial" {
			x.Format = export.NDJSON
		}
		theirs := filepath.Join(x.Dir, name)
		if err := os.MkdirAll(filepath.Dir(theirs), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(theirs, []byte("theirs"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Run(t.Context()); !errors.Is(err, export.ErrOther) {
			t.Errorf("%s: got %v, want %v", name, err, export.ErrOther)
		}
		if _, err := os.Stat(theirs); err != nil {
			t.Errorf("%s is gone: %v", name, err)
		}
	}
}

// TestNoTimeKeepsAnExportFromGoingOn has events of other programs, with times of theirs.
func TestNoTimeKeepsAnExportFromGoingOn(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	for i, occurred := range []string{"9999-12-31T23:30:00-08:00", "0000-01-01T00:30:00+08:00", "0001-01-01T00:00:00+08:00", "2026-01-15T10:00:00Z"} {
		add(store, fmt.Sprintf("ticket-%d", i), "ticket.noted.v1", `{"n":1}`, `{"occurredAt":"`+occurred+`"}`)
	}
	for _, format := range export.Formats() {
		for _, months := range []export.Clock{export.Recorded, export.Occurred} {
			done, err := export.Export{Archive: &archive.Archive{Dir: t.TempDir(), Log: store.Log()}, Dir: t.TempDir(), Format: format, Months: months}.Run(t.Context())
			if err != nil || done.Events != 4 {
				t.Errorf("%s by %s: %+v, %v, want 4 events", format, months, done, err)
			}
		}
	}
}

func TestAFolderMayHaveAnyName(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	add(store, "ticket-1", "ticket.noted.v1", `{"n":1}`, at(1))
	for _, name := range []string{"of [2026]", "of [2026", "*"} {
		x := export.Export{Archive: &archive.Archive{Log: store.Log()}, Dir: filepath.Join(t.TempDir(), name), Format: export.NDJSON}
		if _, err := x.Run(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		left := filepath.Join(x.Dir, filepath.Dir(slices.Collect(maps.Keys(files(t, x.Dir)))[0]), "123.partial")
		if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, x)
		if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: what an interrupted run has left is there still: %v", name, err)
		}
	}
}

// TestLargeEventsAreNotHeldInMemory exports to Parquet, whose writer keeps rows until it has enough for a group.
func TestLargeEventsAreNotHeldInMemory(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	for range 40 {
		add(store, "ticket-1", "ticket.noted.v1", `{"n":"`+strings.Repeat("x", 1_000_000)+`"}`, at(1))
	}
	x := export.Export{Archive: &archive.Archive{Log: store.Log()}, Dir: t.TempDir(), Format: export.Parquet}
	if done := run(t, x); done.Events != 40 || done.Files != 1 {
		t.Errorf("%+v, want 40 events in 1 file", done)
	}
	for name, text := range files(t, x.Dir) {
		f, err := parquet.OpenFile(strings.NewReader(text), int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		if groups := f.RowGroups(); len(groups) != 3 || f.NumRows() != 40 {
			t.Errorf("%s has %d groups and %d rows, want 3 and 40", name, len(groups), f.NumRows())
		}
	}
	x.Dir, x.StretchBytes = t.TempDir(), 10_000_000
	if done := run(t, x); done.Events != 40 || done.Files != 4 {
		t.Errorf("%+v, want 40 events in 4 files", done)
	}
}
