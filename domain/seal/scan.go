package seal

import (
	"encoding/base64"

	"aftercare/domain/codec/scan"
)

// Scan reads the sealed form of a text.
func Scan(s *scan.Scanner) Text {
	var t Text
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "subject":
			t.subject = Subject(s.String())
		case "sealed":
			t.cipher = scanBase64(s)
		default:
			s.Fail()
		}
	}
	if t.cipher == nil {
		s.Fail()
		return Text{}
	}
	s.Sealed()
	return t
}

func scanBase64(s *scan.Scanner) []byte {
	text := s.Bytes()
	data := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(data, text)
	if err != nil {
		s.Fail()
		return nil
	}
	return data[:n]
}
