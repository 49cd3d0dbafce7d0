package importer

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"aftercare/domain"
	"aftercare/domain/seal"
	"aftercare/domain/ticket"
)

// place says where a row is and when it happened.
type place struct {
	at   time.Time
	file string
	row  int
}

func (p place) before(q place) bool {
	switch {
	case !p.at.Equal(q.at):
		return p.at.Before(q.at)
	case p.file != q.file:
		return p.file < q.file
	}
	return p.row < q.row
}

// status is one status and the row that says so.
type status struct {
	place
	ticket.RecordStatus
}

// history is what all rows of one case say.
type history struct {
	first, last  *entry
	began, ended place
	statuses     []status
	overlap      overlap
	rows         int // of the case so far, refused ones included
}

// add takes in a row. Its statuses are numbered by the row and by the event of the mapping they stand for, so that a status which comes
// late, or was refused and is put right, does not shift the numbers of the others. What another file had already is passed over.
func (h *history) add(p *program, e *entry, at place) {
	at.at = e.at
	byTime := p.Order == "time" // then it is passed over when all is known, since files may come in any order
	known := len(h.statuses)
	for _, s := range e.statuses {
		s.Seq += h.rows * len(p.Events)
		if row := (status{place{s.At, at.file, at.row}, s}); byTime || h.overlap.fresh(h.statuses[:known], row) {
			h.statuses = append(h.statuses, row)
		}
	}
	if len(e.statuses) > 0 && len(h.statuses) == known {
		return
	}
	if h.first == nil || byTime && at.before(h.began) {
		h.first, h.began = e, at
	}
	if h.last == nil || !byTime || h.ended.before(at) {
		h.last, h.ended = e, at
	}
	h.rows++
}

// skip leaves room for a row that was refused.
func (h *history) skip() { h.rows++ }

// overlap knows what files have in common, as two exports or one log in two formats do. Within one file, rows that are alike are as many
// events.
type overlap struct {
	file          string
	before, since map[string]int // how often each status was in one of the files before, and in this one; nil while there is one file
}

// fresh reports whether no earlier file has a status. It is told the statuses so far, of one file after another.
func (o *overlap) fresh(statuses []status, s status) bool {
	if o.file == "" {
		o.file = s.file
	}
	if o.file != s.file {
		if o.before == nil {
			o.before = map[string]int{}
			for _, s := range statuses {
				o.before[s.said()]++
			}
		}
		for said, n := range o.since {
			o.before[said] = max(n, o.before[said])
		}
		o.since, o.file = map[string]int{}, s.file
	}
	if o.before == nil {
		return true
	}
	said := s.said()
	o.since[said]++
	return o.since[said] > o.before[said]
}

func (s status) said() string {
	s.Seq = 0
	return fmt.Sprintf("%+v", s.RecordStatus)
}

// identity says who a case is and whom its texts concern.
type identity struct {
	id     domain.UUID
	number string
	person seal.Subject
	known  bool
}

// commands returns what the history asks of its case.
func (h *history) commands(p *program, who identity) []ticket.Command {
	text := func(s string) seal.Text { return seal.New(who.person, s) }
	f := h.first
	receive := ticket.Receive{
		At: f.received, Number: who.number, Details: f.details, Name: text(f.text[0]), Contact: text(f.text[1]),
		Title: text(f.text[2]), Description: text(f.text[3]), Source: &ticket.Source{System: p.Source, Key: f.key},
	}
	if who.known {
		receive.Customer = who.person
	}
	statuses := h.ordered(p)
	end := h.last.received
	for _, s := range statuses {
		if s.At.After(end) {
			end = s.At
		}
	}
	if n := len(statuses); n > 0 {
		statuses[n-1].Attributes = h.last.attrs
	}
	if p.Rows == "case" || len(statuses) == 0 {
		receive.Attributes = h.last.attrs
	}
	commands := make([]ticket.Command, 0, len(statuses)+4)
	commands = append(commands, receive)
	for _, t := range h.last.targets {
		t.At = f.received
		commands = append(commands, t)
	}
	for _, s := range statuses {
		commands = append(commands, s)
	}
	for _, v := range h.last.verdicts {
		v.At = end
		commands = append(commands, v)
	}
	if h.last.rated {
		rate := h.last.rating
		rate.Comment = text(h.last.comment)
		commands = append(commands, rate)
	}
	return commands
}

// ordered returns the statuses in the order the mapping asks for. By time, equal times stay in the order of rows, and of the names of
// files, so that the order in which files are read does not matter.
func (h *history) ordered(p *program) []ticket.RecordStatus {
	sorted := h.statuses
	if p.Order == "time" {
		sorted = byTime(sorted)
	}
	statuses := make([]ticket.RecordStatus, len(sorted))
	for i, s := range sorted {
		statuses[i] = s.RecordStatus
		if p.Order == "time" {
			statuses[i].Seq = i + 1
		}
	}
	return statuses
}

func byTime(statuses []status) []status {
	byFile := slices.Clone(statuses)
	slices.SortStableFunc(byFile, func(a, b status) int { return strings.Compare(a.file, b.file) })
	var once []status
	var o overlap
	for _, s := range byFile {
		if o.fresh(once, s) {
			once = append(once, s)
		}
	}
	slices.SortStableFunc(once, func(a, b status) int { return a.At.Compare(b.At) })
	return once
}

// write writes what the history says, so that the same rows are the same command.
func (h *history) write(p *program, w io.Writer) {
	_, _ = fmt.Fprintf(w, "%+v|%+v|%+v", *h.first, *h.last, h.ordered(p))
}
