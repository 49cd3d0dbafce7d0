package catalog_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/domain/codec"
	"aftercare/domain/codec/scan"
	"aftercare/domain/seal"
)

// slow are the types that are read by encoding/json: there are few events of them.
var slow = []string{"policy.published.v1"}

// golden returns the golden payload of a type as it is stored.
func golden(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "today", name+".json")) // there if fields came later
	if os.IsNotExist(err) {
		data, err = os.ReadFile(filepath.Join("testdata", name+".json"))
	}
	if err != nil {
		tb.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestEveryTypeReadsItselfWhole(t *testing.T) {
	t.Parallel()
	for name, example := range examples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, ok := example.(codec.Scannable)
			if !ok {
				if !slices.Contains(slow, name) {
					t.Error("it is read by encoding/json")
				}
				return
			}
			var s scan.Scanner
			s.Reset(golden(t, name))
			got := e.Scan(&s)
			if !s.Done() {
				t.Fatal("it is read by encoding/json: its method knows a field too little")
			}
			if diff := cmp.Diff(example, got, texted); diff != "" {
				t.Errorf("(-example +scanned)\n%s", diff)
			}
		})
	}
}

var texted = cmp.Comparer(func(a, b seal.Text) bool { return a.Equal(b) })

// FuzzEventsAreReadAsJSON holds the methods that read events against encoding/json: whatever a payload is, both read the same, or
// refuse it both.
func FuzzEventsAreReadAsJSON(f *testing.F) {
	all := examples()
	names := slices.Sorted(maps.Keys(all))
	for i, name := range names {
		data := golden(f, name)
		f.Add(uint8(i), data)
		for _, edit := range [][2]string{
			{`":`, `": `},
			{`,"`, `,"x`},
			{`"at"`, `"At"`},
			{`Z"`, `+02:00"`},
			{`Z"`, `z"`},
			{`:2`, `:-2`},
			{`:2`, `:02`},
			{`:2`, `:2.0`},
			{`:2`, `:2e1`},
			{`:2`, `:99999999999999999999`},
			{`:2`, `:9223372036854775807`},
			{`:2`, `:null`},
			{`true`, `false`},
			{`true`, `truex`},
			{`-7"`, "\xff\""},
			{`-7"`, `é"`},
			{`-7"`, `\u0000"`},
			{`-7"`, "\x7f\""},
			{`"agent-7"`, `null`},
			{`"agent-7"`, `7`},
			{`"sealed":"`, `"sealed":"!`},
			{`"sealed"`, `"other"`},
			{`"subject":"c-1"`, `"subject":""`},
			{`"subject":"c-1",`, ``},
			{`]`, `,]`},
			{`}`, `,}`},
			{`}`, ``},
			{`{`, `{}{`},
		} {
			f.Add(uint8(i), bytes.ReplaceAll(data, []byte(edit[0]), []byte(edit[1])))
		}
		// Each field comes twice, the second time with less.
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(data, &fields); err != nil {
			f.Fatal(err)
		}
		for field, value := range fields {
			for _, again := range []string{string(value), `{}`, `[]`, `null`, `""`, `[{}]`, `{"id":"x"}`, `{"calendar":{"id":"x"}}`, `{"sealed":""}`} {
				f.Add(uint8(i), append(bytes.TrimSuffix(data, []byte("}")), `,"`+field+`":`+again+`}`...))
			}
		}
	}
	f.Add(uint8(0), []byte(`{}`))
	f.Add(uint8(0), []byte(``))
	f.Add(uint8(0), []byte(`null`))
	c := catalog.Codec()
	f.Fuzz(func(t *testing.T, i uint8, data []byte) {
		name := names[int(i)%len(names)]
		want := reflect.New(reflect.TypeOf(all[name]))
		wantErr := json.Unmarshal(data, want.Interface())
		got, sealed, err := c.DecodeSealed(codec.Raw{Type: name, Data: data, Metadata: []byte(`{}`)})
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%s %s: got %v, want %v", name, data, err, wantErr)
		}
		if err != nil {
			return
		}
		e, _ := reflect.TypeAssert[domain.Event](want.Elem())
		if diff := cmp.Diff(e, got.Event, texted); diff != "" {
			t.Errorf("%s %s, -general +ours:\n%s", name, data, diff)
		}
		if !sealed && len(seal.Subjects(e)) > 0 {
			t.Errorf("%s %s: nobody would open its texts", name, data)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	c := catalog.Codec()
	for name := range examples() {
		raw := codec.Raw{Type: name, Data: golden(b, name), Metadata: []byte(`{}`)}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Decode(b.Context(), nil, raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
