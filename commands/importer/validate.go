package importer

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"aftercare/commands/importer/charset"
	"aftercare/commands/importer/table"
	"aftercare/domain/ticket"
)

// validate adds all problems of the mapping to s.
func (m *Mapping) validate(s *shape) {
	oneOf := func(key, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			s.at(key, "%q is not one of %s", value, strings.TrimPrefix(strings.Join(allowed, ", "), ", "))
		}
	}
	if m.Name == "" {
		s.at("name", "missing")
	}
	oneOf("format", m.Format, "", "csv", "xlsx", "xes")
	oneOf("rows", m.Rows, "case", "event")
	oneOf("order", m.Order, "", "file", "time")
	if d := []rune(m.Delimiter); len(d) > 1 || len(d) == 1 && strings.ContainsRune("\"\r\n", d[0]) {
		s.at("delimiter", "%q is not one character that can stand between fields", m.Delimiter)
	}
	if m.Encoding != "" && !charset.Known(m.Encoding) {
		s.at("encoding", "%q is not known", m.Encoding)
	}
	for key, patterns := range map[string][]string{"include": m.Include, "exclude": m.Exclude} {
		for i, pattern := range patterns {
			if _, err := path.Match(pattern, ""); err != nil {
				s.at(fmt.Sprintf("%s[%d]", key, i), "%q is not a pattern of names", pattern)
			}
		}
	}
	m.validateTimes(s)
	m.validateValues(s)
	m.validateEvents(s)
	m.validateOutcomes(s)
	for i, name := range m.Policies {
		if _, err := fs.Stat(m.files, name); err != nil {
			s.at(fmt.Sprintf("policies[%d]", i), "there is no file %q beside the mapping", name)
		}
	}
}

func (m *Mapping) validateTimes(s *shape) {
	_, err := m.clock()
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			key, problem, _ := strings.Cut(err.Error(), ": ")
			s.at(key, "%s", problem)
		}
	}
}

// validateValues looks at every value of the mapping.
func (m *Mapping) validateValues(s *shape) {
	value := func(key string, v Value) { v.validate(s, key) }
	needed := func(key string, v Value) {
		if v.isUnset() {
			s.at(key, "missing")
		}
		value(key, v)
	}
	needed("key", m.Key)
	needed("received", m.Received)
	value("customer", m.Customer)
	for key, v := range map[string]Value{
		"details.kind": m.Details.Kind, "details.channel": m.Details.Channel, "details.priority": m.Details.Priority,
		"details.category": m.Details.Category, "details.subcategory": m.Details.Subcategory, "details.product": m.Details.Product,
		"details.location": m.Details.Location, "details.team": m.Details.Team, "details.agent": m.Details.Agent,
		"text.name": m.Text.Name, "text.contact": m.Text.Contact, "text.title": m.Text.Title, "text.description": m.Text.Description,
	} {
		value(key, v)
	}
	for i, e := range m.Events {
		needed(fmt.Sprintf("events[%d].at", i), e.At)
		needed(fmt.Sprintf("events[%d].status", i), e.Status)
	}
	for name, v := range m.Attributes {
		needed("attributes["+name+"]", v)
	}
	for i, t := range m.Targets {
		needed(fmt.Sprintf("targets[%d].due", i), t.Due)
	}
	for i, v := range m.Verdicts {
		needed(fmt.Sprintf("verdicts[%d].value", i), v.Value)
	}
	if r := m.Rating; r != nil {
		needed("rating.score", r.Score)
		needed("rating.at", r.At)
		value("rating.comment", r.Comment)
	}
	for i, c := range m.Checks {
		key := fmt.Sprintf("checks[%d]", i)
		value(key+".require", c.Require)
		value(key+".before", c.Before)
		value(key+".after", c.After)
		if both := !c.Before.isUnset() && !c.After.isUnset(); c.Require.isUnset() != both || c.Before.isUnset() != c.After.isUnset() {
			s.at(key, "needs require, or before and after")
		}
	}
}

// isUnset reports whether the mapping says nothing at all about the value.
func (v Value) isUnset() bool {
	return v.IsZero() && v.Default == "" && len(v.Map)+len(v.Missing) == 0 && !v.Time && !v.Optional
}

func (v Value) validate(s *shape, key string) {
	ways := 0
	for _, given := range []bool{len(v.Columns) > 0, v.Const != "", v.Template != ""} {
		if given {
			ways++
		}
	}
	switch {
	case ways > 1:
		s.at(key, "columns, const and template exclude one another")
	case ways == 0 && !v.isUnset():
		s.at(key, "needs columns, const or template")
	case slices.ContainsFunc(v.Columns, func(name string) bool { return strings.TrimSpace(name) == "" }):
		s.at(key, "a column needs a name")
	case v.Template != "":
		names := templateColumns(v.Template)
		if len(names) == 0 || slices.Contains(names, "") || strings.Count(v.Template, "{") != len(names) || strings.Count(v.Template, "}") != len(names) {
			s.at(key, "%q does not name columns as {name}", v.Template)
		}
	}
}

func (m *Mapping) validateEvents(s *shape) {
	for i, e := range m.Events {
		key := fmt.Sprintf("events[%d]", i)
		if !slices.Contains([]string{"", "keep", "refuse"}, e.Otherwise) {
			s.at(key+".otherwise", "%q is not one of keep, refuse", e.Otherwise)
		}
		if _, err := e.meaning(); err != nil {
			s.at(key, "%v", err)
		}
		for _, name := range slices.Sorted(maps.Keys(e.States)) {
			if _, err := e.States[name].meaning(); err != nil {
				s.at(key+".states["+name+"]", "%v", err)
			}
		}
	}
}

func (m *Mapping) validateOutcomes(s *shape) {
	for i, t := range m.Targets {
		if t.Clock == "" {
			s.at(fmt.Sprintf("targets[%d].clock", i), "missing")
		}
	}
	for i, v := range m.Verdicts {
		key := fmt.Sprintf("verdicts[%d]", i)
		if v.Clock == "" {
			s.at(key+".clock", "missing")
		}
		if len(v.Met)+len(v.Missed) == 0 {
			s.at(key, "needs met or missed")
		}
		for _, name := range v.Met {
			if slices.ContainsFunc(v.Missed, func(other string) bool {
				return name == other || table.Fold(name) != "" && table.Fold(name) == table.Fold(other)
			}) {
				s.at(key, "%q is both met and missed", name)
			}
		}
	}
	if r := m.Rating; r != nil && r.Min >= r.Max {
		s.at("rating", "min has to be below max")
	}
}

type meaning struct {
	phase  ticket.Phase
	reason string
	fact   ticket.Fact
}

func (s State) meaning() (m meaning, err error) {
	m.reason = s.Reason
	if s.Phase != "" {
		if m.phase, err = ticket.ParsePhase(s.Phase); err != nil {
			return m, fmt.Errorf("phase %q is not known", s.Phase)
		}
	}
	if s.Fact != "" {
		if m.fact, err = ticket.ParseFact(s.Fact); err != nil {
			return m, fmt.Errorf("fact %q is not known", s.Fact)
		}
	}
	if m.phase == ticket.Waiting && m.reason == "" {
		return m, errors.New("a waiting phase needs a reason")
	}
	return m, nil
}
