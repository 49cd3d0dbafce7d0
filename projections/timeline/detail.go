package timeline

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/seal"
)

// detailOf returns an event as encoding/json writes it, without its texts and without the stretches that a promise counts. It is written once
// for every event of the log, and encoding/json took most of the time of this view.
func detailOf(e domain.Event) (json.RawMessage, error) {
	s := shapeOf(reflect.TypeOf(e))
	if s.known {
		if b, err := s.append(make([]byte, 0, 128), reflect.ValueOf(e)); err == nil {
			return b, nil
		}
	}
	return marshalled(e)
}

// marshalled is detailOf for the events that a shape cannot say, and for the errors of those that it can.
func marshalled(e domain.Event) (json.RawMessage, error) {
	if carrier, ok := e.(seal.Carrier); ok {
		var err error
		if e, err = carrier.MapTexts(func(string, seal.Text) (seal.Text, error) { return seal.Text{}, nil }); err != nil {
			return nil, err
		}
	}
	switch event := e.(type) {
	case clock.Started:
		event.Promise.Counted = nil
		e = event
	case clock.Resumed:
		event.Counted = nil
		e = event
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("detail of %s: %w", e.EventType(), err)
	}
	return storable(b), nil
}

// storable returns JSON as Postgres keeps it, which keeps no NUL; within a payload it can only stand in a code somebody mistyped.
func storable(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`\u0000`), []byte(`\ufffd`)) }

// shape is how a type of struct is written.
type shape struct {
	fields []field
	// texts are the fields that hold texts.
	texts [][]int
	known bool
}

type field struct {
	index []int
	// lead is the name, quoted, and a colon.
	lead string
	omit bool
	// nested is of a struct, or of a pointer to one.
	nested *shape
}

var shapes sync.Map //nolint:gochecknoglobals // of *shape by reflect.Type

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape) // there is nothing else in it
	}
	s, _ := shapes.LoadOrStore(t, newShape(t))
	return s.(*shape)
}

// The types that are written in a way of their own.
var (
	instantType = reflect.TypeFor[time.Time]()
	textType    = reflect.TypeFor[seal.Text]()
	spansType   = reflect.TypeFor[[]clock.Span]()
	codesType   = reflect.TypeFor[map[string]string]()
	namedType   = reflect.TypeFor[encoding.TextMarshaler]()
)

func newShape(t reflect.Type) *shape {
	s := &shape{known: t.Kind() == reflect.Struct}
	if !s.known {
		return s
	}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag == "" {
			continue // its fields are visible, too
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch f.Type {
		case textType:
			s.texts = append(s.texts, f.Index)
			continue
		case spansType:
			continue // nobody reads them in a history: they are in the view sla
		}
		one := field{index: f.Index, lead: `"` + name + `":`, omit: options == "omitempty" || options == "omitzero"}
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
			s.known = s.known && one.omit && inner.Kind() == reflect.Struct
		}
		if inner.Kind() == reflect.Struct && inner != instantType {
			one.nested = newShape(inner)
			s.known = s.known && one.nested.known && len(one.nested.texts) == 0
		}
		s.known = s.known && name != "" && f.IsExported() && (one.nested != nil || plain(inner) && (!one.omit || inner != instantType))
		s.fields = append(s.fields, one)
	}
	return s
}

// plain reports whether values of a type can be appended.
func plain(t reflect.Type) bool {
	switch t.Kind() { //nolint:exhaustive // the others are not
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64:
		return !t.Implements(namedType)
	case reflect.Uint8:
		return t.Implements(namedType)
	default:
		return t == instantType || t == codesType
	}
}

// hasText reports whether an event may have a text, in whatever state.
func hasText(e domain.Event) bool {
	s := shapeOf(reflect.TypeOf(e))
	v := reflect.ValueOf(e)
	return !s.known || slices.ContainsFunc(s.texts, func(index []int) bool { return !v.FieldByIndex(index).IsZero() })
}

func (s *shape) append(b []byte, v reflect.Value) (_ []byte, err error) {
	b = append(b, '{')
	start := len(b)
	for i := range s.fields {
		f := &s.fields[i]
		value := v.FieldByIndex(f.index)
		if f.omit && (value.IsZero() || value.Kind() == reflect.Map && value.Len() == 0) {
			continue
		}
		if len(b) > start {
			b = append(b, ',')
		}
		b = append(b, f.lead...)
		if f.nested == nil {
			b, err = appendPlain(b, value)
		} else {
			if value.Kind() == reflect.Pointer {
				value = value.Elem()
			}
			b, err = f.nested.append(b, value)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendPlain(b []byte, v reflect.Value) (_ []byte, err error) {
	switch v.Kind() { //nolint:exhaustive // those of plain
	case reflect.String:
		return appendString(b, v.String())
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Int, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10), nil
	}
	b, quote := append(b, '"'), true
	switch value := v.Interface().(type) {
	case time.Time:
		b, err = value.AppendText(b)
	case encoding.TextMarshaler:
		var text []byte
		text, err = value.MarshalText()
		b = append(b, text...) // a name of ours, which needs no escapes
	case map[string]string:
		quote = false
		b, err = appendCodes(b[:len(b)-1], value)
	}
	if quote {
		b = append(b, '"')
	}
	return b, err
}

func appendCodes(b []byte, codes map[string]string) (_ []byte, err error) {
	names := make([]string, 0, len(codes))
	for name := range codes {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendString(b, name); err != nil {
			return nil, err
		}
		if b, err = appendString(append(b, ':'), codes[name]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// simple are the bytes that JSON says as they are.
var simple = func() (table [256]bool) { //nolint:gochecknoglobals // constant
	for c := ' '; c < utf8.RuneSelf; c++ {
		table[c] = !strings.ContainsRune(`"\<>&`, c)
	}
	return table
}()

// appendString leaves all but the simplest to encoding/json.
func appendString(b []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if !simple[s[i]] {
			quoted, err := json.Marshal(s)
			return append(b, storable(quoted)...), err
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"'), nil
}
