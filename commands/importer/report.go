package importer

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// Report writes refusals as CSV: file, row, column, value, reason and the reason in words.
type Report struct {
	w     *csv.Writer
	words func(error) string
	began bool
}

// NewReport returns a report on w; words says a refusal in the reader's language.
func NewReport(w io.Writer, words func(error) string) *Report {
	return &Report{w: csv.NewWriter(w), words: words}
}

// Add writes one refusal.
func (r *Report) Add(f Refusal) error {
	if !r.began {
		r.began = true
		if err := r.w.Write([]string{"file", "row", "column", "value", "reason", "message"}); err != nil {
			return err
		}
	}
	row := ""
	if f.Row > 0 {
		row = strconv.Itoa(f.Row)
	}
	if err := r.w.Write([]string{f.File, row, f.Column, f.Value, f.Reason.Code, r.words(f.Reason)}); err != nil {
		return err
	}
	r.w.Flush()
	return r.w.Error()
}

// excerptLength is how much of a value a report shows.
const excerptLength = 500

// excerpt returns the beginning of a value, as text that can be printed.
func excerpt(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	n := 0
	for i := range s {
		if n++; n > excerptLength {
			return s[:i] + "…"
		}
	}
	return s
}
