package metric

import (
	"fmt"
	"strings"
)

// statement is one of a file.
type statement struct {
	text string
	// line is where it begins, from 1.
	line int
}

// split takes a file apart into its statements, at the semicolons that are not in quotes, comments or dollar quotes, as
// Postgres does. It returns an error for a quote or comment that does not end.
func split(file, text string) ([]statement, error) {
	if strings.ContainsRune(text, 0) {
		return nil, fmt.Errorf("%s: %w: it has a NUL", file, ErrInvalid)
	}
	s := splitter{text: text}
	var all []statement
	start := 0
	add := func(end int) {
		piece := text[start:end]
		lead := blank(piece)
		if lead < len(piece) {
			all = append(all, statement{piece[lead:], 1 + strings.Count(text[:start+lead], "\n")})
		}
	}
	for s.at < len(text) {
		if text[s.at] == ';' {
			add(s.at)
			s.at++
			start = s.at
			continue
		}
		began := s.at
		if what := s.skip(); what != "" {
			return nil, fmt.Errorf("%s:%d: %w: %s", file, 1+strings.Count(text[:began], "\n"), ErrInvalid, what)
		}
	}
	add(len(text))
	return all, nil
}

// blank returns how many bytes of space and comments a text begins with.
func blank(text string) int {
	s := splitter{text: text}
	for s.at < len(text) {
		rest := text[s.at:]
		switch {
		case strings.ContainsRune(" \t\r\n\f\v", rune(rest[0])):
			s.at++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "/*"):
			s.skip()
		default:
			return s.at
		}
	}
	return s.at
}

// splitter walks over a text.
type splitter struct {
	text string
	at   int
}

// skip passes one byte, word, quote or comment. It returns what is wrong with it, and "" when all is well.
func (s *splitter) skip() string {
	rest := s.text[s.at:]
	switch {
	case strings.HasPrefix(rest, "--"):
		end := strings.IndexAny(rest, "\r\n")
		if end < 0 {
			end = len(rest)
		}
		s.at += end
	case strings.HasPrefix(rest, "/*"):
		return s.comment()
	case rest[0] == '\'':
		return s.quote('\'', false)
	case rest[0] == '"':
		return s.quote('"', false)
	case rest[0] == '$':
		return s.dollar()
	case wordByte(rest[0]) && (rest[0] < '0' || rest[0] > '9'): // a digit begins no word: in 1$$ a dollar quote begins
		n := 1
		for n < len(rest) && (wordByte(rest[n]) || rest[n] == '$') {
			n++
		}
		s.at += n
		if (n == 1) && (rest[0] == 'e' || rest[0] == 'E') && n < len(rest) && rest[n] == '\'' {
			return s.quote('\'', true)
		}
	default:
		s.at++
	}
	return ""
}

// wordByte reports whether a byte may be in a name, a keyword or a number.
func wordByte(b byte) bool {
	return b == '_' || b >= 0x80 || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

func (s *splitter) comment() string {
	depth := 0
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		switch {
		case strings.HasPrefix(rest, "/*"):
			depth++
			s.at += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			s.at += 2
			if depth == 0 {
				return ""
			}
		default:
			s.at++
		}
	}
	return "a comment does not end"
}

// quote passes a quoted text; a doubled quote is part of it, and with escapes so is what follows a backslash.
func (s *splitter) quote(mark byte, escapes bool) string {
	s.at++
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case escapes && c == '\\':
			s.at += 2
		case c == mark && s.at+1 < len(s.text) && s.text[s.at+1] == mark:
			s.at += 2
		case c == mark:
			s.at++
			if rest := s.text[s.at:]; escapes && strings.HasPrefix(rest[blank(rest):], "'") {
				return "an E'' text may not go on after its end" // whether it does depends on the space between
			}
			return ""
		default:
			s.at++
		}
	}
	s.at = len(s.text)
	return "a quote does not end"
}

// dollar passes a text in dollar quotes, or else the one byte.
func (s *splitter) dollar() string {
	rest := s.text[s.at+1:]
	n := 0
	for n < len(rest) && wordByte(rest[n]) {
		n++
	}
	if n == len(rest) || rest[n] != '$' || n > 0 && rest[0] >= '0' && rest[0] <= '9' {
		s.at++
		return ""
	}
	tag := "$" + rest[:n+1]
	end := strings.Index(rest[n+1:], tag)
	if end < 0 {
		s.at = len(s.text)
		return "a text in " + tag + " does not end"
	}
	s.at += 1 + n + 1 + end + len(tag)
	return ""
}

// words returns the first words of a statement, in lower case, without comments.
func words(text string, n int) []string {
	var all []string
	for len(all) < n {
		text = text[blank(text):]
		s := splitter{text: text}
		if text == "" || !wordByte(text[0]) {
			break
		}
		s.skip()
		all = append(all, strings.ToLower(text[:s.at]))
		text = text[s.at:]
	}
	return all
}
