package locale_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/graph/locale"
)

var (
	english = locale.Accept("en")
	chinese = locale.Accept("zh-CN")
)

// TestEveryRefusalHasProse reads the sources: whoever adds a code is told to say it in both languages.
func TestEveryRefusalHasProse(t *testing.T) {
	t.Parallel()
	codes := refusals(t, "../..")
	if len(codes) < 20 {
		t.Fatalf("found only %d refusals: the search is broken", len(codes))
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		for _, words := range []locale.Words{english, chinese} {
			if !words.Has(code) {
				t.Errorf("%s has no prose for %s (%s)", words.Tag(), code, codes[code])
			}
		}
	}
}

var parameter = regexp.MustCompile(`\{[a-zA-Z]+\}`)

func TestBothLanguagesSpeakOfTheSame(t *testing.T) {
	t.Parallel()
	for code, prose := range english.Codes() {
		got, want := parameter.FindAllString(chinese.Prose(code), -1), parameter.FindAllString(prose, -1)
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s speaks of other parameters (-en +zh):\n%s", code, diff)
		}
	}
	for code := range chinese.Codes() {
		if !english.Has(code) {
			t.Errorf("%s is in Chinese only", code)
		}
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"": "en", "en": "en", "zh": "zh-Hans", "zh-CN,zh;q=0.9,en;q=0.8": "zh-Hans", "zh-TW": "zh-Hans", "fr": "en",
		"fr, zh;q=0.5": "zh-Hans", "de-DE, en;q=0.3, zh;q=0.2": "en", "nonsense;;;q=": "en",
	} {
		if got := locale.Accept(header).Tag(); got != want {
			t.Errorf("Accept(%q) = %s, want %s", header, got, want)
		}
	}
}

func TestProseFillsInParameters(t *testing.T) {
	t.Parallel()
	refusal := domain.Refuse(domain.Conflict, "revision.stale", "expected", "3", "actual", "{expected}")
	want := "The case has moved on: it is at revision {expected}, not 3. Read it again, then decide."
	if got := english.Of(refusal); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := chinese.Of(domain.Refuse(domain.Invalid, "no.such-code", "a", "1")); got != "no.such-code a=1" {
		t.Errorf("a code without prose reads %q", got)
	}
}

// refusals returns the codes that the sources refuse with, and where.
func refusals(tb testing.TB, root string) map[string]string {
	tb.Helper()
	codes := make(map[string]string)
	for _, tree := range []string{"domain", "commands", "projections", "graph"} {
		err := filepath.WalkDir(filepath.Join(root, tree), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path) //nolint:gosec // our own sources
			if err != nil {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if code, ok := refusal(n); ok {
					codes[code] = path
				}
				return true
			})
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return codes
}

// refusal returns the code of a call such as domain.Refuse(kind, "code") or refuse(w, words, status, "code").
func refusal(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return "", false
	}
	at := map[string]int{"Refuse": 1, "refuse": 3}
	name := ""
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		name = f.Sel.Name
	case *ast.Ident:
		name = f.Name
	}
	i, ok := at[name]
	if !ok || len(call.Args) <= i {
		return "", false
	}
	literal, ok := call.Args[i].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	code, err := strconv.Unquote(literal.Value)
	return code, err == nil
}
