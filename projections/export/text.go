package export

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"time"
)

type ndjsonRows struct{ e *json.Encoder }

func newNDJSON(w io.Writer) rows {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return ndjsonRows{e}
}

func (n ndjsonRows) write(r *Row) error { return n.e.Encode(r) }
func (ndjsonRows) close() error         { return nil }

type csvRows struct{ w *csv.Writer }

func newCSV(w io.Writer) (rows, error) {
	c := csvRows{csv.NewWriter(w)}
	c.w.UseCRLF = true // RFC 4180
	return c, c.w.Write([]string{
		"commit_position", "prepare_position", "event_id", "stream", "category", "revision", "type", "occurred_at", "recorded_at",
		"command_id", "correlation_id", "causation_id", "principal", "on_behalf_of", "roles", "channel", "data",
	})
}

func (c csvRows) write(r *Row) error {
	return c.w.Write([]string{
		strconv.FormatInt(r.CommitPosition, 10), strconv.FormatInt(r.PreparePosition, 10), r.EventID, cell(r.Stream), cell(r.Category),
		strconv.FormatInt(r.Revision, 10), cell(r.Type), r.OccurredAt.Format(time.RFC3339Nano), r.RecordedAt.Format(time.RFC3339Nano),
		r.CommandID, r.CorrelationID, r.CausationID, cell(r.Principal), cell(r.OnBehalfOf), cell(r.Roles), cell(r.Channel), cell(string(r.Data)),
	})
}

func (c csvRows) close() error {
	c.w.Flush()
	return c.w.Error()
}

// cell is a text that no spreadsheet takes for a formula.
func cell(s string) string {
	if s == "" {
		return s
	}
	switch s[0] {
	case '=', '+', '-', '@', '\t', '\r':
		return "'" + s
	}
	return s
}
