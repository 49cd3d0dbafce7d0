package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// layers is the import table: what the packages of a tree may import of ours besides their own tree. The longest matching
// tree counts.
var layers = map[string][]string{
	"aftercare/domain":      {},
	"aftercare/commands":    {"aftercare/domain"},
	"aftercare/projections": {"aftercare/domain"},
	"aftercare/graph":       {"aftercare/domain", "aftercare/commands", "aftercare/projections"},
	"aftercare/cmd":         {"aftercare/domain", "aftercare/commands", "aftercare/projections", "aftercare/graph", "aftercare/deploy"},
	// What runs us knows nothing of us, and no part of it of another.
	"aftercare/deploy/eventnode":  {},
	"aftercare/deploy/localpg":    {},
	"aftercare/deploy/faultproxy": {},
	// A benchmark of rebuilds, which brings its servers along.
	"aftercare/projections/bench": {
		"aftercare/domain", "aftercare/projections", "aftercare/deploy/eventnode", "aftercare/deploy/localpg", "aftercare/deploy/logbench",
	},
	// A benchmark of the node, next to a table in Postgres.
	"aftercare/deploy/logbench": {"aftercare/deploy/eventnode", "aftercare/deploy/localpg"},
}

// testsMay is what tests, and the packages for tests, whose names end in "test", may import as well: the servers to test against.
var testsMay = []string{"aftercare/deploy"}

// topLevel is everything the repository's root holds.
var topLevel = []string{
	".ci", ".github", ".gitignore", ".golangci.yml", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "cmd", "commands", "deploy", "domain",
	"go.mod", "go.sum", "gqlgen.yml", "graph", "projections",
}

type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestArchitecture(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]string(nil), violations(list(t))); diff != "" {
		t.Errorf("imports against the table (-want +got):\n%s", diff)
	}
}

func TestTheDomainImportsOnlyTheStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		if !within(p.ImportPath, "aftercare/domain") || p.ImportPath == "aftercare/domain/domaintest" {
			continue
		}
		for _, imported := range p.Imports {
			first, _, _ := strings.Cut(imported, "/")
			if strings.Contains(first, ".") {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

func TestTheTableIsHeld(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		pkg  goPackage
		want []string
	}{
		"its own tree":            {goPackage{ImportPath: "aftercare/graph/auth", Imports: []string{"aftercare/graph/model"}}, nil},
		"a layer below":           {goPackage{ImportPath: "aftercare/commands", Imports: []string{"aftercare/domain/ticket"}}, nil},
		"a server in a test":      {goPackage{ImportPath: "aftercare/commands", XTestImports: []string{"aftercare/deploy/eventnode"}}, nil},
		"not ours":                {goPackage{ImportPath: "aftercare/domain", Imports: []string{"aftercareful", "strings"}}, nil},
		"a layer above":           {goPackage{ImportPath: "aftercare/domain", Imports: []string{"aftercare/graph"}}, []string{"aftercare/domain imports aftercare/graph"}},
		"the other side":          {goPackage{ImportPath: "aftercare/commands/importer", Imports: []string{"aftercare/projections"}}, []string{"aftercare/commands/importer imports aftercare/projections"}},
		"the other side, in test": {goPackage{ImportPath: "aftercare/projections", XTestImports: []string{"aftercare/commands"}}, []string{"aftercare/projections imports aftercare/commands in tests"}},
		"a server in a program":   {goPackage{ImportPath: "aftercare/commands", Imports: []string{"aftercare/deploy/eventnode"}}, []string{"aftercare/commands imports aftercare/deploy/eventnode"}},
		"a server for tests":      {goPackage{ImportPath: "aftercare/commands/logtest", Imports: []string{"aftercare/deploy/eventnode"}}, nil},
		"tests in a program":      {goPackage{ImportPath: "aftercare/commands", Imports: []string{"aftercare/commands/logtest"}}, []string{"aftercare/commands imports aftercare/commands/logtest"}},
		"us from a server":        {goPackage{ImportPath: "aftercare/deploy/eventnode", Imports: []string{"aftercare/domain"}}, []string{"aftercare/deploy/eventnode imports aftercare/domain"}},
		"a new tree":              {goPackage{ImportPath: "aftercare/util"}, []string{"aftercare/util is in no tree"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, violations([]goPackage{test.pkg})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheTopLevelHoldsNothingElse(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		ignored := entry.Name() == ".git" || entry.Name() == "bin"
		if !ignored && !slices.Contains(topLevel, entry.Name()) {
			t.Errorf("%s does not belong at the top level", entry.Name())
		}
	}
}

// violations lists the imports that the table does not allow.
func violations(packages []goPackage) []string {
	var found []string
	for _, p := range packages {
		tree := treeOf(p.ImportPath)
		if tree == "" {
			found = append(found, p.ImportPath+" is in no tree")
			continue
		}
		may := append([]string{tree}, layers[tree]...)
		inTests := slices.Concat(may, testsMay)
		for _, imported := range p.Imports {
			ok := allowed(imported, may) && !forTests(imported)
			if forTests(p.ImportPath) {
				ok = allowed(imported, inTests)
			}
			if !ok {
				found = append(found, p.ImportPath+" imports "+imported)
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if !allowed(imported, inTests) {
				found = append(found, p.ImportPath+" imports "+imported+" in tests")
			}
		}
	}
	return found
}

func allowed(imported string, may []string) bool {
	return !within(imported, "aftercare") || slices.ContainsFunc(may, func(tree string) bool { return within(imported, tree) })
}

// forTests reports whether one of our packages is there for tests only.
func forTests(path string) bool { return within(path, "aftercare") && strings.HasSuffix(path, "test") }

func within(path, tree string) bool { return path == tree || strings.HasPrefix(path, tree+"/") }

// treeOf returns the longest tree of the table that holds a package.
func treeOf(path string) string {
	var longest string
	for tree := range layers {
		if within(path, tree) && len(tree) > len(longest) {
			longest = tree
		}
	}
	return longest
}

// list returns all packages of the module.
func list(tb testing.TB) []goPackage {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "aftercare/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		tb.Fatal("go list:", err)
	}
	var packages []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			tb.Fatal("output of go list:", err)
		}
		packages = append(packages, p)
	}
}
