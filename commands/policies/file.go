package policies

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"aftercare/domain"
	"aftercare/domain/policy"
)

// ProblemError is one reason why a file cannot be used, and where it is. Line and Column count from 1; they are 0 when the problem is
// the file's as a whole.
type ProblemError struct {
	File         string
	Line, Column int
	// Reason is a *domain.Error where the text is well-formed.
	Reason error
}

// Error returns "file:line:column: reason".
func (p *ProblemError) Error() string {
	place := p.File
	if p.Line > 0 {
		place += ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
	}
	return place + ": " + p.Reason.Error()
}

// Unwrap returns the reason.
func (p *ProblemError) Unwrap() error { return p.Reason }

type file struct {
	Policies []policy.Version `yaml:"policies"`
}

// Read returns the versions in a file, in its order; name is for messages. Its error joins a *ProblemError for everything that is
// wrong with the file.
func Read(name string, r io.Reader) ([]policy.Version, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, malformed(name, nil, err)
	}
	var f file
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, malformed(name, tree, err)
	}
	if len(f.Policies) == 0 {
		return nil, &ProblemError{File: name, Reason: domain.Refuse(domain.Invalid, "policy.file-empty")}
	}
	var problems []error
	for i, v := range f.Policies {
		problems = append(problems, times(name, tree, i)...)
		for _, reason := range reasons(v.Validate()) {
			p := &ProblemError{File: name, Reason: reason}
			p.Line, p.Column = locate(tree, i, v, reason)
			problems = append(problems, p)
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return f.Policies, nil
}

// times refuses the bounds of the i-th version that are not RFC 3339 with a zone: the YAML package reads what it does not
// understand as no time at all, and a date as midnight in UTC.
func times(name string, tree *ast.File, i int) (problems []error) {
	for _, field := range []string{"validFrom", "validTo"} {
		node := find(tree, fmt.Sprintf("$.policies[%d].%s", i, field))
		if node == nil {
			continue
		}
		token := node.GetToken()
		if _, err := time.Parse(time.RFC3339, token.Value); err != nil {
			problems = append(problems, &ProblemError{
				File: name, Line: token.Position.Line, Column: token.Position.Column,
				Reason: domain.Refuse(domain.Invalid, "policy.bad-time", "field", field, "value", token.Value),
			})
		}
	}
	return problems
}

// malformed gives an error of decoding its place. Refusals of values have none: they are looked for by their value.
func malformed(name string, tree *ast.File, err error) error {
	p := &ProblemError{File: name, Reason: err}
	if refusal, ok := errors.AsType[*domain.Error](err); ok && tree != nil {
		p.Reason = refusal
		for _, doc := range tree.Docs {
			ast.Walk(visitor(func(n ast.Node) {
				if s, ok := n.(*ast.StringNode); ok && p.Line == 0 && s.Value == refusal.Params["value"] {
					p.Line, p.Column = s.Token.Position.Line, s.Token.Position.Column
				}
			}), doc.Body)
		}
		return p
	}
	if e, ok := errors.AsType[yaml.Error](err); ok {
		p.Reason = errors.New(e.GetMessage())
		if t := e.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Column = t.Position.Line, t.Position.Column
		}
	}
	return p
}

// visitor calls itself for every node.
type visitor func(ast.Node)

// Visit implements ast.Visitor.
func (v visitor) Visit(n ast.Node) ast.Visitor {
	v(n)
	return v
}

// find returns the node at a path, or nil.
func find(tree *ast.File, path string) ast.Node {
	p, err := yaml.PathString(path)
	if err != nil {
		return nil
	}
	node, err := p.FilterFile(tree)
	if err != nil {
		return nil
	}
	return node
}

// reasons returns the single refusals of an error that may have several.
func reasons(err error) []error {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	return []error{err}
}

// locate returns where in the file a refusal of its i-th version is: at the field it names, or at the version.
func locate(tree *ast.File, i int, v policy.Version, reason error) (line, column int) {
	version := fmt.Sprintf("$.policies[%d]", i)
	var paths []string
	if refusal, ok := errors.AsType[*domain.Error](reason); ok {
		field := refusal.Params["field"]
		if v.Calendar != nil {
			paths = append(paths, version+".calendar."+field)
		}
		for j, d := range v.Clocks {
			if d.Clock == refusal.Params["clock"] && d.Validate() != nil {
				clock := fmt.Sprintf("%s.clocks[%d]", version, j)
				paths = append(paths, clock+"."+field, clock)
				break
			}
		}
	}
	for _, p := range append(paths, version) {
		if node := find(tree, p); node != nil {
			position := first(node).GetToken().Position
			return position.Line, position.Column
		}
	}
	return 0, 0
}

// first returns the node a reader sees first: a mapping's own token is a colon.
func first(node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 && !n.IsFlowStyle {
			return n.Values[0].Key
		}
	case *ast.MappingValueNode:
		return n.Key
	}
	return node
}

//go:embed preset/*.yaml
var presets embed.FS

// Default returns the policies the program comes with, for who has no own yet.
func Default() (all []policy.Version) {
	names, err := fs.Glob(presets, "preset/*.yaml")
	if err != nil {
		panic(err) // the pattern is well-formed
	}
	for _, name := range names {
		text, err := presets.ReadFile(name)
		if err == nil {
			var versions []policy.Version
			versions, err = Read(name, bytes.NewReader(text))
			all = append(all, versions...)
		}
		if err != nil {
			panic(err) // a test reads it
		}
	}
	return all
}
