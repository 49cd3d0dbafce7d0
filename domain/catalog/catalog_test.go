package catalog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/domain/codec"
)

// A golden payload is only ever added: -update and UPDATE=1 write the missing ones and leave the others as they are.
var update = flag.Bool("update", os.Getenv("UPDATE") == "1", "write the golden payloads that are missing")

const stream = "test-0190b6a2-7d3e-7c11-8a55-0123456789ab"

func TestEveryStoredTypeKeepsItsPayload(t *testing.T) {
	t.Parallel()
	all := examples()
	for _, name := range current() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			example, ok := all[name]
			if !ok {
				t.Fatalf("no example of %s", name)
			}
			file := filepath.Join("testdata", name+".json")
			written, err := os.ReadFile(file)
			if os.IsNotExist(err) && *update {
				written = []byte(indented(t, encode(t, example)))
				err = os.WriteFile(file, written, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			stored := decode(t, name, compact(t, written))
			if diff := cmp.Diff(string(written), indented(t, encode(t, stored))); diff != "" {
				t.Errorf("read and written again (-stored +written):\n%s", diff)
			}
			today := indented(t, encode(t, example))
			if path := differs(parse(t, written), parse(t, []byte(today)), ""); path != "" {
				t.Errorf("the example of today has another %s", path)
			}
			if today == string(written) {
				return
			}
			file = filepath.Join("testdata", "today", name+".json") // with the fields that came later
			further, err := os.ReadFile(file)
			if os.IsNotExist(err) && *update {
				further = []byte(today)
				err = os.WriteFile(file, further, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(further), today); diff != "" {
				t.Errorf("(-%s +the example):\n%s", file, diff)
			}
		})
	}
}

// TestRetiredTypesAreReadAsToday reads what was stored once: testdata/today holds what it has to say now.
func TestRetiredTypesAreReadAsToday(t *testing.T) {
	t.Parallel()
	for _, name := range retired() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stored, err := os.ReadFile(filepath.Join("testdata", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			e := decode(t, name, compact(t, stored))
			if e.EventType() != catalog.Codec().Today(name) {
				t.Errorf("read as %s, want %s", e.EventType(), catalog.Codec().Today(name))
			}
			file := filepath.Join("testdata", "today", name+".json")
			want, err := os.ReadFile(file)
			if os.IsNotExist(err) && *update {
				want = []byte(indented(t, encode(t, e)))
				err = os.WriteFile(file, want, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), indented(t, encode(t, e))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// current lists the types that are stored today.
func current() []string {
	return slices.DeleteFunc(catalog.Codec().Names(), func(name string) bool { return catalog.Codec().Today(name) != name })
}

// retired lists the types that are only read.
func retired() []string {
	return slices.DeleteFunc(catalog.Codec().Names(), func(name string) bool { return catalog.Codec().Today(name) == name })
}

func TestEveryGoldenPayloadIsOfAStoredType(t *testing.T) {
	t.Parallel()
	if *update {
		t.Skip("the missing payloads are being written")
	}
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, len(files))
	for i, f := range files {
		got[i] = strings.TrimSuffix(filepath.Base(f), ".json")
	}
	want := catalog.Codec().Names()
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("types (-catalog +testdata):\n%s", diff)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(current())), slices.Sorted(maps.Keys(examples()))); diff != "" {
		t.Errorf("types (-catalog +examples):\n%s", diff)
	}
}

func TestNamesAreCategoryFactAndVersion(t *testing.T) {
	t.Parallel()
	for _, name := range catalog.Codec().Names() {
		parts := strings.Split(name, ".")
		if len(parts) != 3 || parts[0] == "" || parts[1] == "" || !strings.HasPrefix(parts[2], "v") || strings.ToLower(name) != name {
			t.Errorf("%s is not of the form category.fact.v1", name)
		}
	}
}

// TestEveryFieldIsInItsExample keeps a new field from being left out of the golden payloads.
func TestEveryFieldIsInItsExample(t *testing.T) {
	t.Parallel()
	for name, example := range examples() {
		for _, path := range zeroFields(example) {
			t.Errorf("%s: the example has no %s", name, path)
		}
	}
}

var (
	errNoBy    = domain.Refuse(domain.Invalid, "ticket.unknown-responder")
	errNoUnit  = domain.Refuse(domain.Invalid, "clock.unknown-unit")
	errNoPhase = domain.Refuse(domain.Invalid, "ticket.unknown-phase")
)

// FuzzStoredBytes reads any bytes as any type: they are refused, or written again as what reads the same.
func FuzzStoredBytes(f *testing.F) {
	names := catalog.Codec()
	kinds := names.Names()
	for i, name := range kinds {
		data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), data)
	}
	f.Add(uint8(0), []byte(`null`))
	f.Add(uint8(1), []byte(`{"at":"yesterday"}`))
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		name := kinds[int(kind)%len(kinds)]
		raw := codec.Raw{Stream: stream, Type: name, Data: data, Metadata: []byte(`{}`)}
		first, err := names.Decode(t.Context(), nil, raw)
		if err != nil {
			if first.Event != nil {
				t.Fatalf("an event beside the error %v", err)
			}
			return
		}
		raw.Type, raw.Data = first.Event.EventType(), tryEncode(first.Event)
		if raw.Data == nil {
			return // such as a year past 9999
		}
		second, err := names.Decode(t.Context(), nil, raw)
		if errors.Is(err, errNoUnit) || errors.Is(err, errNoPhase) || errors.Is(err, errNoBy) {
			return // what was read had none, and no decider records such an event
		}
		if err != nil {
			t.Fatalf("%s was written as %s: %v", data, raw.Data, err)
		}
		if again := tryEncode(second.Event); !bytes.Equal(raw.Data, again) {
			t.Errorf("%s was written as %s, then as %s", data, raw.Data, again)
		}
	})
}

// tryEncode returns what would be stored, nil when it cannot be written.
func tryEncode(e domain.Event) []byte {
	data, err := json.Marshal(e)
	if err != nil {
		return nil
	}
	return data
}

func encode(t *testing.T, e domain.Event) []byte {
	t.Helper()
	// The texts are sealed already, so no sealer is asked.
	encoded, err := catalog.Codec().Encode(t.Context(), nil, stream, domain.UUID{1}, e, domain.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	if encoded.Type != e.EventType() {
		t.Fatalf("stored as %s, want %s", encoded.Type, e.EventType())
	}
	return encoded.Data
}

func decode(t *testing.T, name string, data []byte) domain.Event {
	t.Helper()
	r, err := catalog.Codec().Decode(t.Context(), nil, codec.Raw{Stream: stream, Type: name, Data: data, Metadata: []byte(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	return r.Event
}

func parse(t *testing.T, data []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// differs returns where a stored payload says something else than the one of today, which may have further fields.
func differs(stored, today any, path string) string {
	switch stored := stored.(type) {
	case map[string]any:
		fields, ok := today.(map[string]any)
		if !ok {
			return path
		}
		for name, value := range stored {
			if at := differs(value, fields[name], path+"."+name); at != "" {
				return at
			}
		}
		return ""
	case []any:
		list, ok := today.([]any)
		if !ok || len(list) != len(stored) {
			return path
		}
		for i, value := range stored {
			if at := differs(value, list[i], path+"["+strconv.Itoa(i)+"]"); at != "" {
				return at
			}
		}
		return ""
	}
	if stored != today {
		return path
	}
	return ""
}

func indented(t *testing.T, data []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.String() + "\n"
}

func compact(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
