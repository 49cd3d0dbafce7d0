package domain_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aftercare/domain"
)

var errMalformed = domain.Refuse(domain.Invalid, "uuid.malformed")

func parsed(t *testing.T, s string) domain.UUID {
	t.Helper()
	u, err := domain.ParseUUID(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUUIDsComeBackFromTheirText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := domain.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		for _, s := range []string{want.String(), strings.ToUpper(want.String())} {
			if got, err := domain.ParseUUID(s); err != nil || got != want {
				t.Fatalf("%s: got %v, %v", s, got, err)
			}
		}
	})
}

func TestWhatIsNoUUIDIsRefused(t *testing.T) {
	t.Parallel()
	const valid = "0190b6a2-7d3e-7c11-8a55-0123456789ab"
	for name, s := range map[string]string{
		"nothing": "", "too short": valid[1:], "too long": valid + "0", "no dashes": strings.ReplaceAll(valid, "-", ""),
		"braces": "{" + valid[1:35] + "}", "a dash elsewhere": "0190b6a-27d3e-7c11-8a55-0123456789ab", "a letter": "g" + valid[1:],
		"a space": " " + valid[1:], "a dash more": valid[:35] + "-",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := domain.ParseUUID(s); !errors.Is(err, errMalformed) || !got.IsZero() {
				t.Errorf("got %v, %v, want %v", got, err, errMalformed)
			}
		})
	}
}

// TestDerivedUUIDsAreThoseOfTheStandard has the example of RFC 9562, appendix A.4.
func TestDerivedUUIDsAreThoseOfTheStandard(t *testing.T) {
	t.Parallel()
	namespace := parsed(t, "6ba7b810-9dad-11d1-80b4-00c04fd430c8")
	if got, want := domain.DeriveUUID(namespace, "www.example.com").String(), "2ed6657d-e927-568b-95e1-2665a8aea6a2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if domain.DeriveUUID(namespace, "a") == domain.DeriveUUID(domain.UUID{}, "a") {
		t.Error("two namespaces have one name")
	}
}

func TestUUIDsInJSON(t *testing.T) {
	t.Parallel()
	const text = "0190b6a2-7d3e-7c11-8a55-0123456789ab"
	data, err := json.Marshal(parsed(t, text))
	if err != nil || string(data) != `"`+text+`"` {
		t.Errorf("written as %s, %v", data, err)
	}
	u := parsed(t, text)
	if err := json.Unmarshal([]byte(`""`), &u); err != nil || !u.IsZero() {
		t.Errorf("empty text is %v, %v, want none", u, err)
	}
	u = parsed(t, text)
	if err := json.Unmarshal([]byte(`"x"`), &u); !errors.Is(err, errMalformed) || u != parsed(t, text) {
		t.Errorf("got %v, %v, want the old one and %v", u, err, errMalformed)
	}
}
