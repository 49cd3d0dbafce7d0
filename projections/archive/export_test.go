package archive

import (
	"slices"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// WriteSegment makes the file of a segment in a folder, and returns its name.
func WriteSegment(dir string, after domain.Position, events []codec.Raw) (string, error) {
	b := &builder{after: after}
	for _, e := range events {
		b.add(e)
	}
	s, err := folder{dir: dir, archive: &Archive{}}.write(b)
	if err != nil {
		return "", err
	}
	return s.file.Name(), s.file.Close()
}

// ReadSegment returns the selected events of some parts of a file, in the order of the log.
func ReadSegment(name string, first, end int, which Selection) ([]codec.Raw, error) {
	s, err := openSegment(name)
	if err != nil {
		return nil, err
	}
	defer s.file.Close() //nolint:errcheck // only read
	events, err := s.parts(&buffers{}, &decoder{Selection: which}, first, end, nil)
	slices.SortFunc(events, func(a, b codec.Raw) int { return a.Position.Compare(b.Position) })
	return events, err
}

// EncodePart returns a part before its compression.
func EncodePart(events []codec.Raw) []byte { return appendPart(nil, events, domain.Position{}) }

// DecodePart returns the events of such a part.
func DecodePart(raw []byte) ([]codec.Raw, error) {
	return (&decoder{}).part(raw, domain.Position{}, nil)
}
