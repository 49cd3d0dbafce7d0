package metric

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What statements may begin with. The longer list is for create.sql. Everything that leaves something behind that others would
// run, or that outlives the transaction, is left out: functions, triggers, rules, DO, DECLARE, PREPARE, SET, COPY, GRANT.
var (
	applies = []string{"insert", "update", "delete", "merge", "with", "select", "values", "truncate"}
	creates = slices.Concat(applies, []string{
		"create table", "create unlogged table", "create index", "create unique index", "create view", "create recursive view",
		"create or replace view", "create sequence", "create type", "create domain", "alter table", "alter sequence", "comment on",
	})
)

// allowed returns the statements of a file, or what is wrong with it: all of it at once.
func allowed(file, text string, beginnings []string) ([]statement, error) {
	all, err := split(file, text)
	if err != nil {
		return nil, err
	}
	var problems []error
	if len(all) == 0 {
		problems = append(problems, fmt.Errorf("%s: %w: there is no statement in it", file, ErrInvalid))
	}
	for _, s := range all {
		first := words(s.text, 4)
		if strings.HasPrefix(s.text, "(") {
			first = []string{"select"}
		}
		begins := strings.Join(first, " ") + " "
		if !slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(begins, b+" ") }) {
			if len(first) > 2 {
				first = first[:2]
			}
			problems = append(problems, fmt.Errorf("%s:%d: %w: a statement may not begin with %q; it may with %s",
				file, s.line, ErrInvalid, strings.ToUpper(strings.Join(first, " ")), strings.ToUpper(strings.Join(beginnings, ", "))))
		}
	}
	return all, errors.Join(problems...)
}

func texts(all []statement) []string {
	list := make([]string, len(all))
	for i, s := range all {
		list[i] = s.text
	}
	return list
}
