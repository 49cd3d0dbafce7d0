package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aftercare/graph/model"
	"aftercare/projections/timeline"
)

// entryOf shows an event: its payload as codes and words. What is nested in it, such as a promise, has the names of the
// path: promise.due.
func entryOf(e timeline.Entry, subject string) (*model.TimelineEvent, error) {
	shown := &model.TimelineEvent{
		ID: e.EventID, Revision: int64(e.Revision), //nolint:gosec // revisions are below 2^63
		Position: e.Position, Type: e.Type, OccurredAt: e.OccurredAt, RecordedAt: e.RecordedAt,
		Principal: known(e.Principal), OnBehalfOf: known(e.OnBehalfOf), Channel: known(e.Channel),
		CommandID: knownID(e.CommandID), CorrelationID: knownID(e.CorrelationID), CausationID: knownID(e.CausationID),
		Facts: []*model.Attribute{}, Texts: []*model.NamedText{},
	}
	for _, name := range slices.Sorted(maps.Keys(e.Texts)) {
		t := e.Texts[name]
		if t.Subject != "" {
			subject = t.Subject
		}
		if words := sealedText(t.Value, t.Forgotten, subject); words != nil {
			shown.Texts = append(shown.Texts, &model.NamedText{Name: name, Text: words})
		}
	}
	if len(e.Detail) == 0 {
		return shown, nil
	}
	var detail map[string]any
	d := json.NewDecoder(strings.NewReader(string(e.Detail)))
	d.UseNumber()
	if err := d.Decode(&detail); err != nil {
		return nil, fmt.Errorf("read event %s: %w", e.EventID, err)
	}
	for _, name := range slices.Sorted(maps.Keys(detail)) {
		shown.Facts = flatten(shown.Facts, name, detail[name])
	}
	return shown, nil
}

// flatten adds codes. The business time is left out: it is occurredAt.
func flatten(facts []*model.Attribute, name string, value any) []*model.Attribute {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		for _, inner := range slices.Sorted(maps.Keys(v)) {
			facts = flatten(facts, name+"."+inner, v[inner])
		}
	case []any:
		for i, inner := range v {
			facts = flatten(facts, fmt.Sprintf("%s.%d", name, i), inner)
		}
	default:
		if name != "at" {
			facts = append(facts, &model.Attribute{Name: name, Value: fmt.Sprint(v)})
		}
	}
	return facts
}
