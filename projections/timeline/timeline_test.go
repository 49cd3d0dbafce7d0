package timeline_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/seal"
	domainticket "aftercare/domain/ticket"
	"aftercare/projections/facet"
	"aftercare/projections/page"
	"aftercare/projections/postgres/pgtest"
	"aftercare/projections/ticket"
	"aftercare/projections/timeline"
	"aftercare/projections/viewtest"
)

func given(t *testing.T, h viewtest.History) *pgxpool.Pool {
	t.Helper()
	pool := pgtest.Pool(t)
	viewtest.Live(t, pool, ticket.View(), h.Events)
	viewtest.Live(t, pool, timeline.View(), h.Events)
	return pool
}

// told is a history of every kind of entry.
func told() viewtest.History {
	var h viewtest.History
	h.Case(1,
		domainticket.Received{At: viewtest.At(0), Number: "AC-1", Title: seal.New("li", "No heat"), Contact: viewtest.Forgotten("li")},
		clock.Started{At: viewtest.At(0), Instance: 1, Clock: "resolution"},
		domainticket.Responded{At: viewtest.At(1), By: domainticket.Autoresponder},
		domainticket.StatusRecorded{At: viewtest.At(2), Seq: 1, Status: "Queued", Agent: "anna"},
		domainticket.Noted{At: viewtest.At(3), Text: viewtest.Forgotten("wang")},
	)
	h.Case(2, domainticket.Received{At: viewtest.At(0), Number: "AC-2"})
	return h
}

func TestAnEntryTellsAnEvent(t *testing.T) {
	t.Parallel()
	h := told()
	history, err := timeline.Read(t.Context(), given(t, h), timeline.HistoryQuery{Ticket: viewtest.ID(1)})
	if err != nil {
		t.Fatal(err)
	}
	entry := func(i int, fact, status string, seq int, detail string, texts map[string]timeline.Text) timeline.Entry {
		e := h.Events[i]
		return timeline.Entry{
			Ticket: viewtest.ID(1), Revision: e.Revision, Position: e.Position, EventID: e.ID, Type: e.Type, OccurredAt: e.Event.OccurredAt(),
			RecordedAt: e.RecordedAt, Principal: "anna", OnBehalfOf: "li", Channel: "import", CommandID: e.Metadata.CommandID,
			Fact: fact, Status: status, Seq: seq, Detail: []byte(detail), Texts: texts,
		}
	}
	want := []timeline.Entry{
		entry(0, "received", "", 0, `{"at": "2026-01-05T08:00:00Z", "number": "AC-1"}`, map[string]timeline.Text{
			"title": {Subject: "li", Value: "No heat"}, "contact": {Subject: "li", Forgotten: true},
		}),
		entry(1, "", "", 0, "", nil),
		entry(2, "", "", 0, `{"at": "2026-01-05T09:00:00Z", "by": "autoresponder"}`, nil),
		entry(3, "status-recorded", "Queued", 1, `{"at": "2026-01-05T10:00:00Z", "seq": 1, "agent": "anna", "status": "Queued"}`, nil),
		entry(4, "noted", "", 0, `{"at": "2026-01-05T11:00:00Z"}`, map[string]timeline.Text{"text": {Subject: "wang", Forgotten: true}}),
	}
	got := history.Entries
	if len(got) == len(want) {
		got[1].Detail = want[1].Detail // a promise is long
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("entries differ (-want +got):\n%s", diff)
	}
}

func TestAnEntryLeavesOutWhatAPromiseCounts(t *testing.T) {
	t.Parallel()
	spans := []clock.Span{{Start: viewtest.At(0), End: viewtest.At(1)}, {Start: viewtest.At(2), End: viewtest.At(3)}}
	var h viewtest.History
	h.Case(1,
		domainticket.Received{At: viewtest.At(0), Number: "AC-1"},
		clock.Started{At: viewtest.At(0), Instance: 1, Clock: "resolution", Promise: clock.Promise{Budget: 2, Unit: clock.Minutes, Counted: spans}},
		clock.Resumed{At: viewtest.At(1), Instance: 1, Due: viewtest.At(5), Counted: spans},
	)
	history, err := timeline.Read(t.Context(), given(t, h), timeline.HistoryQuery{Ticket: viewtest.ID(1)})
	if err != nil {
		t.Fatal(err)
	}
	if len(history.Entries) != 3 {
		t.Fatalf("got %d entries, want 3", len(history.Entries))
	}
	for _, e := range history.Entries[1:] {
		if detail := string(e.Detail); strings.Contains(detail, "counted") || !strings.Contains(detail, `"instance": 1`) {
			t.Errorf("detail of %s: got %s, want the instance and nothing counted", e.Type, detail)
		}
	}
}

