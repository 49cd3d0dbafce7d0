package importer

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// shape is what the text of a mapping looks like before anything is made of it: where each key is, and what cannot be.
type shape struct {
	lines    map[string]int
	problems []fault
}

// fault is a problem and its line, 0 where it has none.
type fault struct {
	line int
	text string
}

// String returns all problems in the order of their lines.
func (s *shape) String() string {
	slices.SortFunc(s.problems, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.text, b.text))
	})
	texts := make([]string, len(s.problems))
	for i, p := range s.problems {
		texts[i] = p.text
		if p.line > 0 {
			texts[i] = fmt.Sprintf("line %d: %s", p.line, p.text)
		}
	}
	return strings.Join(texts, "; ")
}

// shapeOf reads a text. A text that is no YAML has one problem.
func shapeOf(text []byte) *shape {
	s := &shape{lines: map[string]int{}}
	file, err := parser.ParseBytes(text, 0)
	switch {
	case err != nil:
		s.at("", "%s", oneLine(err))
	case len(file.Docs) == 0 || file.Docs[0].Body == nil:
		s.at("", "nothing is there")
	case len(file.Docs) > 1:
		s.at("", "more than one document")
	default:
		s.walk(file.Docs[0].Body, reflect.TypeFor[Mapping](), "")
	}
	return s
}

// oneLine returns the first line of an error: the YAML package goes on with an excerpt of the text.
func oneLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// at adds a problem, with the line of the path, or of what is around it.
func (s *shape) at(path, format string, args ...any) {
	f := fault{text: fmt.Sprintf(format, args...)}
	if path != "" {
		f.text = path + ": " + f.text
	}
	for around := path; around != "" && f.line == 0; around = around[:max(strings.LastIndexAny(around, ".["), 0)] {
		f.line = s.lines[around]
	}
	s.problems = append(s.problems, f)
}

var valueType = reflect.TypeFor[Value]()

// walk holds a node against the type it is decoded into.
func (s *shape) walk(n ast.Node, t reflect.Type, path string) {
	switch wrapped := n.(type) {
	case *ast.AnchorNode:
		n = wrapped.Value
	case *ast.TagNode:
		n = wrapped.Value
	case *ast.AliasNode, *ast.NullNode, nil: // what an alias stands for was seen at its anchor
		return
	}
	if _, ok := s.lines[path]; !ok && path != "" {
		s.lines[path] = n.GetToken().Position.Line
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == valueType {
		switch n.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
		case *ast.SequenceNode:
			t = reflect.TypeFor[[]string]()
		default:
			t = reflect.TypeFor[string]()
		}
	}
	kind := t.Kind()
	_, scalar := n.(ast.ScalarNode)
	if kind == reflect.Struct || kind == reflect.Map {
		s.mapping(n, t, path)
	} else if kind == reflect.Slice {
		s.list(n, t, path)
	} else if kind == reflect.Int && n.Type() != ast.IntegerType {
		s.at(path, "a whole number is needed")
	} else if kind == reflect.Bool && n.Type() != ast.BoolType {
		s.at(path, "true or false is needed")
	} else if kind == reflect.String && !scalar {
		s.at(path, "text is needed")
	}
}

func (s *shape) list(n ast.Node, t reflect.Type, path string) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		s.at(path, "a list is needed")
		return
	}
	for i, item := range list.Values {
		s.walk(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
	}
}

// mapping walks the keys of a mapping.
func (s *shape) mapping(n ast.Node, t reflect.Type, path string) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		s.at(path, "keys with values are needed")
		return
	}
	known := keys(t)
	for _, v := range values {
		token := v.Key.GetToken()
		key := token.Value
		child := strings.TrimPrefix(path+"."+key, ".")
		if t.Kind() == reflect.Map {
			child = path + "[" + key + "]"
		}
		s.lines[child] = token.Position.Line
		switch of, ok := known[key]; {
		case t.Kind() == reflect.Map:
			s.walk(v.Value, t.Elem(), child)
		case ok:
			s.walk(v.Value, of, child)
		default:
			s.at(child, "not a key that is known here: %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
}

// keys returns the keys of a struct and their types.
func keys(t reflect.Type) map[string]reflect.Type {
	known := map[string]reflect.Type{}
	if t.Kind() != reflect.Struct {
		return known
	}
	for f := range t.Fields() {
		switch name, option, _ := strings.Cut(f.Tag.Get("yaml"), ","); {
		case option == "inline":
			maps.Copy(known, keys(f.Type))
		case name != "":
			known[name] = f.Type
		}
	}
	return known
}
