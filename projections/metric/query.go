package metric

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aftercare/domain"
	"aftercare/projections/page"
)

// Filter holds for rows whose column has a value as asked for; all that is set must hold. Values are texts as in [Cell].
type Filter struct {
	Column           string
	Eq               *string
	In               []string
	Lt, Lte, Gt, Gte *string
	// Null asks for rows without a value, when true, or with one.
	Null *bool
}

// Order is a column to order by. Rows without a value come last, in descending order first.
type Order struct {
	Column string
	Desc   bool
}

// builder makes the parts of a question. Names come from the manifest alone, values go along as texts.
type builder struct {
	Definition

	given []string
}

type ordered struct {
	column Column
	desc   bool
}

// direction is the direction in SQL, reversed for a page that is read from its end.
func (o ordered) direction(backward bool) string {
	if o.desc != backward {
		return " desc"
	}
	return ""
}

// open returns a column that readers may see.
func (b *builder) open(name string) (Column, error) {
	c, ok := b.Column(name)
	if !ok {
		return c, domain.Refuse(domain.Invalid, "metric.column-unknown", "name", name)
	}
	if c.Privacy == Confidential {
		return c, domain.Refuse(domain.Forbidden, "metric.column-closed", "name", name)
	}
	return c, nil
}

// value returns the SQL of a value given for a column.
func (b *builder) value(c Column, text string) (string, error) {
	if !c.accepts(text) {
		return "", domain.Refuse(domain.Invalid, "metric.value", "column", c.Name, "type", string(c.Type), "value", text)
	}
	b.given = append(b.given, text)
	return fmt.Sprintf("$1[%d]::%s", len(b.given), c.cast()), nil
}

// maxConditions bounds the filters of a question, and the values of one list.
const (
	maxConditions = 50
	maxValues     = 1000
)

func (b *builder) filters(all []Filter) ([]string, error) {
	if len(all) > maxConditions {
		return nil, domain.Refuse(domain.Invalid, "metric.filters-too-many", "max", strconv.Itoa(maxConditions))
	}
	var where []string
	for _, f := range all {
		c, err := b.open(f.Column)
		if err != nil {
			return nil, err
		}
		for _, compare := range []struct {
			operator string
			text     *string
		}{{"=", f.Eq}, {"<", f.Lt}, {"<=", f.Lte}, {">", f.Gt}, {">=", f.Gte}} {
			if compare.text == nil {
				continue
			}
			v, err := b.value(c, *compare.text)
			if err != nil {
				return nil, err
			}
			where = append(where, c.compared()+" "+compare.operator+" "+v)
		}
		if f.In != nil {
			one, err := b.in(c, f.In)
			if err != nil {
				return nil, err
			}
			where = append(where, one)
		}
		if f.Null != nil {
			where = append(where, fmt.Sprintf("(%s is null) = %t", c.compared(), *f.Null))
		}
	}
	return where, nil
}

func (b *builder) in(c Column, list []string) (string, error) {
	if len(list) > maxValues {
		return "", domain.Refuse(domain.Invalid, "metric.values-too-many", "max", strconv.Itoa(maxValues))
	}
	if len(list) == 0 {
		return "false", nil
	}
	values := make([]string, len(list))
	for i, text := range list {
		v, err := b.value(c, text)
		if err != nil {
			return "", err
		}
		values[i] = v
	}
	return c.compared() + " in (" + strings.Join(values, ", ") + ")", nil
}

// order completes an order with the key.
func (b *builder) order(asked []Order) ([]ordered, error) {
	var all []ordered
	add := func(name string, desc bool) error {
		c, err := b.open(name)
		if err == nil && !slices.ContainsFunc(all, func(o ordered) bool { return o.column.Name == name }) {
			all = append(all, ordered{c, desc})
		}
		return err
	}
	for _, o := range asked {
		if err := add(o.Column, o.Desc); err != nil {
			return nil, err
		}
	}
	for _, k := range b.Key {
		if err := add(k, false); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// orderName is the name of an order in cursors: those of another metric, or order, are refused.
func orderName(d Definition, order []ordered) string {
	parts := []string{"metric", d.Name}
	for _, o := range order {
		parts = append(parts, o.column.Name+o.direction(false))
	}
	return strings.Join(parts, " ")
}

// keyset returns the conditions of the place where a page begins and ends.
func (b *builder) keyset(order []ordered, name string, p page.Page) ([]string, error) {
	var where []string
	for _, side := range []struct {
		cursor string
		before bool
	}{{p.After, false}, {p.Before, true}} {
		if side.cursor == "" {
			continue
		}
		key, err := page.Decode(side.cursor, name, len(order))
		if err != nil {
			return nil, err
		}
		beyond, err := b.beyond(order, key, side.before)
		if err != nil {
			return nil, domain.Refuse(domain.Invalid, "page.cursor-malformed", "value", side.cursor)
		}
		where = append(where, beyond)
	}
	return where, nil
}

// beyond is true for rows that come after the place of a cursor, or before it.
func (b *builder) beyond(order []ordered, key []string, before bool) (string, error) {
	var alternatives, equal []string
	for i, o := range order {
		name := o.column.compared()
		text, some := strings.CutPrefix(key[i], "=")
		descending := o.desc != before
		further, same := "false", name+" is null"
		switch {
		case some:
			v, err := b.value(o.column, text)
			if err != nil {
				return "", err
			}
			same = name + " = " + v
			further = fmt.Sprintf("(%s > %s or %s is null)", name, v, name)
			if descending {
				further = name + " < " + v
			}
		case descending: // rows without a value come first
			further = name + " is not null"
		}
		alternatives = append(alternatives, "("+strings.Join(append(slices.Clone(equal), further), " and ")+")")
		equal = append(equal, same)
	}
	return "(" + strings.Join(alternatives, " or ") + ")", nil
}
