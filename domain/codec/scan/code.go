package scan

const (
	// codes is how many codes a scanner remembers, a power of two, and longest the longest of them in bytes.
	codes   = 1024
	longest = 48
)

// Code reads a string that many events share, such as a status or a team: the strings of one scanner that are equal share their
// memory, as far as it remembers them.
func (s *Scanner) Code() string { return s.intern(s.quoted()) }

func (s *Scanner) intern(text []byte) string {
	if len(text) == 0 || len(text) > longest {
		return string(text)
	}
	hash := uint32(2166136261) // FNV-1a
	for _, c := range text {
		hash = (hash ^ uint32(c)) * 16777619
	}
	known := &s.codes[(hash^hash>>16)%codes]
	if *known != string(text) {
		*known = string(text)
	}
	return *known
}

// Codes reads an object of codes by name. A name that comes twice has its last value.
func (s *Scanner) Codes() map[string]string {
	all := map[string]string{}
	for s.Object(); s.Field(); {
		name := s.intern(s.Name())
		all[name] = s.Code()
	}
	if s.failed {
		return nil
	}
	return all
}

// Parse reads a string and what it stands for.
func Parse[T any](s *Scanner, parse func(string) (T, error)) (value T) {
	text := s.Code()
	if s.failed {
		return value
	}
	value, err := parse(text)
	if err != nil {
		s.Fail()
	}
	return value
}
