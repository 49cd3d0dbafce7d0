// Package xlsx reads a sheet of an Excel workbook as rows. Dates arrive as the serial numbers the sheet stores.
package xlsx

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"

	"aftercare/commands/importer/table"
)

// Options choose the sheet.
type Options struct {
	// Sheet is a name, compared without case. Defaults to the first sheet that has the header.
	Sheet string
	// IsHeader recognises the header; rows before it are skipped, within the first 50.
	IsHeader func(*table.Header) bool
}

// ErrNoHeader says that no row of the sheet's beginning has the columns that are needed.
var ErrNoHeader = errors.New("no header with the needed columns")

// ErrNoSheet says that the workbook has no sheet of the name.
var ErrNoSheet = errors.New("no such sheet")

const headerWithin = 50

// Reader reads one sheet. Close it.
type Reader struct {
	file   *excelize.File
	rows   *excelize.Rows
	header *table.Header
	line   int
}

// New reads a workbook and finds the header.
func New(r io.Reader, o Options) (*Reader, error) {
	f, err := excelize.OpenReader(r, excelize.Options{RawCellValue: true})
	if err != nil {
		return nil, fmt.Errorf("open workbook: %w", err)
	}
	x, err := open(f, o)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return x, nil
}

func open(f *excelize.File, o Options) (*Reader, error) {
	dates := table.Since1900
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil && *props.Date1904 {
		dates = table.Since1904
	}
	err := ErrNoHeader
	if o.Sheet != "" {
		err = fmt.Errorf("%w: %q among %q", ErrNoSheet, o.Sheet, f.GetSheetList())
	}
	for _, sheet := range f.GetSheetList() {
		if o.Sheet != "" && !strings.EqualFold(sheet, o.Sheet) {
			continue
		}
		var x *Reader
		if x, err = begin(f, sheet, o.IsHeader); err == nil {
			x.header.Dates = dates
			return x, nil
		}
		if !errors.Is(err, ErrNoHeader) {
			return nil, err
		}
	}
	return nil, err
}

// begin reads a sheet up to its header.
func begin(f *excelize.File, sheet string, is func(*table.Header) bool) (*Reader, error) {
	rows, err := f.Rows(sheet)
	if err != nil {
		if _, none := errors.AsType[excelize.ErrSheetNotExist](err); none { // a sheet of charts
			return nil, ErrNoHeader
		}
		return nil, fmt.Errorf("open sheet %q: %w", sheet, err)
	}
	x := &Reader{file: f, rows: rows}
	for range headerWithin {
		cells, err := x.next()
		if err != nil {
			break
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		h := table.NewHeader(cells)
		if is == nil || is(h) {
			x.header = h
			return x, nil
		}
	}
	return nil, errors.Join(ErrNoHeader, rows.Close())
}

// Next implements table.Reader. Empty rows are passed over.
func (x *Reader) Next() (table.Row, error) {
	for {
		cells, err := x.next()
		if err != nil {
			return table.Row{}, err
		}
		if strings.TrimSpace(strings.Join(cells, "")) != "" {
			return table.NewRow(x.line, x.header, cells), nil
		}
	}
}

func (x *Reader) next() ([]string, error) {
	if !x.rows.Next() {
		if err := x.rows.Error(); err != nil {
			return nil, fmt.Errorf("read row %d: %w", x.line+1, err)
		}
		return nil, io.EOF
	}
	x.line++
	cells, err := x.rows.Columns()
	if err != nil {
		return nil, fmt.Errorf("read row %d: %w", x.line, err)
	}
	return cells, nil
}

// Close frees what reading held.
func (x *Reader) Close() error { return errors.Join(x.rows.Close(), x.file.Close()) }
