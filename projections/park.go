package projections

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// behind is the error of an event parked only because an earlier one of its stream is.
const behind = "an earlier event of the stream is parked"

// entry is an event as a view is given it: as it is stored, and decoded, or with the error that kept it from being decoded.
type entry struct {
	domain.Recorded
	raw codec.Raw
	err error
}

// wanted returns the entries that the slot's view handles. Those of types that the catalog does not have are for views that take
// events as they are stored, and these do not mind what cannot be decoded.
func (s slot) wanted(entries []entry) []entry {
	_, stored := s.view.(Stored)
	wanted := make([]entry, 0, len(entries))
	for _, e := range entries {
		if stored {
			e.err = nil
		}
		if (stored || e.Event != nil || e.err != nil) && s.view.Handles(e.Type) {
			wanted = append(wanted, e)
		}
	}
	return wanted
}

// parked returns which of the streams of the entries have parked events.
func (s slot) parked(ctx context.Context, tx pgx.Tx, entries []entry) (map[string]bool, error) {
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, clean(e.Stream))
	}
	rows, err := tx.Query(ctx, `select distinct stream from aftercare.parked_event where view = $1 and stream = any($2)`, s.key, names)
	if err != nil {
		return nil, fmt.Errorf("look for parked streams: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for parked streams: %w", err)
	}
	streams := make(map[string]bool, len(found))
	for _, name := range found {
		streams[name] = true
	}
	return streams, nil
}

// park sets an event aside.
func (s slot) park(ctx context.Context, tx pgx.Tx, e domain.Recorded, reason string, attempts int) error {
	_, err := tx.Exec(ctx, `
		insert into aftercare.parked_event (view, commit_position, prepare_position, event_id, stream, revision, type, error, attempts)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		on conflict do nothing`,
		s.key, stored(e.Position.Commit), stored(e.Position.Prepare), [16]byte(e.ID), clean(e.Stream), stored(e.Revision),
		clean(e.Type), clean(reason), attempts)
	if err != nil {
		return fmt.Errorf("park %s at %d@%s: %w", e.Type, e.Revision, e.Stream, err)
	}
	return nil
}

// quoted is what Postgres quotes of a value it cannot read.
var quoted = regexp.MustCompile(`(?s)".*"`)

// reason is the text of an error, for logs and for the row of a parked event: both outlive the erasure of a person, so
// the values that Postgres repeats when it refuses them are left out.
func reason(err error) string {
	text := err.Error()
	const dataException = "22"
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok && strings.HasPrefix(answer.Code, dataException) {
		text = strings.ReplaceAll(text, answer.Message, quoted.ReplaceAllLiteralString(answer.Message, `"..."`))
	}
	return text
}

// longest bounds what is kept of an error.
const longest = 8 << 10

// clean is text of the log, or of an error, as Postgres can keep it.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s[:min(len(s), longest)], "\ufffd"), "\x00", "\ufffd")
}

// stored is a number of the log as Postgres keeps it. The log's own numbers are signed 64 bit.
func stored(n uint64) int64 { return int64(min(n, math.MaxInt64)) }