func revisions(entries []timeline.Entry) []uint64 {
	var all []uint64
	for _, e := range entries {
		all = append(all, e.Revision)
	}
	return all
}

func TestAHistoryIsReadInPages(t *testing.T) {
	t.Parallel()
	pool := given(t, told())
	read := func(q timeline.HistoryQuery) timeline.History {
		q.Ticket = viewtest.ID(1)
		h, err := timeline.Read(t.Context(), pool, q)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	first := read(timeline.HistoryQuery{Page: page.Page{First: 2}})
	next := read(timeline.HistoryQuery{Page: page.Page{First: 9, After: first.Cursors[1]}})
	before := read(timeline.HistoryQuery{Page: page.Page{Last: 2, Before: next.Cursors[2]}})
	newest := read(timeline.HistoryQuery{Descending: true, Page: page.Page{First: 2}})
	notes := read(timeline.HistoryQuery{Types: []string{domainticket.TypeNoted}})
	for name, c := range map[string]struct {
		got, want any
	}{
		"first":    {revisions(first.Entries), []uint64{0, 1}},
		"around":   {first.Info, page.Info{HasNext: true}},
		"next":     {revisions(next.Entries), []uint64{2, 3, 4}},
		"the end":  {next.Info, page.Info{HasPrevious: true}},
		"before":   {revisions(before.Entries), []uint64{2, 3}},
		"newest":   {revisions(newest.Entries), []uint64{4, 3}},
		"of types": {revisions(notes.Entries), []uint64{4}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", name, diff)
		}
	}
	if _, err := timeline.Read(t.Context(), pool, timeline.HistoryQuery{Ticket: viewtest.ID(2), Page: page.Page{After: first.Cursors[0]}}); err == nil {
		t.Error("a cursor of another case was taken")
	}
}

func TestTheLatestEntriesOfManyCases(t *testing.T) {
	t.Parallel()
	got, err := timeline.Latest(t.Context(), given(t, told()), []domain.UUID{viewtest.ID(1), viewtest.ID(2), viewtest.ID(3)}, 2)
	if err != nil {
		t.Fatal(err)
	}
	all := map[domain.UUID][]uint64{}
	for id, entries := range got {
		all[id] = revisions(entries)
	}
	if diff := cmp.Diff(map[domain.UUID][]uint64{viewtest.ID(1): {4, 3}, viewtest.ID(2): {0}}, all); diff != "" {
		t.Errorf("entries differ (-want +got):\n%s", diff)
	}
}

func TestDwellIsTheTimeToTheNextRow(t *testing.T) {
	t.Parallel()
	var h viewtest.History
	row := func(hours float64, seq int, status string) domainticket.StatusRecorded {
		return domainticket.StatusRecorded{At: viewtest.At(hours), Seq: seq, Status: status}
	}
	// Rows 2 and 3 of case 1 share a time: the order of the source counts, not that of time.
	h.Case(1, domainticket.Received{At: viewtest.At(0), Details: domainticket.Details{Priority: "high"}},
		row(0, 1, "New"), row(2, 2, "Wait"), row(2, 3, "New"), domainticket.Noted{At: viewtest.At(3)}, row(6, 4, "Done"))
	h.Case(2, domainticket.Received{At: viewtest.At(0)}, row(0, 1, "New"), row(1, 2, "Done"))
	pool := given(t, h)
	got, err := timeline.ComputeDwell(t.Context(), pool, timeline.DwellQuery{})
	if err != nil {
		t.Fatal(err)
	}
	// New: 2, 4 and 1 hours.
	want := []timeline.Dwell{
		{Status: "New", N: 3, Cases: 2, Total: 7 * 3600, Mean: 8400, Median: 2 * 3600, P90: 3.6 * 3600},
		{Status: "Wait", N: 1, Cases: 1},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
		t.Errorf("dwell times differ (-want +got):\n%s", diff)
	}
	got, err = timeline.ComputeDwell(t.Context(), pool, timeline.DwellQuery{
		Filter: facet.Filter{Priorities: []string{"high"}}, GroupBy: []facet.By{{Dimension: facet.Priority}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Total != 6*3600 || got[0].Group[0].Value != "high" {
		t.Errorf("dwell of one priority = %+v, want New 6 hours", got)
	}
}
