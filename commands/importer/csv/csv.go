// Package csv reads delimited text (RFC 4180) as rows.
//
// # Design
//
// The standard library's reader gives up a whole file to one stray quote: everything up to the next quote, or the end, is one field.
// This one refuses the line where such a record began and reads on with the next line, so that one bad row costs one row. Where a record
// is whole but has the wrong number of fields, the record is refused, with all its lines.
package csv

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"aftercare/commands/importer/charset"
	"aftercare/commands/importer/table"
)

// Options say how the text is written.
type Options struct {
	// Delimiter separates fields. Defaults to the one of comma, semicolon, tab and bar with which there is a header.
	Delimiter rune
	// Encoding is a name of the WHATWG encoding standard, such as "gb18030". Defaults to UTF-8, or UTF-16 where the text begins as such.
	// A byte order mark counts for more.
	Encoding string
	// IsHeader recognises the header; lines before it are skipped, within the first 50 records.
	IsHeader func(*table.Header) bool
}

// ErrNoHeader says that no line of the file's beginning has the columns that are needed.
var ErrNoHeader = errors.New("no header with the needed columns")

// ErrEmpty says that there is no text at all.
var ErrEmpty = errors.New("the file is empty")

var errEncoding = errors.New("text that is not in the file's encoding")

const (
	headerWithin = 50
	sniffed      = 1 << 16
)

// Reader reads one file.
type Reader struct {
	records    *records
	header     *table.Header
	translated bool
}

// New finds the header and returns a Reader at the first record after it. It fails with ErrEmpty or ErrNoHeader.
func New(r io.Reader, o Options) (*Reader, error) {
	text, translated, err := charset.Decode(r, o.Encoding)
	if err != nil {
		return nil, err
	}
	b := bufio.NewReaderSize(text, sniffed)
	start, err := b.Peek(sniffed)
	switch {
	case err == nil || len(bytes.TrimSpace(start)) > 0: // an error after the beginning is met again where it is
	case errors.Is(err, io.EOF):
		return nil, ErrEmpty
	default:
		return nil, fmt.Errorf("read text: %w", err)
	}
	var in io.Reader = b
	if bytes.IndexByte(start, '\r') >= 0 && bytes.IndexByte(start, '\n') < 0 {
		start = bytes.ReplaceAll(start, []byte{'\r'}, []byte{'\n'})
		in = oldMac{b}
	}
	delimiters := []rune{',', ';', '\t', '|'}
	if o.Delimiter != 0 {
		delimiters = []rune{o.Delimiter}
	}
	for _, d := range delimiters {
		if _, err := header(newRecords(bytes.NewReader(start), d), o.IsHeader); err != nil {
			continue
		}
		x := &Reader{records: newRecords(in, d), translated: translated}
		x.header, err = header(x.records, o.IsHeader)
		return x, err
	}
	return nil, ErrNoHeader
}

// header reads up to the header.
func header(r *records, is func(*table.Header) bool) (*table.Header, error) {
	for range headerWithin {
		record, err := r.next()
		if _, bad := errors.AsType[*table.RowError](err); bad {
			continue
		}
		if errors.Is(err, io.EOF) {
			return nil, ErrNoHeader
		}
		if err != nil {
			return nil, err
		}
		for i := range record.fields {
			record.fields[i] = strings.TrimSpace(record.fields[i])
		}
		if h := table.NewHeader(record.fields); is == nil || is(h) {
			return h, nil
		}
	}
	return nil, ErrNoHeader
}

// Next implements table.Reader. It refuses a record with more or fewer fields than the header, with broken quotes, or with text
// that is not in the file's encoding; a record of nothing but empty fields is passed over.
func (r *Reader) Next() (table.Row, error) {
	for {
		record, err := r.records.next()
		if err != nil {
			return table.Row{}, err
		}
		if blank(record.fields) {
			continue
		}
		refuse := func(err error) (table.Row, error) {
			return table.Row{}, &table.RowError{Line: record.line, Value: strings.Join(record.fields, string(r.records.delimiter)), Err: err}
		}
		if len(record.fields) != len(r.header.Names) {
			return refuse(fmt.Errorf("%d fields where the header has %d", len(record.fields), len(r.header.Names)))
		}
		for _, f := range record.fields {
			if !utf8.ValidString(f) || r.translated && strings.ContainsRune(f, utf8.RuneError) {
				return refuse(errEncoding)
			}
		}
		return table.NewRow(record.line, r.header, record.fields), nil
	}
}

func blank(record []string) bool {
	for _, f := range record {
		if strings.TrimSpace(f) != "" {
			return false
		}
	}
	return true
}

// oldMac reads text whose lines end in a carriage return alone.
type oldMac struct{ r io.Reader }

func (o oldMac) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	for i, c := range p[:n] {
		if c == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}
