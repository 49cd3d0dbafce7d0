package metric

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
)

// timeout reports whether a cancelled statement took too long, and was not cancelled by a person. A server that speaks another
// language than English makes no difference: then a person's cancellation counts as the metric's own failure, too.
func timeout(answer *pgconn.PgError) bool { return !strings.Contains(answer.Message, "user request") }

// quoted is what Postgres quotes of a value it cannot read.
var quoted = regexp.MustCompile(`(?s)".*"`)

// explain says what is wrong, and in which line of a file. Values are left out: the text outlives the erasure of a person.
func (v *View) explain(file string, all []statement, err error) error {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return fmt.Errorf("%s: %w", file, err)
	}
	if answer.Code == "57014" {
		return fmt.Errorf("%s: took longer than the timeout of %s (57014)", file, v.Timeout)
	}
	words := answer.Message
	if class := answer.Code[:2]; class == "22" || class == "23" && answer.Detail != "" {
		words = quoted.ReplaceAllLiteralString(words, `"..."`)
	}
	if answer.ConstraintName != "" {
		words += fmt.Sprintf(" (constraint %s of %s)", answer.ConstraintName, answer.TableName)
	}
	line := lineOf(all, answer)
	if line > 0 {
		file = fmt.Sprintf("%s:%d", file, line)
	}
	if answer.Hint != "" {
		words += ". " + strings.TrimSuffix(answer.Hint, ".")
	}
	return fmt.Errorf("%s: %s (%s)", file, words, answer.Code)
}

// lineOf returns the line that an error of Postgres is about, 0 when it does not say.
func lineOf(all []statement, answer *pgconn.PgError) int {
	for _, s := range all {
		if answer.InternalQuery == s.text {
			before := 0
			for range max(0, answer.InternalPosition-1) {
				_, n := utf8.DecodeRuneInString(s.text[before:])
				before += n
			}
			return s.line + strings.Count(s.text[:before], "\n")
		}
	}
	for _, s := range all { // an error while it ran: the innermost statement of the context
		if strings.Contains(answer.Where, s.text) {
			return s.line
		}
	}
	return 0
}
