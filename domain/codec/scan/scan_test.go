package scan_test

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"aftercare/domain/codec/scan"
)

func TestRememberedCodesAreNotMistaken(t *testing.T) {
	t.Parallel()
	var s scan.Scanner
	rapid.Check(t, func(t *rapid.T) {
		for _, want := range rapid.SliceOf(rapid.StringMatching(`[a-c]{0,3}|[a-zé ]{0,60}`)).Draw(t, "codes") {
			s.Reset([]byte(`"` + want + `"`))
			if got := s.Code(); got != want || !s.Done() {
				t.Fatalf("%q is read as %q, done %t", want, got, s.Done())
			}
		}
	})
}

func TestNumbersAreReadAsEncodingJSONReadsThem(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, 1, -1, math.MaxInt64, -math.MaxInt64, 10} {
		var s scan.Scanner
		s.Reset([]byte(strconv.FormatInt(n, 10)))
		if got := s.Int64(); got != n || !s.Done() {
			t.Errorf("%d is read as %d, done %t", n, got, s.Done())
		}
	}
	for _, text := range []string{"", "-", "+1", "01", "-01", "1.0", "1e2", "9223372036854775808", "18446744073709551617", "--1", "1 ", " 1", `"1"`, "null"} {
		var s scan.Scanner
		s.Reset([]byte(text))
		if got := s.Int64(); s.Done() {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}

// FuzzListsAndObjects reads lists of objects of texts, and holds them against encoding/json.
func FuzzListsAndObjects(f *testing.F) {
	for _, seed := range []string{
		`[]`, `[{}]`, `[{"a":"b"}]`, `[{"a":"b","c":"d"},{}]`, `[{"a":"b",}]`, `[,{}]`, `[{}{}]`, `[{,"a":"b"}]`, `[{"a" "b"}]`, `[{"a":"b"`, `[`, ``,
		`{}`, `[{"a":"b"}]]`, `[[]]`, `[{"a":"\n"}]`, `[{"a":"é"}]`, "[{\"a\":\"\xff\"}]", `[{"a":"b","a":"c"}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s scan.Scanner
		s.Reset(data)
		got := []map[string]string{}
		for s.List(); s.Element(); {
			got = append(got, s.Codes())
		}
		if !s.Done() {
			return
		}
		var want []map[string]string
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("%q is read as %v: %v", data, got, err)
		}
		a, errA := json.Marshal(want)
		b, errB := json.Marshal(got)
		if string(a) != string(b) || errA != nil || errB != nil {
			t.Errorf("%q is read as %s, want %s", data, b, a)
		}
	})
}
