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
	// Sheet is a name. Defaults to the first sheet.
	Sheet string
	// IsHeader recognises the header; rows before it are skipped, within the first 50.
	IsHeader func(*table.Header) bool
}

// ErrNoHeader says that no row of the sheet's beginning has the columns that are needed.
var ErrNoHeader = errors.New("no header with the needed columns")

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
	sheet := o.Sheet
	if sheet == "" {
		sheet = f.GetSheetName(0)
	}
	rows, err := f.Rows(sheet)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open sheet %q: %w", sheet, err), f.Close())
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
		if o.IsHeader == nil || o.IsHeader(h) {
			x.header = h
			return x, nil
		}
	}
	return nil, errors.Join(ErrNoHeader, x.Close())
}

// Next implements table.Reader. Empty rows are passed over.
func (x *Reader) Next() (table.Row, error) {
	for {
		cells, err := x.next()
		if err != nil {
			return table.Row{}, err
		}
		if strings.Join(cells, "") != "" {
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
