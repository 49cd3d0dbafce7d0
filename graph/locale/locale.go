package locale

import (
	"context"
	_ "embed" // the messages
	"strings"

	"golang.org/x/text/language"

	"aftercare/domain"
)

//go:embed en.tsv
var english string

//go:embed zh.tsv
var chinese string

var (
	tags     = []language.Tag{language.English, language.SimplifiedChinese}
	matcher  = language.NewMatcher(tags)
	messages = []map[string]string{parse(english), parse(chinese)}
)

// Words is a language we speak. The zero Words is English.
type Words struct{ index int }

// Accept returns the best language we have for an Accept-Language header.
func Accept(header string) Words {
	_, index := language.MatchStrings(matcher, header)
	return Words{index}
}

// Tag returns the BCP 47 name of the language, for Content-Language.
func (w Words) Tag() string { return tags[w.index].String() }

// Has reports whether there is prose for a code in this very language.
func (w Words) Has(code string) bool {
	_, ok := messages[w.index][code]
	return ok
}

// Of returns the prose of a refusal: the code itself when there is none.
func (w Words) Of(e *domain.Error) string {
	prose, ok := messages[w.index][e.Code]
	if !ok {
		return e.Error()
	}
	pairs := make([]string, 0, 2*len(e.Params))
	for name, value := range e.Params {
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(prose)
}

// Prose returns the message of a code before its parameters are filled in.
func (w Words) Prose(code string) string { return messages[w.index][code] }

// Codes returns every code there is prose for in this language.
func (w Words) Codes() map[string]string { return messages[w.index] }

type wordsKey struct{}

// With returns a context that carries the language of the client, from the edge to the resolvers.
func With(ctx context.Context, w Words) context.Context { return context.WithValue(ctx, wordsKey{}, w) }

// From returns the language of the client, English when it said nothing.
func From(ctx context.Context) Words {
	w, _ := ctx.Value(wordsKey{}).(Words)
	return w
}

func parse(file string) map[string]string {
	m := make(map[string]string)
	for line := range strings.Lines(file) {
		if code, prose, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			m[code] = prose
		}
	}
	return m
}
