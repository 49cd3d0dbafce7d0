package metric

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"aftercare/domain/codec"
	"aftercare/projections/facet"
)

// batchTable is the name of the table apply.sql reads.
const batchTable = "batch"

// makeBatch makes the table once a connection: made anew each time, it would fill the catalog of Postgres with dead rows.
const makeBatch = `
	create temporary table batch (
	    position    bigint      not null,
	    stream      text        not null,
	    revision    bigint      not null,
	    type        text        not null,
	    occurred_at timestamptz not null,
	    recorded_at timestamptz not null,
	    data        jsonb,
	    metadata    jsonb
	) on commit delete rows;
	grant select on pg_temp.batch to public`

// fill puts the events into the table.
func fill(ctx context.Context, tx pgx.Tx, made bool, events []codec.Raw) error {
	if !made {
		if _, err := tx.Exec(ctx, makeBatch); err != nil {
			return fmt.Errorf("make the batch: %w", err)
		}
	}
	columns := []string{"position", "stream", "revision", "type", "occurred_at", "recorded_at", "data", "metadata"}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"pg_temp", batchTable}, columns, pgx.CopyFromSlice(len(events), func(i int) ([]any, error) {
		e := events[i]
		return []any{
			int64(e.Position.Commit), facet.Clean(e.Stream), int64(e.Revision), facet.Clean(e.Type), //nolint:gosec // the log's own numbers are signed 64 bit
			facet.Instant(occurred(e)), facet.Instant(e.RecordedAt), document(e.Data), document(e.Metadata),
		}, nil
	}))
	if err != nil {
		return fmt.Errorf("fill the batch: %w", err)
	}
	return nil
}

// occurred is the business time of an event, that of recording when it has none.
func occurred(e codec.Raw) time.Time {
	var m struct {
		OccurredAt time.Time `json:"occurredAt"`
	}
	if json.Unmarshal(e.Metadata, &m) != nil || m.OccurredAt.IsZero() {
		return e.RecordedAt
	}
	return m.OccurredAt
}

// document is JSON as Postgres takes it: NUL and halves of characters become U+FFFD, and what is no JSON is null.
func document(data []byte) any {
	if !json.Valid(data) {
		return nil
	}
	if utf8.Valid(data) && !suspicious(data) {
		return json.RawMessage(data)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	again, err := json.Marshal(v) // which replaces what is no character
	if err != nil {
		return nil
	}
	return json.RawMessage(bytes.ReplaceAll(again, []byte(`\u0000`), []byte("\ufffd")))
}

// suspicious reports whether JSON may have a NUL or half a character, escaped.
func suspicious(data []byte) bool {
	return bytes.Contains(data, []byte(`\u0000`)) || bytes.Contains(data, []byte(`\ud`)) || bytes.Contains(data, []byte(`\uD`))
}
