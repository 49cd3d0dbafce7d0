package csv_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"aftercare/commands/importer/csv"
	"aftercare/commands/importer/table"
)

// needs returns an IsHeader that wants the columns.
func needs(columns ...string) func(*table.Header) bool {
	return func(h *table.Header) bool {
		for _, c := range columns {
			if h.Find(c) < 0 {
				return false
			}
		}
		return true
	}
}

// read returns the rows as "line: a|b" and the refusals as "line! reason".
func read(tb testing.TB, in io.Reader, o csv.Options) ([]string, error) {
	tb.Helper()
	r, err := csv.New(in, o)
	if err != nil {
		return nil, err
	}
	var got []string
	for {
		row, err := r.Next()
		var bad *table.RowError
		switch {
		case errors.Is(err, io.EOF):
			return got, nil
		case errors.As(err, &bad):
			got = append(got, fmt.Sprintf("%d! %v", bad.Line, bad))
		case err != nil:
			return got, err
		default:
			var cells []string
			for i := range row.Header().Names {
				cell, _ := row.Cell(i)
				cells = append(cells, cell)
			}
			got = append(got, fmt.Sprintf("%d: %s", row.Line, strings.Join(cells, "|")))
		}
	}
}

const (
	bare  = "a quote within a field that is not quoted"
	after = "text after a closing quote"
	open  = "a quote that is never closed"
)

