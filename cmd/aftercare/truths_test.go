package main_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// shared returns a file of the real data, which is not part of the repository.
func shared(tb testing.TB, name string) string {
	tb.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "data"))
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		tb.Skip("the real data is not there: ", path)
	}
	return filepath.Join(path, name)
}

// truth is a question about the real data and its right answer.
type truth struct {
	query string
	// unit is what durations are given in, in seconds; hours unless told.
	unit float64
	// want is a line a row: its scalars in the order of the query.
	want []string
}

const (
	hours = 3600
	days  = 86400
)

func TestTruths(t *testing.T) {
	t.Parallel()
	imports := []struct {
		mapping, file, source, cases, known string
	}{
		{"uci-incidents", "uci-incidents/IT_Incident_Data.zip", "", "20769", "0"},
		{"bpic2013", "bpic2013/07_bpic2013_incidents.xes.gz", "", "7554", "0"},
		{"helpdesk", "helpdesk/helpdesk.csv", "", "4580", "0"},
		{"helpdesk", "helpdesk/pm4py_helpdesk.xes.gz", "", "4580", "4580"},
		{"boston311", "boston311/boston311_2015_types_A-G.tar.xz", "", "41429", "0"},
		{"cfpb", "cfpb/boa_Consumer_Complaints.xlsx", "", "62516", "0"},
		{"cfpb", "cfpb/tgschwartz_complaints_sample.csv", "cfpb-sample", "6623", "0"},
	}
	_ = shared(t, "README.md")
	p := newPlace(t)
	service := p.up()
	for _, i := range imports {
		args := []string{"import", "--mapping", i.mapping}
		if i.source != "" {
			args = append(args, "--source", i.source)
		}
		said := p.run(append(args, shared(t, i.file))...).out.text()
		want := i.cases + " cases recorded ("
		if !strings.Contains(said, want) || !strings.Contains(said, fmt.Sprintf(", %s of them known before; 0 refused", i.known)) {
			t.Fatalf("import of %s said %q, want %s cases, %s known", i.file, said, i.cases, i.known)
		}
	}
	t.Run("boston: our due times and those recorded", func(t *testing.T) {
		t.Parallel()
		got := p.rows(`select o.category, count(*), count(*) filter (where abs(extract(epoch from o.due_at - s.due_at)) <= 120)
			from view_sla.clock o join view_sla.clock s using (ticket, clock)
			where o.origin = 'ours' and s.origin = 'source_target' and o.category in ('Building Inspection Request', 'Electrical')
			group by o.category order by o.category`)
		if diff := gocmp.Diff([]string{"Building Inspection Request 4961 4961", "Electrical 1357 1357"}, got); diff != "" {
			t.Errorf("type, targets, ours within 120 s (-want +got):\n%s", diff)
		}
	})
	for name, truth := range truths() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := lines(t, data[json.RawMessage](t, service, truth.query, nil), truth.unit)
			if diff := gocmp.Diff(truth.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", truth.query, diff)
			}
		})
	}
}

// lines renders the rows of an answer: a line a row, of its scalars in the order of the query.
func lines(tb testing.TB, answer []byte, unit float64) []string {
	tb.Helper()
	var fields map[string][]json.RawMessage
	if err := json.Unmarshal(answer, &fields); err != nil {
		tb.Fatal(err)
	}
	var all []string
	for _, rows := range fields {
		for _, row := range rows {
			decoder := json.NewDecoder(bytes.NewReader(row))
			decoder.UseNumber()
			all = append(all, strings.Join(scalars(tb, decoder, "", unit), " "))
		}
	}
	return all
}

// scalars returns the scalars of the next value, in order.
func scalars(tb testing.TB, decoder *json.Decoder, field string, unit float64) []string {
	tb.Helper()
	token, err := decoder.Token()
	if err != nil {
		tb.Fatal(err)
	}
	var all []string
	switch token {
	case json.Delim('{'):
		for decoder.More() {
			name, err := decoder.Token()
			if err != nil {
				tb.Fatal(err)
			}
			all = append(all, scalars(tb, decoder, fmt.Sprint(name), unit)...)
		}
	case json.Delim('['):
		for decoder.More() {
			all = append(all, scalars(tb, decoder, field, unit)...)
		}
	default:
		return []string{scalar(tb, field, token, unit)}
	}
	if _, err := decoder.Token(); err != nil { // the end of the object or list
		tb.Fatal(err)
	}
	return all
}

// scalar renders a value as the list of truths does: shares in percent and durations in hours to four places, days to six.
func scalar(tb testing.TB, field string, value json.Token, unit float64) string {
	tb.Helper()
	number, ok := value.(json.Number)
	if !ok {
		return fmt.Sprint(value)
	}
	f, err := number.Float64()
	if err != nil {
		tb.Fatal(err)
	}
	switch field {
	case "value":
		return fmt.Sprintf("%.4f", 100*f)
	case "total", "mean", "median", "p90":
		if unit == days {
			return fmt.Sprintf("%.6f", f/days)
		}
		return fmt.Sprintf("%.4f", f/cmp.Or(unit, hours))
	case "sourceRowsMean":
		return fmt.Sprintf("%.4f", f)
	}
	return number.String()
}
