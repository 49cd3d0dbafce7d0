package timeline_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aftercare/domain/catalog"
	"aftercare/domain/codec"
	"aftercare/projections/timeline"
)

// FuzzDetailsAreWrittenAsEncodingJSONWritesThem compares two ways to write what a payload says, for every type of the catalog.
func FuzzDetailsAreWrittenAsEncodingJSONWritesThem(f *testing.F) {
	files, err := filepath.Glob("../../domain/catalog/testdata/*.json")
	if err != nil || len(files) < 30 {
		f.Fatal(len(files), "payloads:", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		f.Add(name, data)
		f.Add(name, []byte(`{}`))
		for _, edit := range [][2]string{
			{`-7"`, `\u0000"`},
			{`-7"`, `\\u0000"`},
			{`-7"`, `<é> & "\"`},
			{`-7"`, `\"\\\n\u2028\ud800"`},
			{`-7"`, "\xff\""},
			{`15.123456Z`, `15.10+02:00`},
			{`2026`, `0000`},
			{`true`, `false`},
			{`: 2`, `: 0`},
			{`"by"`, `"nobody"`},
			{`"gold"`, `""`},
			{`"attributes": {`, `"attributes": {}, "x": {`},
		} {
			f.Add(name, []byte(strings.ReplaceAll(string(data), edit[0], edit[1])))
		}
	}
	c := catalog.Codec()
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		r, _, err := c.DecodeSealed(codec.Raw{Type: name, Data: data, Metadata: []byte(`{}`)})
		if err != nil || r.Event == nil {
			return
		}
		want, wantErr := timeline.Marshalled(r.Event)
		got, err := timeline.Detail(r.Event)
		if string(got) != string(want) || (err == nil) != (wantErr == nil) {
			t.Errorf("%s %s\ngot  %s, %v\nwant %s, %v", name, data, got, err, want, wantErr)
		}
	})
}
