package csv

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"aftercare/commands/importer/table"
)

// maxRecord bounds a record in bytes, and so how far a quote that is never closed is followed.
const maxRecord = 8 << 20

var (
	errBareQuote = errors.New("a quote within a field that is not quoted")
	errAfter     = errors.New("text after a closing quote")
	errOpen      = errors.New("a quote that is never closed")
	errTooLong   = fmt.Errorf("a record of more than %d bytes", maxRecord)
)

// record is the fields of one record and the line it begins on.
type record struct {
	line   int
	fields []string
}

// records splits text into records.
type records struct {
	in        *bufio.Reader
	delimiter rune
	separator string
	line      int // of the next line, less one
	// ahead are lines that were read in search of the end of a record; those from pos on are to be read again.
	ahead []line
	pos   int
}

// line is one line of the text, or the beginning of one that is too long.
type line struct {
	text string
	err  error
}

func newRecords(r io.Reader, delimiter rune) *records {
	return &records{in: bufio.NewReaderSize(r, 1<<16), delimiter: delimiter, separator: string(delimiter)}
}

// next returns the next record. It returns a *table.RowError for a malformed one, and goes on with the line after the one where that
// began.
func (r *records) next() (record, error) {
	var text string
	for {
		if r.pos == len(r.ahead) {
			clear(r.ahead)
			r.ahead, r.pos = r.ahead[:0], 0
		}
		var err error
		text, err = r.read()
		if errors.Is(err, errTooLong) {
			return record{}, &table.RowError{Line: r.line, Value: text, Err: err}
		}
		if err != nil {
			return record{}, err
		}
		if text != "\n" && text != "" {
			break
		}
	}
	first, start, mark := text, r.line, r.pos
	p := parser{separator: r.separator}
	size := len(text)
	for {
		done, err := p.feed(text)
		if done {
			return record{start, p.fields}, nil
		}
		if err == nil {
			text, err = r.more()
			size += len(text)
			if err == nil && size > maxRecord {
				err = errTooLong
			}
			if errors.Is(err, io.EOF) {
				err = errOpen
			} else if err != nil && !errors.Is(err, errTooLong) {
				return record{}, err
			}
		}
		if err != nil {
			r.pos, r.line = mark, start
			return record{}, &table.RowError{Line: start, Value: strings.TrimSuffix(first, "\n"), Err: err}
		}
	}
}

// more is read, for a line that may have to be read again.
func (r *records) more() (string, error) {
	fresh := r.pos == len(r.ahead)
	text, err := r.read()
	if fresh && (err == nil || errors.Is(err, errTooLong)) {
		r.ahead = append(r.ahead, line{text, err})
		r.pos++
	}
	return text, err
}

// read returns the next line, ending in a line feed unless it is the last. It returns the beginning of one that is too long, with
// errTooLong, and passes over the rest.
func (r *records) read() (string, error) {
	if r.pos < len(r.ahead) {
		r.pos++
		r.line++
		return r.ahead[r.pos-1].text, r.ahead[r.pos-1].err
	}
	var long []byte
	for {
		part, err := r.in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if len(long) <= maxRecord {
				long = append(long, part...)
			}
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read line %d: %w", r.line+1, err)
		}
		if len(part) == 0 && len(long) == 0 {
			return "", io.EOF
		}
		r.line++
		if len(long)+len(part) > maxRecord {
			return string(append(long, part...)[:1<<10]), errTooLong
		}
		text := string(part)
		if len(long) > 0 {
			text = string(append(long, part...))
		}
		if strings.HasSuffix(text, "\r\n") {
			text = text[:len(text)-2] + "\n"
		}
		return text, nil
	}
}

// parser takes a record apart, line by line.
type parser struct {
	separator string
	fields    []string
	open      bool
	field     strings.Builder // what there is of a quoted field
}

// feed takes in a line. It reports whether the record is complete.
func (p *parser) feed(line string) (done bool, err error) {
	for {
		if p.open {
			text, rest, found := strings.Cut(line, `"`)
			p.field.WriteString(text)
			switch {
			case !found:
				return false, nil
			case strings.HasPrefix(rest, `"`):
				p.field.WriteByte('"')
				line = rest[1:]
				continue
			}
			p.open = false
			p.fields = append(p.fields, p.field.String())
			p.field.Reset()
			if rest == "" || rest == "\n" || rest == "\r" {
				return true, nil
			}
			if !strings.HasPrefix(rest, p.separator) {
				return false, errAfter
			}
			line = rest[len(p.separator):]
		}
		if strings.HasPrefix(line, `"`) {
			p.open = true
			line = line[1:]
			continue
		}
		field, rest, more := strings.Cut(line, p.separator)
		if !more {
			field = strings.TrimSuffix(field, "\n")
		}
		if strings.Contains(field, `"`) {
			return false, errBareQuote
		}
		p.fields = append(p.fields, field)
		if !more {
			return true, nil
		}
		line = rest
	}
}
