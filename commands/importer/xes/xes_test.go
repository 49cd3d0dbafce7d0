package xes_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"aftercare/commands/importer/table"
	"aftercare/commands/importer/xes"
)

func read(r io.Reader) (rows []string, err error) {
	x, err := xes.New(r)
	if err != nil {
		return nil, err
	}
	for {
		row, err := x.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		var cells []string
		for i, name := range row.Header().Names {
			if cell, _ := row.Cell(i); cell != "" {
				cells = append(cells, name+"="+cell)
			}
		}
		rows = append(rows, fmt.Sprintf("%d: %s", row.Line, strings.Join(cells, " ")))
	}
}

const log = `<?xml version="1.0" encoding="%s"?>
<!-- a log -->
<%[2]slog xes.version="1849-2016" %[3]s>
  <%[2]sextension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <%[2]sglobal scope="event"><%[2]sstring key="concept:name" value="default"/></%[2]sglobal>
  <%[2]sstring key="origin" value="a test"/>
  <%[2]strace>
    <%[2]sstring key="concept:name" value="1"><%[2]sstring key="nested" value="no"/></%[2]sstring>
    <%[2]slist key="people"><%[2]svalues><%[2]sstring key="p" value="no"/></%[2]svalues></%[2]slist>
    <%[2]sevent>
      <%[2]sstring key="concept:name" value="Ouverture &amp; é"/>
      <%[2]sdate key="time:timestamp" value="2010-03-31T16:59:42+02:00"/>
      <%[2]sint key="n" value="3"/><%[2]sfloat key="f" value="1.5"/><%[2]sboolean key="b" value="true"/><%[2]sid key="i" value="x"/>
      <%[2]scontainer key="c"><%[2]sstring key="no" value="no"/></%[2]scontainer>
    </%[2]sevent>
    <%[2]sevent><%[2]sstring key="concept:name" value="Fin"/><%[2]sstring key="late" value="1"/></%[2]sevent>
  </%[2]strace>
  <%[2]strace><%[2]sstring value="no key"/><%[2]sstring key="concept:name" value="2"/></%[2]strace>
  <%[2]strace><%[2]sevent/></%[2]strace>
  <%[2]sevent><%[2]sstring key="concept:name" value="alone"/></%[2]sevent>
</%[2]slog>`

var want = []string{
	"1: case:concept:name=1 concept:name=Ouverture & é time:timestamp=2010-03-31T16:59:42+02:00 n=3 f=1.5 b=true i=x",
	"2: case:concept:name=1 concept:name=Fin late=1",
	"3: ",
	"4: concept:name=alone",
}

func TestRead(t *testing.T) {
	t.Parallel()
	latin, err := charmap.ISO8859_1.NewEncoder().String(fmt.Sprintf(log, "ISO-8859-1", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(fmt.Sprintf(log, "UTF-16", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"without a namespace":   fmt.Sprintf(log, "UTF-8", "", ""),
		"with one":              fmt.Sprintf(log, "utf-8", "", `xmlns="http://www.xes-standard.org/"`),
		"with a prefix":         fmt.Sprintf(log, "UTF-8", "x:", `xmlns:x="http://www.xes-standard.org/"`),
		"with a mark":           "\ufeff" + fmt.Sprintf(log, "UTF-8", "", ""),
		"in Latin-1":            latin,
		"in UTF-16":             wide,
		"without a declaration": strings.TrimPrefix(fmt.Sprintf(log, "UTF-8", "", ""), `<?xml version="1.0" encoding="UTF-8"?>`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := read(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsNoLog(t *testing.T) {
	t.Parallel()
	whole := fmt.Sprintf(log, "UTF-8", "", "")
	for name, c := range map[string]struct {
		text string
		rows int
		want error
	}{
		"nothing":         {"", 0, xes.ErrEmpty},
		"a mark alone":    {"\ufeff", 0, xes.ErrEmpty},
		"blanks":          {"\n \n", 0, xes.ErrNotXES},
		"another format":  {"<html></html>", 0, xes.ErrNotXES},
		"no XML":          {"id,opened\n", 0, xes.ErrNotXES},
		"cut in an event": {whole[:strings.Index(whole, `value="Fin"`)], 1, nil},
		"cut after one":   {whole[:strings.Index(whole, "no key")], 2, nil},
		"a wrong end":     {"<log><trace></log>", 0, nil},
		"no such charset": {`<?xml version="1.0" encoding="klingon"?><log/>`, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, err := read(strings.NewReader(c.text))
			if err == nil || c.want != nil && !errors.Is(err, c.want) || len(rows) != c.rows {
				t.Errorf("got %v, %v, want %d rows and %v", rows, err, c.rows, c.want)
			}
		})
	}
	if rows, err := read(strings.NewReader("<log/>")); err != nil || len(rows) > 0 {
		t.Errorf("an empty log: %v, %v", rows, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(log, "UTF-8", "", "")))
	f.Add([]byte("<log><event/><trace><event><date key='k' value='v'/>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		x, err := xes.New(bytes.NewReader(text))
		if err != nil {
			return
		}
		for n := 1; ; n++ {
			row, err := x.Next()
			if _, bad := errors.AsType[*table.RowError](err); bad {
				t.Fatal("an event is refused alone")
			}
			if err != nil {
				return
			}
			if row.Line != n {
				t.Fatalf("event %d is the %d.", row.Line, n)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("<log>")
	for i := range 4000 {
		fmt.Fprintf(&text, `<trace><string key="concept:name" value="%d"/>`, i)
		for range 5 {
			text.WriteString(`<event><string key="concept:name" value="Open"/><string key="org:resource" value="Anna"/><date key="time:timestamp" value="2010-03-31T16:59:42+02:00"/></event>`)
		}
		text.WriteString("</trace>")
	}
	text.WriteString("</log>")
	b.SetBytes(int64(text.Len()))
	n := 0
	for b.Loop() {
		x, err := xes.New(bytes.NewReader(text.Bytes()))
		for err == nil {
			if _, err = x.Next(); err == nil {
				n++
			}
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}
