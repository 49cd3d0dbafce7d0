// Package table is what every foreign file looks like to the importer: rows of named text values.
package table

// Row is one record of a file. Values are text as the file has it, except instants of formats that know them, which are
// RFC 3339.
type Row struct {
	// Line is where the record begins: a line of a text file, a row of a sheet, the n-th event of a log. From 1.
	Line   int
	header *Header
	cells  []string
}

// NewRow returns a row over a header. Missing cells at the end read as absent.
func NewRow(line int, h *Header, cells []string) Row { return Row{line, h, cells} }

// Cell returns the value in a column of the header; ok is false when the row is shorter.
func (r Row) Cell(column int) (string, bool) {
	if column < 0 || column >= len(r.cells) {
		return "", false
	}
	return r.cells[column], true
}

// Header returns the names the cells go by.
func (r Row) Header() *Header { return r.header }

// Header names the columns of a file. Of columns with one name the first has it.
type Header struct {
	Names []string
	// Dates says how the file stores dates, where the format has a way of its own.
	Dates Dates
	exact map[string]int
	loose map[string]int
}

// NewHeader returns a header of the names in order.
func NewHeader(names []string) *Header {
	h := &Header{exact: map[string]int{}, loose: map[string]int{}}
	for _, name := range names {
		h.Add(name)
	}
	return h
}

// Add appends a column and returns its index. A later column of the same name is reachable by index only.
func (h *Header) Add(name string) int {
	i := len(h.Names)
	h.Names = append(h.Names, name)
	if _, ok := h.exact[name]; !ok {
		h.exact[name] = i
	}
	if f := Fold(name); f != "" {
		if _, ok := h.loose[f]; !ok {
			h.loose[f] = i
		}
	}
	return i
}

// Find returns the index of a column: the exact name, else one that differs only in case, spaces and punctuation, else -1.
func (h *Header) Find(name string) int {
	if i, ok := h.exact[name]; ok {
		return i
	}
	if i, ok := h.loose[Fold(name)]; ok {
		return i
	}
	return -1
}

// Dates are the ways a format stores instants.
type Dates uint8

// Text is as people write it. Since1900 and Since1904 count days, as the two kinds of workbooks do.
const (
	Text Dates = iota
	Since1900
	Since1904
)

// Reader reads the rows of one file.
type Reader interface {
	// Next returns the next row; io.EOF ends the file; a *RowError refuses one record and reading can go on; any other
	// error ends the file.
	Next() (Row, error)
}

// RowError says that one record cannot be read.
type RowError struct {
	Line  int
	Value string
	Err   error
}

// Error returns the cause.
func (e *RowError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RowError) Unwrap() error { return e.Err }
