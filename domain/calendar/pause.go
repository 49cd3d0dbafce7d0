package calendar

import (
	"slices"
)

// stretch is a half-open stretch between two instants.
type stretch struct{ from, to instant }

// running returns the parts of [from, to) outside the union of pauses, in order. A pause without an end is not over; one
// that ends before it starts is none.
func running(from, to instant, pauses []Span) []stretch {
	if len(pauses) == 0 {
		if from.before(to) {
			return []stretch{{from, to}}
		}
		return nil
	}
	stops := make([]stretch, 0, len(pauses))
	for _, p := range pauses {
		s := stretch{later(instantOf(p.Start), from), to}
		if !p.End.IsZero() {
			s.to = earlier(instantOf(p.End), to)
		}
		if s.from.before(s.to) {
			stops = append(stops, s)
		}
	}
	slices.SortFunc(stops, func(a, b stretch) int {
		switch {
		case a.from.before(b.from):
			return -1
		case b.from.before(a.from):
			return 1
		}
		return 0
	})
	out := make([]stretch, 0, len(stops)+1)
	for _, s := range stops {
		if from.before(s.from) {
			out = append(out, stretch{from, s.from})
		}
		from = later(from, s.to)
	}
	if from.before(to) {
		out = append(out, stretch{from, to})
	}
	return out
}