func TestRead(t *testing.T) {
	t.Parallel()
	gb, err := simplifiedchinese.GB18030.NewEncoder().String("编号,标题\n1,门楣灯箱不亮\n")
	if err != nil {
		t.Fatal(err)
	}
	utf16 := func(e unicode.Endianness, mark unicode.BOMPolicy) string {
		s, err := unicode.UTF16(e, mark).NewEncoder().String("id,name\r\n1,\"门\r\n楣\"\r\n")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, c := range map[string]struct {
		text string
		o    csv.Options
		want []string
	}{
		"plain":                          {"id,name\n1,a\n2,b", csv.Options{}, []string{"2: 1|a", "3: 2|b"}},
		"carriage returns":               {"id,name\r\n1,a\r\n\r\n2,b\r\n", csv.Options{}, []string{"2: 1|a", "4: 2|b"}},
		"the lines of an old Mac":        {"id,name\r1,a\r2,\"b\rc\"\r", csv.Options{}, []string{"2: 1|a", "3: 2|b\nc"}},
		"a header alone":                 {"id,name\n", csv.Options{}, nil},
		"a header without a line's end":  {"id,name", csv.Options{}, nil},
		"a byte order mark":              {"\ufeffid,name\n1,a\n", csv.Options{}, []string{"2: 1|a"}},
		"a mark before a quote":          {"\ufeff\"id\",\"name\"\n1,a\n", csv.Options{}, []string{"2: 1|a"}},
		"semicolons":                     {"id;name\n1;a,b\n", csv.Options{}, []string{"2: 1|a,b"}},
		"tabs":                           {"id\tname\n1\t\"a\tb\"\n", csv.Options{}, []string{"2: 1|a\tb"}},
		"bars":                           {"id|name\n1|a\n", csv.Options{}, []string{"2: 1|a"}},
		"a delimiter that is said":       {"id#name\n1#a\n", csv.Options{Delimiter: '#'}, []string{"2: 1|a"}},
		"a delimiter of two bytes":       {"id、name\n1、\"a、b\"\n", csv.Options{Delimiter: '、'}, []string{"2: 1|a、b"}},
		"what Excel writes first":        {"sep=;\nid;name\n1;a\n", csv.Options{}, []string{"3: 1|a"}},
		"title lines":                    {"A list\n\nof, many, \"things\n\nid,name\n1,a\n", csv.Options{}, []string{"6: 1|a"}},
		"newlines within quotes":         {"id,name\n1,\"a\n\nb\"\n2,c\n", csv.Options{}, []string{"2: 1|a\n\nb", "5: 2|c"}},
		"quotes within quotes":           {"id,name\n1,\"say \"\"hi\"\"\"\n2,\"\"\n3,\"\"\"\"\n", csv.Options{}, []string{"2: 1|say \"hi\"", "3: 2|", "4: 3|\""}},
		"a header over two lines":        {"id,\"na\nme\"\n1,a\n", csv.Options{}, []string{"3: 1|a"}},
		"other spellings of the header":  {" ID , NA-ME\n1,a\n", csv.Options{}, []string{"2: 1|a"}},
		"empty lines and empty rows":     {"id,name\n\n,\n , \n1,a\n", csv.Options{}, []string{"5: 1|a"}},
		"too few":                        {"id,name\n1\n2,b\n", csv.Options{}, []string{"2! 1 fields where the header has 2", "3: 2|b"}},
		"too many":                       {"id,name\n1,a,x\n2,b\n", csv.Options{}, []string{"2! 3 fields where the header has 2", "3: 2|b"}},
		"a stray quote in a field":       {"id,name\n1,5\" pipe\n2,b\n", csv.Options{}, []string{"2! " + bare, "3: 2|b"}},
		"text after a quote":             {"id,name\n1,\"a\"b\n2,b\n", csv.Options{}, []string{"2! " + after, "3: 2|b"}},
		"a quote that opens":             {"id,name\n1,\"a\n2,b\n3,c\n", csv.Options{}, []string{"2! " + open, "3: 2|b", "4: 3|c"}},
		"a quote that meets another":     {"id,name\n1,\"a\n2,\"b\"\n3,\"c\nd\"\n", csv.Options{}, []string{"2! " + after, "3: 2|b", "4: 3|c\nd"}},
		"a quote at the end":             {"id,name\n1,a\n2,\"", csv.Options{}, []string{"2: 1|a", "3! " + open}},
		"another encoding":               {gb, csv.Options{Encoding: "gb18030", IsHeader: needs("编号", "标题")}, []string{"2: 1|门楣灯箱不亮"}},
		"not in that encoding":           {"编号,标题\n1,a\n", csv.Options{Encoding: "utf-8", IsHeader: needs("编号")}, []string{"2: 1|a"}},
		"bytes that are no text":         {"id,name\n1,\xff\xfe\n2,b\n", csv.Options{}, []string{"2! text that is not in the file's encoding", "3: 2|b"}},
		"bytes that are no GB18030":      {"id,name\n1,\xff\xff\n2,b\n", csv.Options{Encoding: "gb18030"}, []string{"2! text that is not in the file's encoding", "3: 2|b"}},
		"UTF-16 with a mark":             {utf16(unicode.LittleEndian, unicode.UseBOM), csv.Options{}, []string{"2: 1|门\n楣"}},
		"UTF-16 the other way round":     {utf16(unicode.BigEndian, unicode.UseBOM), csv.Options{}, []string{"2: 1|门\n楣"}},
		"UTF-16 without a mark":          {utf16(unicode.LittleEndian, unicode.IgnoreBOM), csv.Options{}, []string{"2: 1|门\n楣"}},
		"a mark against what is said":    {utf16(unicode.BigEndian, unicode.UseBOM), csv.Options{Encoding: "gb18030"}, []string{"2: 1|门\n楣"}},
		"columns of one name":            {"id,name,name\n1,a,b\n", csv.Options{}, []string{"2: 1|a|b"}},
		"a field longer than the buffer": {"id,name\n1," + strings.Repeat("x", 1<<17) + "\n2,b\n", csv.Options{}, []string{"2: 1|" + strings.Repeat("x", 1<<17), "3: 2|b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.o.IsHeader == nil {
				c.o.IsHeader = needs("id", "name")
			}
			for _, in := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text))} {
				got, err := read(t, in, c.o)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestNoRows(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken pipe")
	for name, c := range map[string]struct {
		in   io.Reader
		o    csv.Options
		want error
	}{
		"an empty file":     {strings.NewReader(""), csv.Options{}, csv.ErrEmpty},
		"a mark alone":      {strings.NewReader("\ufeff"), csv.Options{}, csv.ErrEmpty},
		"empty lines":       {strings.NewReader("\n\r\n  \n"), csv.Options{}, csv.ErrEmpty},
		"another header":    {strings.NewReader("id,title\n1,a\n"), csv.Options{}, csv.ErrNoHeader},
		"no header at all":  {strings.NewReader(strings.Repeat("1,a\n", 100)), csv.Options{}, csv.ErrNoHeader},
		"another delimiter": {strings.NewReader("id;name\n1;a\n"), csv.Options{Delimiter: ','}, csv.ErrNoHeader},
		"a broken reader":   {iotest.ErrReader(broken), csv.Options{}, broken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.o.IsHeader = needs("id", "name")
			if got, err := read(t, c.in, c.o); !errors.Is(err, c.want) {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
		})
	}
	if _, err := csv.New(strings.NewReader("id"), csv.Options{Encoding: "klingon"}); err == nil {
		t.Error("an unknown encoding is taken")
	}
}

func TestReadsUpToWhereTheFileIsCut(t *testing.T) {
	t.Parallel()
	cut := errors.New("unexpected end")
	got, err := read(t, io.MultiReader(strings.NewReader("id,name\n1,a\n2,b"), iotest.ErrReader(cut)), csv.Options{IsHeader: needs("id", "name")})
	if diff := cmp.Diff([]string{"2: 1|a"}, got); diff != "" || !errors.Is(err, cut) {
		t.Errorf("%v, rows (-want +got):\n%s", err, diff)
	}
}

func TestAHugeRecordIsRefusedAndNotKept(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", 9<<20)
	lines := strings.Repeat("0,y\n", 1<<21)
	for name, text := range map[string]string{
		"in one line":          "1," + huge + "\n2,b\n",
		"over many lines":      "1,\"" + lines + "\"\n2,b\n",
		"of two parts":         "1,\"a\n" + huge + "\"\n2,b\n",
		"with an open quote":   "1,\"" + lines + "2,b\n",
		"without a line's end": "2,b\n1," + huge,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := csv.New(io.MultiReader(strings.NewReader("id,name\n"), strings.NewReader(text)), csv.Options{IsHeader: needs("id", "name")})
			if err != nil {
				t.Fatal(err)
			}
			refused, found := 0, false
			for {
				row, err := r.Next()
				if _, bad := errors.AsType[*table.RowError](err); bad {
					refused++
					continue
				}
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if id, _ := row.Cell(0); id == "2" {
					found = row.Line == 2+strings.Count(text[:strings.Index(text, "2,b")], "\n")
				}
			}
			if refused == 0 || !found {
				t.Errorf("%d refused; the other row found: %t", refused, found)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("id,name\n1,\"a\n\"\"b\"\r\n2,c\"d\n"), "")
	f.Add([]byte("\xff\xfei\x00d\x00\n\x001\x00"), "")
	f.Add([]byte("id\r\"1"), "gb18030")
	f.Fuzz(func(t *testing.T, text []byte, encoding string) {
		r, err := csv.New(bytes.NewReader(text), csv.Options{Encoding: encoding})
		if err != nil {
			return
		}
		last := 0
		for {
			row, err := r.Next()
			line := row.Line
			if bad, ok := errors.AsType[*table.RowError](err); ok {
				line = bad.Line
			} else if err != nil {
				return
			}
			if line <= last || line > len(text)+1 {
				t.Fatalf("line %d comes after line %d of %d bytes", line, last, len(text))
			}
			last = line
			for i := range 8 {
				if cell, _ := row.Cell(i); !utf8.ValidString(cell) {
					t.Fatalf("cell %q is no text", cell)
				}
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("id,opened,status,team,description\n")
	const rows = 20_000
	for i := range rows {
		fmt.Fprintf(&text, "%d,2026-01-02 03:04:05,Open,north,\"the lamp, the \"\"big\"\" one,\nis dark\"\n", i)
	}
	b.SetBytes(int64(text.Len()))
	n := 0
	for b.Loop() {
		r, err := csv.New(bytes.NewReader(text.Bytes()), csv.Options{IsHeader: needs("id")})
		for err == nil {
			if _, err = r.Next(); err == nil {
				n++
			}
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}
