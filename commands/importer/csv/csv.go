// Package csv reads delimited text as rows.
package csv

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"

	"aftercare/commands/importer/table"
)

// Options say how the text is written.
type Options struct {
	// Delimiter separates fields. Defaults to a comma.
	Delimiter rune
	// Encoding is a name of the WHATWG encoding standard, such as "gb18030". Defaults to UTF-8, with or without a mark.
	Encoding string
	// IsHeader recognises the header; lines before it are skipped, within the first 50 records.
	IsHeader func(*table.Header) bool
}

// ErrNoHeader says that no line of the file's beginning has the columns that are needed.
var ErrNoHeader = errors.New("no header with the needed columns")

const headerWithin = 50

// Reader reads one file.
type Reader struct {
	csv    *csv.Reader
	header *table.Header
}

// New finds the header and returns a Reader at the first record after it. It fails with ErrNoHeader, and with the
// columns it saw first.
func New(r io.Reader, o Options) (*Reader, error) {
	if o.Encoding != "" {
		enc, err := htmlindex.Get(o.Encoding)
		if err != nil {
			return nil, fmt.Errorf("encoding %q: %w", o.Encoding, err)
		}
		r = transform.NewReader(r, enc.NewDecoder())
	}
	b := bufio.NewReaderSize(r, 1<<16)
	if mark, err := b.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = b.Discard(3)
	}
	c := csv.NewReader(b)
	c.FieldsPerRecord = -1
	if o.Delimiter != 0 {
		c.Comma = o.Delimiter
	}
	for range headerWithin {
		record, err := c.Read()
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			continue
		}
		if err != nil {
			return nil, ErrNoHeader
		}
		for i := range record {
			record[i] = strings.TrimSpace(record[i])
		}
		h := table.NewHeader(record)
		if o.IsHeader == nil || o.IsHeader(h) {
			return &Reader{c, h}, nil
		}
	}
	return nil, ErrNoHeader
}

// Next implements table.Reader. A record with more or fewer fields than the header is refused, and so is one with broken
// quotes; a record of nothing but empty fields is passed over.
func (r *Reader) Next() (table.Row, error) {
	for {
		record, err := r.csv.Read()
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return table.Row{}, &table.RowError{Line: bad.StartLine, Err: bad.Err}
		}
		if err != nil {
			return table.Row{}, err
		}
		line, _ := r.csv.FieldPos(0)
		if blank(record) {
			continue
		}
		if len(record) != len(r.header.Names) {
			return table.Row{}, &table.RowError{
				Line: line, Value: strings.Join(record, ","),
				Err: fmt.Errorf("%d fields where the header has %d", len(record), len(r.header.Names)),
			}
		}
		return table.NewRow(line, r.header, record), nil
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
