package domain_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"aftercare/domain"
)

const text = "018f4e6a-7c2b-7d11-9a3e-5b6c7d8e9f00"

func TestUUIDsAreReadAndWrittenAsGooglesAre(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
		got := domain.UUID(want)
		if got.String() != want.String() {
			t.Fatalf("got %s, want %s", got, want)
		}
		for _, s := range []string{want.String(), strings.ToUpper(want.String())} {
			if back, err := domain.ParseUUID(s); err != nil || back != got {
				t.Fatalf("%s is read as %s, %v", s, back, err)
			}
		}
		name := rapid.String().Draw(t, "name")
		if got, want := domain.DeriveUUID(got, name), uuid.NewSHA1(want, []byte(name)); got != domain.UUID(want) {
			t.Fatalf("%q is named %s, want %s", name, got, want)
		}
	})
}

func TestTheSameNameIsTheSameUUIDForEver(t *testing.T) {
	t.Parallel()
	dns := domain.UUID(uuid.NameSpaceDNS)
	if got := domain.DeriveUUID(dns, "www.example.com").String(); got != "2ed6657d-e927-568b-95e1-2665a8aea6a2" { // of RFC 9562
		t.Errorf("got %s", got)
	}
}

func TestWhatIsNoUUIDIsRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"", "x", text[1:], text + "0", strings.ReplaceAll(text, "-", ""), "{" + text[1:35] + "}", "g" + text[1:], text[:8] + "_" + text[9:],
		"urn:uuid:" + text, strings.Replace(text, "-", "a", 1), text[:35] + "é", text[:14] + "-" + text[15:],
	} {
		got, err := domain.ParseUUID(bad)
		refusal, ok := errors.AsType[*domain.Error](err)
		if !ok || refusal.Code != "uuid.malformed" || refusal.Kind != domain.Invalid || refusal.Params["value"] != bad || !got.IsZero() {
			t.Errorf("%q is read as %s, %v", bad, got, err)
		}
	}
}

func TestUUIDsAsText(t *testing.T) {
	t.Parallel()
	type pair struct {
		A domain.UUID `json:"a"`
		B domain.UUID `json:"b,omitzero"`
	}
	var got pair
	if err := json.Unmarshal([]byte(`{"a":"`+text+`","b":""}`), &got); err != nil || got.A.String() != text || !got.B.IsZero() {
		t.Errorf("got %+v, %v", got, err)
	}
	if data, err := json.Marshal(got); err != nil || string(data) != `{"a":"`+text+`"}` {
		t.Errorf("got %s, %v", data, err)
	}
	before := got
	if err := json.Unmarshal([]byte(`{"a":"x"}`), &got); err == nil || got != before {
		t.Errorf("malformed it is %+v, %v", got, err)
	}
}

func FuzzParseUUID(f *testing.F) {
	f.Add(text)
	f.Add(strings.ToUpper(text))
	f.Fuzz(func(t *testing.T, s string) {
		u, err := domain.ParseUUID(s)
		if err == nil && u.String() != strings.ToLower(s) {
			t.Errorf("%q is %s", s, u)
		}
	})
}
