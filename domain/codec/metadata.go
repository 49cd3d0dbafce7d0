package codec

import (
	"bytes"
	"encoding/json"
	"time"

	"aftercare/domain"
)

// Metadata reads metadata as it is stored. What cannot be read is zero.
func Metadata(data []byte) domain.Metadata {
	m, err := decodeMetadata(data)
	if err != nil {
		return domain.Metadata{}
	}
	return m
}

// decodeMetadata reads metadata. It is the same for every event and read with each, so the form in which Encode writes it has a reader
// of its own, more than twice as fast as the general one, which reads whatever else there may be.
func decodeMetadata(data []byte) (m domain.Metadata, err error) {
	s := scanner{rest: data}
	if s.metadata(&m) && len(s.rest) == 0 {
		return m, nil
	}
	m = domain.Metadata{}
	return m, json.Unmarshal(data, &m)
}

// scanner reads JSON without spaces and without escapes. Its methods report whether they found what they read.
type scanner struct{ rest []byte }

func (s *scanner) skip(c byte) bool {
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) text() ([]byte, bool) {
	if !s.skip('"') {
		return nil, false
	}
	end := bytes.IndexByte(s.rest, '"')
	if end < 0 {
		return nil, false
	}
	text := s.rest[:end]
	for _, c := range text {
		if c < ' ' || c == '\\' || c > '~' {
			return nil, false
		}
	}
	s.rest = s.rest[end+1:]
	return text, true
}

func (s *scanner) into(field *string) bool {
	text, ok := s.text()
	*field = string(text)
	return ok
}

func (s *scanner) id(field *domain.UUID) bool {
	text, ok := s.text()
	return ok && field.UnmarshalText(text) == nil
}

func (s *scanner) instant(field *time.Time) bool {
	text, ok := s.text()
	return ok && field.UnmarshalText(text) == nil
}

func (s *scanner) texts(field *[]string) bool {
	if !s.skip('[') {
		return false
	}
	list := []string{}
	for !s.skip(']') {
		var text string
		if len(list) > 0 && !s.skip(',') || !s.into(&text) {
			return false
		}
		list = append(list, text)
	}
	*field = list
	return true
}

// object reads an object whose fields the function reads by their name.
func (s *scanner) object(field func(name string) bool) bool {
	if !s.skip('{') {
		return false
	}
	for first := true; !s.skip('}'); first = false {
		if !first && !s.skip(',') {
			return false
		}
		name, ok := s.text()
		if !ok || !s.skip(':') || !field(string(name)) {
			return false
		}
	}
	return true
}

func (s *scanner) metadata(m *domain.Metadata) bool {
	return s.object(func(name string) bool {
		switch name {
		case "commandId":
			return s.id(&m.CommandID)
		case "commandHash":
			return s.into(&m.CommandHash)
		case "correlationId":
			return s.id(&m.CorrelationID)
		case "causationId":
			return s.id(&m.CausationID)
		case "principal":
			return s.principal(&m.Principal)
		case "channel":
			return s.into(&m.Channel)
		case "occurredAt":
			return s.instant(&m.OccurredAt)
		case "traceparent":
			return s.into(&m.Traceparent)
		}
		return false
	})
}

func (s *scanner) principal(p *domain.Principal) bool {
	return s.object(func(name string) bool {
		switch name {
		case "id":
			return s.into(&p.ID)
		case "roles":
			return s.texts(&p.Roles)
		case "onBehalfOf":
			return s.into(&p.OnBehalfOf)
		}
		return false
	})
}
