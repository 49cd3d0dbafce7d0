package facet

import "aftercare/domain"

// Dimension is what cases are grouped by.
type Dimension uint8

// The dimensions.
const (
	Source Dimension = iota + 1
	Kind
	Phase
	Channel
	Priority
	Category
	Subcategory
	Product
	Location
	Team
	Agent
	// Clock is the kind of promise; only clocks have it.
	Clock
	// Attribute is an attribute of the case by name: see By.
	Attribute
	// Day, Week, Month and Year are those of the reporting zone; weeks are ISO weeks.
	Day
	Week
	Month
	Year
)

var dimensionNames = [...]string{
	Source: "source", Kind: "kind", Phase: "phase", Channel: "channel", Priority: "priority", Category: "category",
	Subcategory: "subcategory", Product: "product", Location: "location", Team: "team", Agent: "agent", Clock: "clock",
	Attribute: "attribute", Day: "day", Week: "week", Month: "month", Year: "year",
}

// String returns the stable name, or "" for the zero Dimension.
func (d Dimension) String() string {
	if int(d) < len(dimensionNames) {
		return dimensionNames[d]
	}
	return ""
}

// ParseDimension reads a stable name.
func ParseDimension(s string) (Dimension, error) {
	for d, name := range dimensionNames {
		if name == s && name != "" {
			return Dimension(d), nil
		}
	}
	return 0, domain.Refuse(domain.Invalid, "facet.unknown-dimension", "value", s)
}

// MarshalText writes the stable name.
func (d Dimension) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a stable name.
func (d *Dimension) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDimension(string(b))
	return err
}

// By groups by a dimension; Name is the attribute's when the dimension is Attribute.
type By struct {
	Dimension Dimension
	Name      string
}

// Value is one coordinate of a group. Months read "2026-01", days "2026-01-31", weeks "2026-W05", years "2026"; empty is
// not known.
type Value struct {
	By
	Value string
}
