package ticket

import "aftercare/domain/codec/scan"

// detail reads the field that the scanner is at.
func (d *Details) detail(s *scan.Scanner) {
	switch string(s.Name()) {
	case "kind":
		d.Kind = s.Code()
	case "channel":
		d.Channel = s.Code()
	case "priority":
		d.Priority = s.Code()
	case "category":
		d.Category = s.Code()
	case "subcategory":
		d.Subcategory = s.Code()
	case "product":
		d.Product = s.Code()
	case "location":
		d.Location = s.Code()
	case "team":
		d.Team = s.Code()
	case "agent":
		d.Agent = s.Code()
	case "attributes":
		if d.Attributes != nil {
			s.Fail() // encoding/json puts two together
			return
		}
		d.Attributes = s.Codes()
	default:
		s.Fail()
	}
}

// scan reads a source over what was read before.
func (o *Source) scan(s *scan.Scanner) *Source {
	var source Source
	if o != nil {
		source = *o
	}
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "system":
			source.System = s.Code()
		case "key":
			source.Key = s.String()
		default:
			s.Fail()
		}
	}
	return &source
}
