package main_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aftercare/commands/importer/xes"
	"aftercare/projections/archive"
	"aftercare/projections/export"
	"aftercare/projections/feed/feedtest"
)

// TestTheImporterReadsWhatIsExportedAsXES has texts with all that is special in XML.
func TestTheImporterReadsWhatIsExportedAsXES(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	const who = "<a href=\\\"x\\\">&amp; 'q'\\r\\n\\t\\u0000 工单 😀 ]]>"
	for _, stream := range []string{"ticket-<1>", "ticket-\"2\"", "ticket-<1>"} {
		store.Append(stream, esdb.EventData{
			EventID: uuid.New(), EventType: "ticket.noted.v1", ContentType: esdb.ContentTypeJson, Data: []byte(`{"n":1}`),
			Metadata: []byte(`{"principal":{"id":"` + who + `"},"channel":"cli","occurredAt":"2026-01-15T10:00:00.25+08:00"}`),
		})
	}
	x := export.Export{Archive: &archive.Archive{Dir: t.TempDir(), Log: store.Log()}, Dir: t.TempDir(), Format: export.XES, Months: export.Occurred}
	if _, err := x.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(x.Dir, "month=2026-01", "000.xes"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it is only read
	reader, err := xes.New(f)
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for {
		row, err := reader.Next()
		if err != nil {
			break
		}
		var cells []string
		for _, name := range []string{"case:concept:name", "concept:name", "time:timestamp", "lifecycle:transition", "org:resource", "aftercare:revision", "aftercare:channel"} {
			cell, _ := row.Cell(row.Header().Find(name))
			cells = append(cells, cell)
		}
		got = append(got, cells)
	}
	const read = "<a href=\"x\">&amp; 'q'\r\n\t\ufffd 工单 😀 ]]>"
	want := [][]string{
		{"ticket-\"2\"", "ticket.noted.v1", "2026-01-15T02:00:00.25Z", "complete", read, "0", "cli"},
		{"ticket-<1>", "ticket.noted.v1", "2026-01-15T02:00:00.25Z", "complete", read, "0", "cli"},
		{"ticket-<1>", "ticket.noted.v1", "2026-01-15T02:00:00.25Z", "complete", read, "1", "cli"},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
