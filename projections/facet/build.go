package facet

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"aftercare/domain"
)

// Statement fills a query written in a .sql file: {name} stands for a fragment, values become arguments.
type Statement struct {
	args      []any
	fragments []string
}

// Arg adds an argument and returns how the statement refers to it. Texts are compared as views keep them: see Clean.
func (s *Statement) Arg(value any) string {
	switch v := value.(type) {
	case string:
		value = Clean(v)
	case []string:
		cleaned := make([]string, len(v))
		for i, text := range v {
			cleaned[i] = Clean(text)
		}
		value = cleaned
	}
	s.args = append(s.args, value)
	return "$" + strconv.Itoa(len(s.args))
}

// Set says, once, what {name} stands for. Fragments are ours; what users say goes through Arg.
func (s *Statement) Set(name, fragment string) {
	s.fragments = append(s.fragments, "{"+name+"}", fragment)
}

// SQL returns the query with its fragments.
func (s *Statement) SQL(query string) string {
	return strings.NewReplacer(s.fragments...).Replace(query)
}

// Args returns the arguments.
func (s *Statement) Args() []any { return s.args }

// Columns say where a query finds what filters and dimensions need.
type Columns struct {
	// Row is the alias of the row with the columns of Case, and ID the expression of the case's id.
	Row string
	ID  string
	// Ticket is the alias of view_ticket.ticket, for what only that knows.
	Ticket string
	// When is the expression of the instant that days, weeks, months and years are of.
	When string
	// Clock is the expression of the kind of promise; empty where there is none.
	Clock string
}

// Where returns the condition of a filter, "true" for the empty one.
func (s *Statement) Where(f Filter, c Columns) string {
	conditions := []string{"true"}
	add := func(condition string) { conditions = append(conditions, condition) }
	in := func(column string, values []string) {
		if len(values) > 0 {
			add(column + " = any(" + s.Arg(values) + ")")
		}
	}
	if len(f.IDs) > 0 {
		add(c.ID + " = any(" + s.Arg(IDs(f.IDs)) + ")")
	}
	in(c.Row+".source_system", f.Sources)
	in(c.Row+".kind", f.Kinds)
	in(c.Row+".channel", f.Channels)
	in(c.Row+".priority", f.Priorities)
	in(c.Row+".category", f.Categories)
	in(c.Row+".subcategory", f.Subcategories)
	in(c.Row+".product", f.Products)
	in(c.Row+".location", f.Locations)
	in(c.Row+".team", f.Teams)
	in(c.Row+".agent", f.Agents)
	in(c.Ticket+".customer", f.Customers)
	in(c.Ticket+".status", f.Statuses)
	phases := make([]string, len(f.Phases))
	for i, p := range f.Phases {
		phases[i] = p.String()
	}
	in(c.Ticket+".phase", phases)
	for _, a := range f.Attributes {
		name := s.Arg(a.Name) + "::text"
		add(c.Ticket + ".attributes ? " + name)
		in("("+c.Ticket+".attributes ->> "+name+")", a.In)
		if len(a.NotIn) > 0 {
			add("(" + c.Ticket + ".attributes ->> " + name + ") <> all(" + s.Arg(a.NotIn) + ")")
		}
	}
	if !f.ReceivedFrom.IsZero() {
		add(c.Row + ".received_at >= " + s.Arg(f.ReceivedFrom))
	}
	if !f.ReceivedTo.IsZero() {
		add(c.Row + ".received_at < " + s.Arg(f.ReceivedTo))
	}
	if text := strings.TrimSpace(Clean(f.Text)); text != "" {
		add(s.search(text, c.Ticket))
	}
	return strings.Join(conditions, " and ")
}

// search matches the start of number and source key, or words of title and description. Scripts without spaces between
// words are searched as substrings.
func (s *Statement) search(text, ticket string) string {
	prefix := s.Arg(likeEscaper.Replace(strings.ToLower(text)) + "%")
	or := []string{
		"lower(" + ticket + ".number) like " + prefix,
		"lower(" + ticket + ".source_key) like " + prefix,
	}
	if strings.ContainsFunc(text, unspaced) {
		part := s.Arg("%" + likeEscaper.Replace(text) + "%")
		or = append(or, ticket+".title ilike "+part, ticket+".description ilike "+part)
	} else {
		or = append(or, ticket+".words @@ websearch_to_tsquery('simple', "+s.Arg(text)+")")
	}
	return "(" + strings.Join(or, " or ") + ")"
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// IDs returns ids as an argument of type uuid[].
func IDs(ids []domain.UUID) [][16]byte {
	out := make([][16]byte, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}

// Group returns the expression of a group's coordinates, of type text[]. It refuses an unknown zone and a dimension that
// the rows do not have.
func (s *Statement) Group(by []By, zone string, c Columns) (string, error) {
	if zone == "" {
		zone = "UTC"
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		return "", domain.Refuse(domain.Invalid, "facet.unknown-zone", "value", zone)
	}
	parts := make([]string, len(by))
	var local string
	period := func(format string) string {
		if local == "" {
			local = "(" + c.When + " at time zone " + s.Arg(zone) + "::text)"
		}
		return "to_char(" + local + ", '" + format + "')"
	}
	for i, b := range by {
		switch b.Dimension {
		case Source:
			parts[i] = c.Row + ".source_system"
		case Kind, Channel, Priority, Category, Subcategory, Product, Location, Team, Agent:
			parts[i] = c.Row + "." + b.Dimension.String()
		case Phase:
			parts[i] = c.Ticket + ".phase"
		case Clock:
			if c.Clock == "" {
				return "", domain.Refuse(domain.Invalid, "facet.dimension-not-here", "value", b.Dimension.String())
			}
			parts[i] = c.Clock
		case Attribute:
			if b.Name == "" {
				return "", domain.Refuse(domain.Invalid, "facet.attribute-without-name")
			}
			parts[i] = c.Ticket + ".attributes ->> " + s.Arg(b.Name) + "::text"
		case Day:
			parts[i] = period("YYYY-MM-DD")
		case Week:
			parts[i] = period(`IYYY-"W"IW`)
		case Month:
			parts[i] = period("YYYY-MM")
		case Year:
			parts[i] = period("YYYY")
		default:
			return "", domain.Refuse(domain.Invalid, "facet.unknown-dimension", "value", b.Dimension.String())
		}
		parts[i] = "coalesce(" + parts[i] + ", '')"
	}
	return "array[" + strings.Join(parts, ", ") + "]::text[]", nil
}

// Values names the coordinates of a group.
func Values(by []By, coordinates []string) []Value {
	out := make([]Value, len(by))
	for i := range by {
		out[i] = Value{By: by[i], Value: coordinates[i]}
	}
	return out
}
