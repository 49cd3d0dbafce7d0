package importer_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/commands"
	"aftercare/commands/importer"
	"aftercare/domain"
	"aftercare/domain/ticket"
)

// TestRealData holds what the shipped mappings read of real exports against counts made by other means.
func TestRealData(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(root); err != nil {
		t.Skip("the folder ../shared/data beside the repository is absent")
	}
	type truth struct {
		files, rows, cases       int64
		statuses, targets, rated int64
		met, missed              int64
		refused                  map[string]int
	}
	for name, c := range map[string]struct {
		mapping string
		paths   []string
		want    truth
	}{
		"an archive":           {"uci-incidents", []string{"uci-incidents"}, truth{files: 1, rows: 119998, cases: 20769, statuses: 119998, met: 12595, missed: 8174}},
		"a compressed log":     {"bpic2013", []string{"bpic2013"}, truth{files: 1, rows: 65533, cases: 7554, statuses: 65533}},
		"a log as text":        {"helpdesk", []string{"helpdesk/helpdesk.csv"}, truth{files: 1, rows: 21348, cases: 4580, statuses: 21348}},
		"a log as XES":         {"helpdesk", []string{"helpdesk/pm4py_helpdesk.xes.gz"}, truth{files: 1, rows: 21348, cases: 4580, statuses: 21348}},
		"one log in two forms": {"helpdesk", []string{"helpdesk"}, truth{files: 2, rows: 42696, cases: 4580, statuses: 21348}},
		"files in an archive":  {"boston311", []string{"boston311"}, truth{files: 48, rows: 41429, cases: 41429, statuses: 32853, targets: 34329, met: 29219, missed: 12159}},
		"text with newlines":   {"cfpb", []string{"cfpb/tgschwartz_complaints_sample.csv"}, truth{files: 1, rows: 6623, cases: 6623, statuses: 6623, met: 6529, missed: 94}},
		"bad rows": {"csat", []string{"csat"}, truth{
			files: 1, rows: 8469, cases: 4285, statuses: 1404, rated: 1404,
			refused: map[string]int{"First Response Time import.missing-value": 2819, "Time to Resolution import.wrong-order": 1365},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := importer.Load(c.mapping)
			if err != nil {
				t.Fatal(err)
			}
			var statuses, targets, rated, met, missed atomic.Int64
			var got truth
			im := importer.Import{
				Mapping: m,
				Handle: func(_ context.Context, _ string, cmds []ticket.Command, _ domain.Metadata) (commands.Receipt, error) {
					for _, c := range cmds {
						if _, ok := c.(ticket.RecordStatus); ok {
							statuses.Add(1)
						}
						if _, ok := c.(ticket.RecordTarget); ok {
							targets.Add(1)
						}
						if _, ok := c.(ticket.Rate); ok {
							rated.Add(1)
						}
						if v, ok := c.(ticket.RecordVerdict); ok && v.Met {
							met.Add(1)
						} else if ok {
							missed.Add(1)
						}
					}
					return commands.Receipt{}, nil
				},
				Refused: func(r importer.Refusal) error {
					if got.refused == nil {
						got.refused = map[string]int{}
					}
					got.refused[strings.TrimSpace(r.Column+" "+r.Reason.Code)]++
					if r.Row < 2 || r.Row > 30_000 || r.Reason.Code == "import.wrong-order" && r.Value == "" {
						t.Errorf("refused without its place or value: %+v", r)
					}
					return nil
				},
			}
			paths := make([]string, len(c.paths))
			for i, p := range c.paths {
				paths[i] = filepath.Join(root, filepath.FromSlash(p))
			}
			var p importer.Progress
			if err := im.Run(t.Context(), paths, &p); err != nil {
				t.Fatal(err)
			}
			got.files, got.rows, got.cases = p.Files.Load(), p.Rows.Load(), p.Cases.Load()
			got.statuses, got.targets, got.rated, got.met, got.missed = statuses.Load(), targets.Load(), rated.Load(), met.Load(), missed.Load()
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(truth{})); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
		})
	}
}
