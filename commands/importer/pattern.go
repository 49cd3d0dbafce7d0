package importer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// fields of a pattern and what Go's layouts have for them; the longer come first.
var fields = []struct{ letters, layout string }{
	{"yyyy", "2006"},
	{"yy", "06"},
	{"MMMM", "January"},
	{"MMM", "Jan"},
	{"MM", "01"},
	{"M", "1"},
	{"dd", "02"},
	{"d", "2"},
	{"HH", "15"},
	{"H", "15"},
	{"hh", "03"},
	{"h", "3"},
	{"mm", "04"},
	{"m", "4"},
	{"ss", "05"},
	{"s", "5"},
	{"a", "PM"},
	{".SSSSSS", ".000000"},
	{".SSS", ".000"},
	{",SSS", ",000"},
	{"XXX", "Z07:00"},
	{"Z", "-0700"},
}

// probe is an instant no two of whose fields read alike.
var probe = time.Date(2019, 11, 23, 17, 38, 49, 123_456_000, time.FixedZone("", 5*3600+30*60))

// Pattern returns the Go layout of a pattern in the letters of Unicode's date patterns: yyyy yy MMMM MMM MM M dd d HH H hh h mm m
// ss s .SSS .SSSSSS a XXX Z. Text between apostrophes stands for itself, two apostrophes are one; so do other characters and the
// letter T. Fields of one letter, and HH, read one or two digits; the other fields of two letters read two. A fraction of a second is
// read even where the pattern has none. "a" reads AM and PM in either case, and 上午 and 下午.
//
// It fails for a pattern that names no day, that has a letter it does not know, that has h without a, or whose parts cannot be told
// apart.
func Pattern(p string) (string, error) {
	var layout, want strings.Builder
	var used []string
	var last string // the field that was just read, when it was one
	apart := true
	literal := func(s string) {
		layout.WriteString(s)
		want.WriteString(s)
		apart = apart && !strings.ContainsAny(s, "0123456789")
		last = ""
	}
	for rest := p; rest != ""; {
		if i := slices.IndexFunc(fields, func(f struct{ letters, layout string }) bool { return strings.HasPrefix(rest, f.letters) }); i >= 0 {
			f := fields[i]
			layout.WriteString(f.layout)
			want.WriteString(probe.Format(f.layout))
			used = append(used, f.layout)
			// Two digits may be one field or two.
			apart = apart && (len(last) != 1 || last == "a" || !strings.ContainsAny(f.letters, "ydHhms") && f.letters != "MM" && f.letters != "M")
			last = f.letters
			rest = rest[len(f.letters):]
			continue
		}
		if quoted, ok := strings.CutPrefix(rest, "'"); ok {
			text, after, ok := quotation(quoted)
			if !ok {
				return "", fmt.Errorf("time pattern %q: an apostrophe is never closed", p)
			}
			literal(text)
			rest = after
			continue
		}
		if c := rest[0]; c != 'T' && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return "", fmt.Errorf("time pattern %q: letter %q is not known", p, string(c))
		}
		literal(rest[:1])
		rest = rest[1:]
	}
	has := func(layouts ...string) bool {
		return slices.ContainsFunc(used, func(u string) bool { return slices.Contains(layouts, u) })
	}
	var err error
	switch {
	case !has("2006", "06") || !has("01", "1", "Jan", "January") || !has("02", "2"):
		err = errors.New("a year, a month and a day are needed")
	case has("03", "3") && !has("PM"):
		err = errors.New("h needs a")
	case !apart || probe.Format(layout.String()) != want.String():
		err = errors.New("its parts cannot be told apart")
	}
	if err != nil {
		return "", fmt.Errorf("time pattern %q: %w", p, err)
	}
	return layout.String(), nil
}

// quotation returns what is between apostrophes, the first of which was read already, and what comes after them.
func quotation(s string) (text, after string, closed bool) {
	if after, ok := strings.CutPrefix(s, "'"); ok {
		return "'", after, true
	}
	for {
		part, rest, ok := strings.Cut(s, "'")
		if !ok {
			return "", "", false
		}
		text += part
		if !strings.HasPrefix(rest, "'") {
			return text, rest, true
		}
		text, s = text+"'", rest[1:]
	}
}
