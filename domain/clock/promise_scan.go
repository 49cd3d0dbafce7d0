package clock

import "aftercare/domain/codec/scan"

// scan reads a promise over what was read before.
func (p Promise) scan(s *scan.Scanner) Promise {
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "definition":
			p.Definition = p.Definition.scan(s)
		case "calendar":
			p.Calendar = p.Calendar.scan(s)
		case "tz":
			p.TZ = s.Code()
		case "start":
			p.Start = s.Instant()
		case "budget":
			p.Budget = s.Int()
		case "unit":
			p.Unit = scan.Parse(s, ParseUnit)
		case "carried":
			p.Carried = s.Int64()
		case "due":
			p.Due = s.Instant()
		case "counted":
			p.Counted = scanSpans(s, p.Counted)
		case "provisional":
			p.Provisional = s.Bool()
		default:
			s.Fail()
		}
	}
	return p
}

func (v Version) scan(s *scan.Scanner) Version {
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "id":
			v.ID = s.Code()
		case "version":
			v.Version = s.Int()
		default:
			s.Fail()
		}
	}
	return v
}

// scanSpans reads a list. It leaves to encoding/json what becomes of two.
func scanSpans(s *scan.Scanner, before []Span) []Span {
	if before != nil {
		s.Fail()
		return nil
	}
	all := []Span{}
	for s.List(); s.Element(); {
		var one Span
		for s.Object(); s.Field(); {
			switch string(s.Name()) {
			case "start":
				one.Start = s.Instant()
			case "end":
				one.End = s.Instant()
			default:
				s.Fail()
			}
		}
		all = append(all, one)
	}
	return all
}
