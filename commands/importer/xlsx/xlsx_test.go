package xlsx_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"aftercare/commands/importer/table"
	"aftercare/commands/importer/xlsx"
)

func isHeader(h *table.Header) bool { return h.Find("id") >= 0 && h.Find("opened") >= 0 }

// book returns a workbook of sheets with rows of cells.
func book(tb testing.TB, since1904 bool, sheets map[string][][]any, order ...string) []byte {
	tb.Helper()
	f := excelize.NewFile()
	for i, name := range order {
		err := f.SetSheetName("Sheet1", name)
		if i > 0 {
			_, err = f.NewSheet(name)
		}
		for r, cells := range sheets[name] {
			err = errors.Join(err, f.SetSheetRow(name, fmt.Sprintf("A%d", r+1), &cells))
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &since1904}); err != nil {
		tb.Fatal(err)
	}
	var b bytes.Buffer
	if err := errors.Join(f.Write(&b), f.Close()); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func read(tb testing.TB, text []byte, o xlsx.Options) (rows []string, h *table.Header, err error) {
	tb.Helper()
	o.IsHeader = isHeader
	x, err := xlsx.New(bytes.NewReader(text), o)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err := x.Close(); err != nil {
			tb.Error(err)
		}
	}()
	for {
		row, err := x.Next()
		if errors.Is(err, io.EOF) {
			return rows, h, nil
		}
		if err != nil {
			return rows, h, err
		}
		h = row.Header()
		var cells []string
		for i := range h.Names {
			cell, _ := row.Cell(i)
			cells = append(cells, cell)
		}
		rows = append(rows, fmt.Sprintf("%d: %s", row.Line, strings.Join(cells, "|")))
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	day := time.Date(2019, 1, 1, 12, 0, 0, 0, time.UTC)
	list := [][]any{
		{"A list of cases"},
		{},
		{" ID ", "Opened", "Note"},
		{1, day, "date\ncell"},
		{},
		{"", "  "},
		{"2", "2019-01-01 12:00", nil, "beyond the header"},
		{3},
	}
	want := []string{"4: 1|43466.5|date\ncell", "7: 2|2019-01-01 12:00|", "8: 3||"}
	cover := [][]any{{"Cover"}, {"made by hand"}}
	for name, c := range map[string]struct {
		text  []byte
		sheet string
	}{
		"the first sheet":      {book(t, false, map[string][][]any{"Data": list}, "Data"), ""},
		"a sheet by its name":  {book(t, false, map[string][][]any{"A": {{"id", "opened"}, {9, 9}}, "Data": list}, "A", "Data"), "DATA"},
		"the one with columns": {book(t, false, map[string][][]any{"Cover": cover, "Data": list}, "Cover", "Data"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, h, err := read(t, c.text, xlsx.Options{Sheet: c.sheet})
			if err != nil || h.Dates != table.Since1900 {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAWorkbookSaysWhenItBegins(t *testing.T) {
	t.Parallel()
	_, h, err := read(t, book(t, true, map[string][][]any{"S": {{"id", "opened"}, {1, 42004}}}, "S"), xlsx.Options{})
	if err != nil || h.Dates != table.Since1904 {
		t.Errorf("got %v, %v", h, err)
	}
}

func TestNoRows(t *testing.T) {
	t.Parallel()
	whole := book(t, false, map[string][][]any{"S": {{"id", "opened"}, {1, 2}}}, "S")
	for name, c := range map[string]struct {
		text  []byte
		sheet string
		want  error
	}{
		"no header":         {book(t, false, map[string][][]any{"S": {{"id"}, {1}}}, "S"), "", xlsx.ErrNoHeader},
		"an empty sheet":    {book(t, false, nil, "S"), "", xlsx.ErrNoHeader},
		"no such sheet":     {whole, "T", xlsx.ErrNoSheet},
		"an empty file":     {nil, "", nil},
		"a truncated file":  {whole[:len(whole)/2], "", nil},
		"some other format": {[]byte("id,opened\n"), "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, _, err := read(t, c.text, xlsx.Options{Sheet: c.sheet})
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, %v, want %v", rows, err, c.want)
			}
		})
	}
	if rows, _, err := read(t, book(t, false, map[string][][]any{"S": {{"id", "opened"}}}, "S"), xlsx.Options{}); err != nil || len(rows) > 0 {
		t.Errorf("a header alone: %v, %v", rows, err)
	}
}

func BenchmarkRead(b *testing.B) {
	rows := [][]any{{"id", "opened", "status", "team"}}
	for i := range 5000 {
		rows = append(rows, []any{i, 43466.5, "Open", "north"})
	}
	text := book(b, false, map[string][][]any{"S": rows}, "S")
	n := 0
	for b.Loop() {
		got, _, err := read(b, text, xlsx.Options{})
		if err != nil {
			b.Fatal(err)
		}
		n += len(got)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}
