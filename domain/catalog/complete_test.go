package catalog_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain/catalog"
)

// TestEveryStoredNameIsInTheCatalog reads the sources: whoever adds an event to an aggregate is told to add it to the catalog.
func TestEveryStoredNameIsInTheCatalog(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		declared = append(declared, storedNames(file)...)
	}
	slices.Sort(declared)
	if diff := cmp.Diff(slices.Sorted(slices.Values(catalog.Codec().Names())), declared); diff != "" {
		t.Errorf("stored names (-catalog +declared)\n%s", diff)
	}
}

// storedNames are the values of a file's constants that are named "Type…" and read "<category>.<fact>.v<N>".
func storedNames(file *ast.File) (names []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			if !strings.HasPrefix(name.Name, "Type") || i >= len(spec.Values) {
				continue
			}
			if literal, ok := spec.Values[i].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if value, err := strconv.Unquote(literal.Value); err == nil && strings.Count(value, ".") == 2 {
					names = append(names, value)
				}
			}
		}
		return true
	})
	return names
}
