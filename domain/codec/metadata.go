package codec

import (
	"encoding/json"

	"aftercare/domain"
	"aftercare/domain/codec/scan"
)

// Metadata reads metadata as it is stored. What cannot be read is zero.
func Metadata(data []byte) domain.Metadata {
	s := scanners.Get().(*scan.Scanner) // there is nothing else in it
	defer scanners.Put(s)
	m, err := decodeMetadata(s, data)
	s.Reset(nil)
	if err != nil {
		return domain.Metadata{}
	}
	return m
}

// decodeMetadata reads metadata, which is the same for every event and read with each.
func decodeMetadata(s *scan.Scanner, data []byte) (m domain.Metadata, err error) {
	s.Reset(data)
	if m = scanMetadata(s); s.Done() {
		return m, nil
	}
	m = domain.Metadata{}
	return m, json.Unmarshal(data, &m)
}

func scanMetadata(s *scan.Scanner) (m domain.Metadata) {
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "commandId":
			m.CommandID = s.UUID()
		case "commandHash":
			m.CommandHash = s.String()
		case "correlationId":
			m.CorrelationID = s.UUID()
		case "causationId":
			m.CausationID = s.UUID()
		case "principal":
			m.Principal = scanPrincipal(s, m.Principal)
		case "channel":
			m.Channel = s.Code()
		case "occurredAt":
			m.OccurredAt = s.Instant()
		case "traceparent":
			m.Traceparent = s.String()
		default:
			s.Fail()
		}
	}
	return m
}

// scanPrincipal reads a principal over what was read before.
func scanPrincipal(s *scan.Scanner, p domain.Principal) domain.Principal {
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "id":
			p.ID = s.Code()
		case "roles":
			p.Roles = []string{}
			for s.List(); s.Element(); {
				p.Roles = append(p.Roles, s.Code())
			}
		case "onBehalfOf":
			p.OnBehalfOf = s.Code()
		default:
			s.Fail()
		}
	}
	return p
}
