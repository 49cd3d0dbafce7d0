// Package xes reads an event log in XES (IEEE 1849-2016) as rows, one an event.
//
// # Design
//
// A row has the attributes of the event under their keys and those of its trace under "case:" and their keys. An event outside
// any trace is a row without "case:" values. Nested attributes, lists and the log's own attributes are passed over. Extension
// prefixes are taken as they are written, and XML namespaces are not looked at. Instants keep their offset. The file is read as a
// stream: its size does not matter.
package xes

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"aftercare/commands/importer/charset"
	"aftercare/commands/importer/table"
)

// Reader reads one log.
type Reader struct {
	xml    *xml.Decoder
	header *table.Header
	trace  []string
	events int
	depth  int
	began  bool
}

// ErrEmpty says that there is nothing in the file.
var ErrEmpty = errors.New("the file is empty")

// ErrNotXES says that the document is not an event log.
var ErrNotXES = errors.New("not an XES log: the document element is not <log>")

// New returns a Reader of the log in r. It takes the encodings that the document declares, and UTF-16.
func New(r io.Reader) (*Reader, error) {
	text, translated, err := charset.Decode(r, "")
	if err != nil {
		return nil, err
	}
	d := xml.NewDecoder(text)
	d.CharsetReader = func(name string, in io.Reader) (io.Reader, error) {
		if translated {
			return in, nil
		}
		out, _, err := charset.Decode(in, name)
		return out, err
	}
	return &Reader{xml: d, header: table.NewHeader(nil)}, nil
}

// Next implements table.Reader.
func (x *Reader) Next() (table.Row, error) {
	for {
		token, err := x.xml.Token()
		if err == io.EOF && x.xml.InputOffset() == 0 { //nolint:errorlint // the decoder returns io.EOF itself
			return table.Row{}, ErrEmpty
		}
		if err == io.EOF && !x.began { //nolint:errorlint // as above
			return table.Row{}, ErrNotXES
		}
		if err == io.EOF { //nolint:errorlint // as above
			return table.Row{}, io.EOF
		}
		if err != nil {
			return table.Row{}, fmt.Errorf("read log: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			row, done, err := x.start(t)
			if err != nil || done {
				return row, err
			}
		case xml.EndElement:
			x.depth--
			if x.depth == 1 {
				x.trace = x.trace[:0]
			}
		default:
		}
	}
}

func (x *Reader) start(t xml.StartElement) (row table.Row, done bool, err error) {
	x.depth++
	switch {
	case x.depth == 1:
		if t.Name.Local != "log" {
			return row, false, ErrNotXES
		}
		x.began = true
		return row, false, nil
	case x.depth == 2 && t.Name.Local == "trace":
		return row, false, nil
	case t.Name.Local == "event": // of a trace, or of none, which IEEE 1849 allows
		x.depth--
		row, err = x.event()
		return row, true, err
	case x.depth == 3:
		if key, value, ok := attribute(t); ok {
			x.trace = x.set(x.trace, "case:"+key, value)
		}
	}
	x.depth--
	return row, false, skip(x.xml)
}

func (x *Reader) event() (table.Row, error) {
	x.events++
	cells := append(make([]string, 0, len(x.header.Names)), x.trace...)
	for {
		token, err := x.xml.Token()
		if err != nil {
			return table.Row{}, fmt.Errorf("read event %d: %w", x.events, unexpected(err))
		}
		switch t := token.(type) {
		case xml.StartElement:
			if key, value, ok := attribute(t); ok {
				cells = x.set(cells, key, value)
			}
			if err := skip(x.xml); err != nil {
				return table.Row{}, err
			}
		case xml.EndElement:
			return table.NewRow(x.events, x.header, cells), nil
		default:
		}
	}
}

func (x *Reader) set(cells []string, key, value string) []string {
	i := x.header.Find(key)
	if i < 0 || x.header.Names[i] != key {
		i = x.header.Add(key)
	}
	for len(cells) <= i {
		cells = append(cells, "")
	}
	cells[i] = value
	return cells
}

func attribute(t xml.StartElement) (key, value string, ok bool) {
	switch t.Name.Local {
	case "string", "date", "int", "float", "boolean", "id":
	default:
		return "", "", false
	}
	for _, a := range t.Attr {
		switch a.Name.Local {
		case "key":
			key = a.Value
		case "value":
			value = a.Value
		}
	}
	return key, value, key != ""
}

func skip(d *xml.Decoder) error {
	if err := d.Skip(); err != nil {
		return fmt.Errorf("read log: %w", unexpected(err))
	}
	return nil
}

func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // the decoder returns io.EOF itself
		return io.ErrUnexpectedEOF
	}
	return err
}
