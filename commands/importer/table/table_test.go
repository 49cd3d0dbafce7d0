package table_test

import (
	"testing"

	"aftercare/commands/importer/table"
)

func TestFold(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"Case ID": "caseid", "case_id": "caseid", " CASE-id\n": "caseid", "org:group": "orggroup", "Timely response?": "timelyresponse",
		"工单 编号": "工单编号", "编号（新）": "编号新", "ＩＤ": "id", "e\u0301tat": "état", "État": "état",
		"-100": "-100", "100": "100", "1.0": "1.0", "10": "10", "v. 1": "v1", "a-1": "a1", "?": "", "": "",
	} {
		if got := table.Fold(s); got != want {
			t.Errorf("Fold(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	h := table.NewHeader([]string{"Variant", "case id", "Case ID", "Variant", ""})
	for name, want := range map[string]int{"Variant": 0, "VARIANT": 0, "Case ID": 2, "CASE_ID": 1, "": 4, "other": -1, "?": -1} {
		if got := h.Find(name); got != want {
			t.Errorf("Find(%q) = %d, want %d", name, got, want)
		}
	}
	if r := table.NewRow(1, h, []string{"a"}); r.Header() != h {
		t.Error("a row has lost its header")
	} else if v, ok := r.Cell(1); ok || v != "" {
		t.Errorf("a short row has %q", v)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	l := table.NewLookup(map[string]int{"On-Hold": 1, "Done": 2, "DONE": 3, "-": 4, "+": 5, "1": 6})
	for name, want := range map[string]int{
		"on hold": 1, "Done": 2, "DONE": 3, "-": 4, "+": 5, "1": 6, // done, *, and -1 are not there
	} {
		if got, ok := l.Find(name); !ok || got != want {
			t.Errorf("Find(%q) = %d, %t, want %d", name, got, ok, want)
		}
	}
	for _, name := range []string{"done", "*", "-1", ""} {
		if got, ok := l.Find(name); ok {
			t.Errorf("Find(%q) = %d", name, got)
		}
	}
}
