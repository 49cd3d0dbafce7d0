package servicenumber_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aftercare/domain"
	"aftercare/domain/servicenumber"
)

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var errMalformed = domain.Refuse(domain.Invalid, "servicenumber.malformed")

func id(n uint64) (u domain.UUID) {
	binary.BigEndian.PutUint64(u[8:], n)
	return u
}

func TestNumbersNeverChange(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{0: "NE73-QVZZ-8RHQ", 1: "VVGX-QX22-D6FF", 39: "E5MW-W64X-VRXN"} {
		if got := servicenumber.New(id(n)).String(); got != want {
			t.Errorf("number of case %d: got %s, want %s", n, got, want)
		}
	}
}

func TestNumbersHaveNoLetterThatLooksLikeAnother(t *testing.T) {
	t.Parallel()
	for n := range uint64(2000) {
		number := servicenumber.New(id(n)).String()
		if strings.Trim(number, alphabet+"-") != "" {
			t.Fatalf("got %s, want only %s", number, alphabet)
		}
		if len(number) != 14 || number[4] != '-' || number[9] != '-' {
			t.Fatalf("got %s, want the form 7ZK4-M2QH-9XD3", number)
		}
	}
}

func TestAHundredThousandCasesHaveANumberEach(t *testing.T) {
	t.Parallel()
	seen := make(map[servicenumber.Number]uint64, 100_000)
	for n := range uint64(100_000) {
		number := servicenumber.New(id(n))
		if other, twice := seen[number]; twice {
			t.Fatalf("cases %d and %d both have %s", other, n, number)
		}
		seen[number] = n
	}
}

func TestParseReadsWhatPeopleType(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := servicenumber.New(id(rapid.Uint64().Draw(t, "case")))
		var typed strings.Builder
		for _, r := range want.String() {
			forms := []string{string(r), strings.ToLower(string(r))}
			switch r {
			case '0':
				forms = append(forms, "O", "o")
			case '1':
				forms = append(forms, "I", "i", "L", "l")
			case '-':
				forms = []string{"-", "", " ", " - ", "\u2013", "\u00a0"}
			}
			typed.WriteString(rapid.SampledFrom(forms).Draw(t, "typed"))
		}
		got, err := servicenumber.Parse(typed.String())
		if err != nil || got != want {
			t.Fatalf("typed %q: got %v, %v, want %v", typed.String(), got, err, want)
		}
	})
}

func TestEverySingleWrongCharacterIsFound(t *testing.T) {
	t.Parallel()
	for n := range uint64(200) {
		number := strings.ReplaceAll(servicenumber.New(id(n)).String(), "-", "")
		for at := range number {
			for _, wrong := range alphabet {
				typed := number[:at] + string(wrong) + number[at+1:]
				if _, err := servicenumber.Parse(typed); err == nil && typed != number {
					t.Fatalf("%s was taken for a number beside %s", typed, number)
				}
			}
		}
	}
}

func TestNearlyEverySwapOfNeighboursIsFound(t *testing.T) {
	t.Parallel()
	swaps, missed := 0, 0
	for n := range uint64(5000) {
		number := []byte(strings.ReplaceAll(servicenumber.New(id(n)).String(), "-", ""))
		for i := range len(number) - 1 {
			if number[i] == number[i+1] {
				continue
			}
			swaps++
			number[i], number[i+1] = number[i+1], number[i]
			if _, err := servicenumber.Parse(string(number)); err == nil {
				missed++
			}
			number[i], number[i+1] = number[i+1], number[i]
		}
	}
	if missed*100 > swaps {
		t.Errorf("%d of %d swaps were missed, want at most one in a hundred", missed, swaps)
	}
}

func TestWhatIsNoNumberIsRefused(t *testing.T) {
	t.Parallel()
	valid := servicenumber.New(id(1)).String()
	for name, typed := range map[string]string{
		"nothing":           "",
		"only dashes":       "--",
		"too short":         valid[1:],
		"too long":          valid + "0",
		"a letter U":        "U" + valid[1:],
		"a foreign letter":  "\u0416" + valid[1:],
		"a sign of its own": valid[:5] + "*" + valid[6:],
		"broken text":       "\xff" + valid[1:],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := servicenumber.Parse(typed)
			if !errors.Is(err, errMalformed) || !got.IsZero() {
				t.Errorf("parse %q: got %v, %v, want %v", typed, got, err, errMalformed)
			}
		})
	}
}

func FuzzParsedNumbersAreWrittenOneWay(f *testing.F) {
	for n := range uint64(5) {
		f.Add(servicenumber.New(id(n)).String())
	}
	f.Add("oil0-oil0-oil0")
	f.Fuzz(func(t *testing.T, typed string) {
		number, err := servicenumber.Parse(typed)
		if err != nil {
			return
		}
		again, err := servicenumber.Parse(number.String())
		if err != nil || again != number {
			t.Errorf("%q is %v, which is %v, %v", typed, number, again, err)
		}
	})
}
