package codec_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/domain/codec"
)

const full = `{"commandId":"0190b6a2-7d3e-7c11-8a55-0123456789ab","commandHash":"00ff","correlationId":"0190b6a2-7d3e-7c11-8a55-0123456789ac",` +
	`"causationId":"0190B6A2-7d3e-7c11-8a55-0123456789ad","principal":{"id":"import:uci","roles":["importer","agent"],"onBehalfOf":"jo"},` +
	`"channel":"import","occurredAt":"2016-02-29T01:16:00.123456789Z","traceparent":"00-ab-cd-01"}`

// FuzzMetadataIsReadAsJSON holds the reader of our own form of metadata against the general one.
func FuzzMetadataIsReadAsJSON(f *testing.F) {
	for _, seed := range []string{
		full, `{}`, ``, `null`, `[]`, `{"channel":"import"}`, `{"channel":null}`, `{"Channel":"x"}`, `{"channel":"a","channel":"b"}`,
		` { "channel" : "import" } `, `{"channel":"\u0041"}`, `{"channel":"é"}`, "{\"channel\":\"\xff\"}", "{\"channel\":\"a\tb\"}",
		`{"commandId":""}`, `{"commandId":"x"}`, `{"commandId":7}`, `{"occurredAt":"2016-02-30T00:00:00Z"}`, `{"occurredAt":"2016-02-29t00:00:00z"}`,
		`{"occurredAt":"2016-02-29T00:00:00+02:00"}`, `{"occurredAt":""}`, `{"principal":{}}`, `{"principal":null}`, `{"principal":{"roles":[]}}`,
		`{"principal":{"roles":null}}`, `{"principal":{"roles":["a",]}}`, `{"principal":{"roles":["a" "b"]}}`, `{"principal":{"id":"a"},"principal":{"roles":["b"]}}`,
		`{"principal":{"id":"a",}}`, `{,}`, `{"channel":"x"`, `{"channel":"x"}}`, `{"channel":"x"} `, `{"tenant":"new"}`, `{"principal":{"team":"new"}}`,
	} {
		f.Add([]byte(seed))
	}
	names := codec.New(codec.JSON[happened]())
	f.Fuzz(func(t *testing.T, data []byte) {
		var want domain.Metadata
		wantErr := json.Unmarshal(data, &want)
		got, err := names.Decode(t.Context(), nil, codec.Raw{Type: happened{}.EventType(), Data: []byte(`{}`), Metadata: data})
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("got %v, want %v", err, wantErr)
		}
		if err != nil {
			return
		}
		if diff := cmp.Diff(want, got.Metadata); diff != "" {
			t.Errorf("metadata, -general +ours:\n%s", diff)
		}
	})
}

func BenchmarkDecodeMetadata(b *testing.B) {
	names := codec.New(codec.JSON[happened]())
	raw := codec.Raw{Type: happened{}.EventType(), Data: []byte(`{}`), Metadata: []byte(full)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := names.Decode(b.Context(), nil, raw); err != nil {
			b.Fatal(err)
		}
	}
}

type happened struct{ At time.Time }

func (happened) EventType() string       { return "test.happened.v1" }
func (e happened) OccurredAt() time.Time { return e.At }
