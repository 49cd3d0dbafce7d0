package importer

import (
	"slices"
	"strings"

	"aftercare/commands/importer/table"
)

// Value says where a value comes from. In YAML it is the name of a column, a list of names of which the first that the file
// has counts, or a mapping of the fields below. Names match without regard to case, spaces and punctuation.
type Value struct {
	Columns []string `yaml:"columns"`
	// Const is the same for every row.
	Const string `yaml:"const"`
	// Template joins columns, as in "{a}/{b}"; it is missing when one of them is.
	Template string `yaml:"template"`
	// Map translates values; others stay as they are, and one translated to nothing is missing. Default stands in for a value
	// that the file does not have; it is not translated.
	Map     map[string]string `yaml:"map"`
	Default string            `yaml:"default"`
	// Missing are further values that mean "not known" here, in whatever case.
	Missing []string `yaml:"missing"`
	// Time marks an attribute that is an instant; it is stored as RFC 3339 in UTC.
	Time bool `yaml:"time"`
	// Optional columns need not be in the file.
	Optional bool `yaml:"optional"`
}

// UnmarshalYAML reads the three forms.
func (v *Value) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		v.Columns = []string{one}
		return nil
	}
	var many []string
	if unmarshal(&many) == nil {
		v.Columns = many
		return nil
	}
	type plain Value
	return unmarshal((*plain)(v))
}

// IsZero reports whether the mapping does not say where the value comes from.
func (v Value) IsZero() bool { return len(v.Columns) == 0 && v.Const == "" && v.Template == "" }

// getter is a Value bound to the header of a file.
type getter struct {
	column  int
	parts   []string // literal, column, literal, column, ..., literal
	columns []int
	value   *boundValue
}

// boundValue is what of a Value does not depend on a file.
type boundValue struct {
	Value
	translate table.Lookup[string]
	missing   []string
}

// lacks reports whether a value, without space around it, means "not known".
func (b *boundValue) lacks(cell string) bool {
	return cell == "" || slices.ContainsFunc(b.missing, func(m string) bool { return strings.EqualFold(m, cell) })
}

func bindValue(v Value, missing []string) *boundValue {
	b := &boundValue{Value: v, translate: table.NewLookup(v.Map)}
	for _, m := range slices.Concat(missing, v.Missing) {
		if m = strings.TrimSpace(m); m != "" {
			b.missing = append(b.missing, m)
		}
	}
	return b
}

// names returns the columns a file must have one of, for each part of the value.
func (b *boundValue) names() [][]string {
	if b.Template != "" {
		var all [][]string
		for _, name := range templateColumns(b.Template) {
			all = append(all, []string{name})
		}
		return all
	}
	if len(b.Columns) > 0 {
		return [][]string{b.Columns}
	}
	return nil
}

func templateColumns(t string) (names []string) {
	for {
		_, rest, ok := strings.Cut(t, "{")
		if !ok {
			return names
		}
		name, rest, ok := strings.Cut(rest, "}")
		if !ok {
			return names
		}
		names = append(names, name)
		t = rest
	}
}

func (b *boundValue) bind(h *table.Header) getter {
	g := getter{column: -1, value: b}
	for _, name := range b.Columns {
		if g.column = h.Find(name); g.column >= 0 {
			break
		}
	}
	t := b.Template
	for t != "" {
		literal, rest, ok := strings.Cut(t, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			g.parts = append(g.parts, t)
			break
		}
		g.parts = append(g.parts, literal)
		g.columns = append(g.columns, h.Find(name))
		t = after
	}
	return g
}

// raw returns the value as the file has it; ok is false when it is missing.
func (g getter) raw(r table.Row) (string, bool) {
	switch {
	case g.value == nil:
		return "", false
	case g.value.Const != "":
		return g.value.Const, true
	case g.value.Template != "":
		var b strings.Builder
		for i, literal := range g.parts {
			b.WriteString(literal)
			if i < len(g.columns) {
				cell, _ := r.Cell(g.columns[i])
				if cell = strings.TrimSpace(cell); g.value.lacks(cell) {
					return "", false
				}
				b.WriteString(cell)
			}
		}
		return b.String(), true
	}
	cell, _ := r.Cell(g.column)
	cell = strings.TrimSpace(cell)
	return cell, !g.value.lacks(cell)
}

// get returns the translated value; ok is false when it is missing and has no default.
func (g getter) get(r table.Row) (string, bool) {
	raw, ok := g.raw(r)
	if !ok {
		if g.value != nil && g.value.Default != "" {
			return g.value.Default, true
		}
		return "", false
	}
	if to, ok := g.value.translate.Find(raw); ok {
		return to, to != ""
	}
	return raw, true
}

// columnName says which column a refusal is about.
func (g getter) columnName(r table.Row) string {
	switch {
	case g.value == nil:
		return ""
	case g.column >= 0:
		return r.Header().Names[g.column]
	case g.value.Template != "":
		return g.value.Template
	}
	return strings.Join(g.value.Columns, " | ")
}
