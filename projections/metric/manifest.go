package metric

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Type is what the values of a column are.
type Type string

// Types of columns.
const (
	Text     Type = "text"
	Int      Type = "int"     // smallint, integer or bigint
	Numeric  Type = "numeric" // exact decimals
	Float    Type = "float"
	Time     Type = "timestamp" // timestamptz
	Date     Type = "date"
	Bool     Type = "bool"
	Duration Type = "duration" // interval, shown in seconds
)

// stored are the types of Postgres that a column may have.
var stored = map[Type][]string{
	Text: {"text", "character varying", "uuid"}, Int: {"smallint", "integer", "bigint"}, Numeric: {"numeric"},
	Float: {"real", "double precision"}, Time: {"timestamp with time zone"}, Date: {"date"}, Bool: {"boolean"}, Duration: {"interval"},
}

// Privacy is who may see the values of a column.
type Privacy string

// Classes of privacy, from the most open one.
const (
	Public       Privacy = "public"
	Internal     Privacy = "internal"
	Confidential Privacy = "confidential"
)

// Words are in English and, optionally, in Chinese.
type Words struct {
	EN string `yaml:"en"`
	ZH string `yaml:"zh,omitempty"`
}

// In returns the words in a language, those in English where there are none.
func (w Words) In(language string) string {
	if strings.HasPrefix(language, "zh") && w.ZH != "" {
		return w.ZH
	}
	return w.EN
}

// Column is one of the result.
type Column struct {
	Name        string  `yaml:"name"`
	Type        Type    `yaml:"type"`
	Unit        string  `yaml:"unit,omitempty"`
	Description Words   `yaml:"description"`
	Privacy     Privacy `yaml:"privacy"`
}

// Manifest is metric.yaml.
type Manifest struct {
	Name string `yaml:"name"`
	// Version is the author's, at least 1: it grows with every change of what the numbers mean.
	Version     int   `yaml:"version"`
	Description Words `yaml:"description"`
	// Events are the stored types the metric wants. "ticket.*" is all that begin with "ticket.".
	Events []string `yaml:"events"`
	// Result is the table or view of create.sql with the numbers, Key its columns that tell its rows apart.
	Result string   `yaml:"result"`
	Key    []string `yaml:"key"`
	// Timeout bounds apply.sql for one batch. Defaults to 30 s, and is at most 10 min.
	Timeout time.Duration `yaml:"timeout,omitempty"`
	Columns []Column      `yaml:"columns"`
}

const (
	defaultTimeout = 30 * time.Second
	longestTimeout = 10 * time.Minute
	// shortestTimeout is that of Postgres.
	shortestTimeout = time.Millisecond
)

// ErrInvalid says that the files of a metric cannot be used as they are.
var ErrInvalid = errors.New("the metric cannot be used")

// names are those of metrics, relations and columns: short enough to be part of the name of a schema and of a role.
var names = regexp.MustCompile(`^[a-z][a-z0-9_]{0,29}$`)

// reserved are the names that the schemas of another metric's versions could have.
var reserved = regexp.MustCompile(`_(next|previous|leaving)$|_as_of_`)

// eventType is a stored type, or all below a prefix.
var eventType = regexp.MustCompile(`^[a-z][a-z0-9-]*\.([a-z0-9.-]*[a-z0-9]|([a-z0-9-]+\.)*\*)$`)

// ParseManifest reads metric.yaml. It refuses fields it does not know, and reports everything else at once.
func ParseManifest(text []byte) (Manifest, error) {
	var m Manifest
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&m); err != nil {
		return m, fmt.Errorf("metric.yaml: %w: %w", ErrInvalid, err)
	}
	if m.Timeout == 0 {
		m.Timeout = defaultTimeout
	}
	for i := range m.Columns {
		if m.Columns[i].Privacy == "" {
			m.Columns[i].Privacy = Internal
		}
	}
	if problems := m.problems(); len(problems) > 0 {
		return m, fmt.Errorf("metric.yaml: %w:\n%w", ErrInvalid, errors.Join(problems...))
	}
	return m, nil
}

