package graph

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"aftercare/domain"
)

// Limits bound what one operation may ask for. Zero fields take the defaults.
type Limits struct {
	// Body is the largest request body in bytes. Defaults to 256 KiB.
	Body int64
	// Tokens bounds the document. Defaults to 1000.
	Tokens int
	// Depth bounds nested fields. Defaults to 15, which is what introspection takes.
	Depth int
	// Aliases bounds how often one field may be asked for beside itself, in the whole operation. Defaults to 30.
	Aliases int
	// Cost bounds the fields of the answer, lists counted at the size of a page. Defaults to 50000.
	Cost int
}

func (l Limits) withDefaults() Limits {
	if l.Body <= 0 {
		l.Body = 256 << 10
	}
	if l.Tokens <= 0 {
		l.Tokens = 1000
	}
	if l.Depth <= 0 {
		l.Depth = 15
	}
	if l.Aliases <= 0 {
		l.Aliases = 30
	}
	if l.Cost <= 0 {
		l.Cost = 50_000
	}
	return l
}

// ExtensionName names the extension to gqlgen.
func (l Limits) ExtensionName() string { return "Limits" }

// Validate accepts every schema.
func (l Limits) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses operations beyond the limits before anything is resolved. It changes nothing.
func (l Limits) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	m := measure{variables: op.Variables, fragments: map[*ast.FragmentDefinition]size{}}
	total := m.set(op.Operation.SelectionSet)
	if total.deferred {
		return gqlerror.Wrap(domain.Refuse(domain.Invalid, "directive.unsupported", "name", "defer"))
	}
	for _, c := range []struct {
		what       string
		got, limit int
	}{
		{"depth", total.depth, l.Depth},
		{"aliases", total.aliases, l.Aliases},
		{"cost", total.cost, l.Cost},
		{"introspection", total.lists, maxIntrospectionLists},
	} {
		if c.got > c.limit {
			return gqlerror.Wrap(domain.Refuse(domain.Invalid, "operation.too-large",
				"what", c.what, "got", strconv.Itoa(c.got), "limit", strconv.Itoa(c.limit)))
		}
	}
	return nil
}

// maxIntrospectionLists is how deep lists of the schema may be nested: the tools nest one, and each further one multiplies the
// answer by the size of the schema.
const maxIntrospectionLists = 2

// size is what a selection asks for. Numbers stop at the largest int.
type size struct {
	cost, depth, aliases, lists int
	// deferred says that there is a @defer, which the library answers in a form of its own, with null for what is not.
	deferred bool
}

// measure measures selections. Every fragment is measured once, however often it is spread: the time is that of reading
// the document, while what a document stands for can be exponentially larger.
type measure struct {
	variables map[string]any
	fragments map[*ast.FragmentDefinition]size
}

func (m measure) set(set ast.SelectionSet) size {
	var total size
	for _, s := range set {
		var part size
		switch s := s.(type) {
		case *ast.Field:
			part = m.field(s)
		case *ast.InlineFragment:
			part = m.set(s.SelectionSet)
			part.deferred = part.deferred || s.Directives.ForName("defer") != nil
		case *ast.FragmentSpread:
			part = m.fragment(s.Definition)
			part.deferred = part.deferred || s.Directives.ForName("defer") != nil
		}
		total.cost = add(total.cost, part.cost)
		total.aliases = add(total.aliases, part.aliases)
		total.depth = max(total.depth, part.depth)
		total.lists = max(total.lists, part.lists)
		total.deferred = total.deferred || part.deferred
	}
	return total
}

func (m measure) fragment(f *ast.FragmentDefinition) size {
	if f == nil {
		return size{}
	}
	if known, ok := m.fragments[f]; ok {
		return known
	}
	m.fragments[f] = size{} // validation forbids cycles; if one came through, it would end here
	part := m.set(f.SelectionSet)
	m.fragments[f] = part
	return part
}

func (m measure) field(f *ast.Field) size {
	part := m.set(f.SelectionSet)
	part.depth++
	switch f.Name {
	case "fields", "interfaces", "possibleTypes", "inputFields":
		if f.ObjectDefinition != nil && f.ObjectDefinition.Name == "__Type" {
			part.lists++
		}
	}
	part.cost = add(1, times(m.entries(f), part.cost))
	if f.Alias != f.Name {
		part.aliases = add(part.aliases, 1)
	}
	return part
}

// entries is how many times the selection of a field may be in the answer: the page of a connection, 1 for an object, and for
// a list without pages a guess. The lists within a connection have the size of its page, which was counted at the connection.
func (m measure) entries(f *ast.Field) int {
	if f.Definition == nil || strings.HasPrefix(f.Name, "__") || strings.HasPrefix(f.Definition.Type.Name(), "__") {
		return 1
	}
	arguments := f.ArgumentMap(m.variables)
	if strings.HasSuffix(f.Definition.Type.Name(), "Connection") {
		return pageSize(arguments)
	}
	if ids, ok := arguments["ids"].([]any); ok {
		return len(ids)
	}
	if f.Definition.Type.Elem == nil || f.ObjectDefinition != nil && strings.HasSuffix(f.ObjectDefinition.Name, "Connection") {
		return 1
	}
	return guessedEntries
}

// guessedEntries stands for lists that have no pages, such as the clocks of a case.
const guessedEntries = 5

func pageSize(arguments map[string]any) int {
	size := defaultPage
	for _, name := range []string{"first", "last"} {
		switch n := arguments[name].(type) {
		case int64:
			size = int(min(max(n, 0), math.MaxInt32))
		case int:
			size = max(n, 0)
		}
	}
	return size
}

func add(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}

func times(a, b int) int {
	if a > 0 && b > math.MaxInt/a {
		return math.MaxInt
	}
	return a * b
}
