package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// Row is an event as it is exported. All instants are in UTC.
type Row struct {
	// CommitPosition and PreparePosition are the event's place in the log.
	CommitPosition  int64  `json:"commit_position" parquet:"commit_position"`
	PreparePosition int64  `json:"prepare_position" parquet:"prepare_position"`
	EventID         string `json:"event_id" parquet:"event_id"`
	// Stream is the case, and Category what kind of thing it is: what comes before the first "-".
	Stream   string `json:"stream" parquet:"stream,dict"`
	Category string `json:"category" parquet:"category,dict"`
	Revision int64  `json:"revision" parquet:"revision"`
	Type     string `json:"type" parquet:"type,dict"`
	// OccurredAt is when it happened, RecordedAt when it was recorded.
	OccurredAt time.Time `json:"occurred_at" parquet:"occurred_at,timestamp(microsecond)"`
	RecordedAt time.Time `json:"recorded_at" parquet:"recorded_at,timestamp(microsecond)"`
	// CommandID, CorrelationID and CausationID are "" where there is none.
	CommandID     string `json:"command_id" parquet:"command_id"`
	CorrelationID string `json:"correlation_id" parquet:"correlation_id"`
	CausationID   string `json:"causation_id" parquet:"causation_id"`
	// Principal is the opaque id of who acted, OnBehalfOf for whom, and Roles as what, joined by commas.
	Principal  string `json:"principal" parquet:"principal,dict"`
	OnBehalfOf string `json:"on_behalf_of" parquet:"on_behalf_of,dict"`
	Roles      string `json:"roles" parquet:"roles,dict"`
	Channel    string `json:"channel" parquet:"channel,dict"`
	// Data is what happened, as JSON, without the words of persons. It is null for an event that is not JSON.
	Data json.RawMessage `json:"data" parquet:"data,json"`
}

// rowOf returns the row of an event.
func rowOf(e codec.Raw) (Row, error) {
	m := codec.Metadata(e.Metadata)
	category, _, _ := strings.Cut(e.Stream, "-")
	row := Row{
		CommitPosition: int64(e.Position.Commit), PreparePosition: int64(e.Position.Prepare), //nolint:gosec // the log's own numbers are signed
		EventID: e.ID.String(), Stream: valid(e.Stream), Category: valid(category), Revision: int64(e.Revision), //nolint:gosec // the same
		Type: valid(e.Type), OccurredAt: m.OccurredAt.UTC(), RecordedAt: e.RecordedAt.UTC(),
		CommandID: idOf(m.CommandID), CorrelationID: idOf(m.CorrelationID), CausationID: idOf(m.CausationID),
		Principal: valid(m.Principal.ID), OnBehalfOf: valid(m.Principal.OnBehalfOf), Roles: valid(strings.Join(m.Principal.Roles, ",")), Channel: valid(m.Channel),
	}
	if year := row.OccurredAt.Year(); row.OccurredAt.IsZero() || year < 1 || year > 9999 { // neither JSON nor XML has others
		row.OccurredAt = row.RecordedAt // metadata that is not ours
	}
	var err error
	if row.Data, err = closed(e.Data); err != nil {
		return row, fmt.Errorf("close the texts of %s at %d@%s: %w", e.Type, e.Revision, e.Stream, err)
	}
	return row, nil
}

func idOf(id domain.UUID) string {
	if id == (domain.UUID{}) {
		return ""
	}
	return id.String()
}

func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// null is the data of an event that is not JSON.
var null = json.RawMessage("null") //nolint:gochecknoglobals // constant

// sealedKey is the field that makes an object a sealed text: see package seal.
const sealedKey = "sealed"

// closed returns data without sealed texts.
func closed(data []byte) (json.RawMessage, error) {
	if !json.Valid(data) {
		return null, nil
	}
	// A key may be written with escapes.
	if !bytes.Contains(data, []byte(sealedKey)) && !bytes.Contains(data, []byte(`\u`)) {
		if !utf8.Valid(data) {
			return bytes.ToValidUTF8(data, []byte("\ufffd")), nil
		}
		return data, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(withoutTexts(value)); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func withoutTexts(value any) any {
	switch v := value.(type) {
	case map[string]any:
		if _, sealed := v[sealedKey]; sealed {
			return map[string]any{"subject": v["subject"], "closed": true}
		}
		for name := range v {
			v[name] = withoutTexts(v[name])
		}
	case []any:
		for i := range v {
			v[i] = withoutTexts(v[i])
		}
	}
	return value
}