func (m Manifest) problems() []error {
	var all []error
	say := func(format string, args ...any) { all = append(all, fmt.Errorf("  "+format, args...)) }
	if !names.MatchString(m.Name) || reserved.MatchString(m.Name) {
		say("name: %q must be lower-case letters, digits and _, begin with a letter, have at most 30 of them, not end in _next, _previous or _leaving, and not have _as_of_ in it", m.Name)
	}
	if m.Version < 1 {
		say("version: must be 1 or more; raise it when the numbers change their meaning")
	}
	if m.Description.EN == "" {
		say("description.en: say what the numbers mean")
	}
	if len(m.Events) == 0 {
		say("events: name the stored types the metric is made of, such as ticket.received.v1 or ticket.*")
	}
	for _, e := range m.Events {
		if !eventType.MatchString(e) {
			say("events: %q is neither a stored type such as ticket.received.v1 nor one with * at the end such as ticket.*", e)
		}
	}
	if !names.MatchString(m.Result) || m.Result == batchTable {
		say("result: %q must be the name of a table or view that create.sql makes", m.Result)
	}
	if m.Timeout < shortestTimeout || m.Timeout > longestTimeout {
		say("timeout: %s must be between %s and %s", m.Timeout, shortestTimeout, longestTimeout)
	}
	if len(m.Columns) == 0 {
		say("columns: describe those of the result")
	}
	seen := map[string]bool{}
	for _, c := range m.Columns {
		all = append(all, c.problems(seen[c.Name])...)
		seen[c.Name] = true
	}
	if len(m.Key) == 0 {
		say("key: name the columns that tell the rows of the result apart")
	}
	for i, k := range m.Key {
		at := slices.IndexFunc(m.Columns, func(c Column) bool { return c.Name == k })
		switch {
		case at < 0:
			say("key: %q is not among the columns", k)
		case slices.Contains(m.Key[:i], k):
			say("key: %q is there twice", k)
		case m.Columns[at].Privacy == Confidential:
			say("key: %q is confidential, but pages of the result are told apart by it", k)
		}
	}
	return all
}

func (c Column) problems(twice bool) []error {
	var all []error
	say := func(format string, args ...any) {
		all = append(all, fmt.Errorf("  columns: %q: "+format, append([]any{c.Name}, args...)...))
	}
	if !names.MatchString(c.Name) {
		say("a name is lower-case letters, digits and _, at most 30 of them, and begins with a letter")
	}
	if twice {
		say("is there twice")
	}
	if _, ok := stored[c.Type]; !ok {
		say("type %q is none of text, int, numeric, float, timestamp, date, bool, duration", c.Type)
	}
	if c.Description.EN == "" {
		say("description.en is missing")
	}
	if c.Privacy != Public && c.Privacy != Internal && c.Privacy != Confidential {
		say("privacy %q is none of public, internal, confidential", c.Privacy)
	}
	return all
}

// Column returns the column of a name.
func (m Manifest) Column(name string) (Column, bool) {
	i := slices.IndexFunc(m.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return m.Columns[i], true
}

// Handles reports whether the metric wants events of a stored type.
func (m Manifest) Handles(stored string) bool {
	return slices.ContainsFunc(m.Events, func(e string) bool {
		prefix, all := strings.CutSuffix(e, "*")
		return e == stored || all && strings.HasPrefix(stored, prefix)
	})
}

// Unknown returns the events of the manifest that none of the stored types matches.
func (m Manifest) Unknown(types []string) []string {
	var unknown []string
	for _, e := range m.Events {
		one := Manifest{Events: []string{e}}
		if !slices.ContainsFunc(types, one.Handles) {
			unknown = append(unknown, e)
		}
	}
	return unknown
}
