package main

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"text/tabwriter"

	"aftercare/deploy/logbench/measure"
)

// report is what was measured: the events per second of each round, by name, in the order they were first measured.
type report struct {
	names []string
	rates map[string][]float64
}

func (r *report) add(name string, rate float64) {
	if !slices.Contains(r.names, name) {
		r.names = append(r.names, name)
	}
	r.rates[name] = append(r.rates[name], rate)
}

func (r *report) print(b *bench) error {
	fmt.Fprintf(b.out, "%d events in %d streams, %d rounds, %d processors, GOGC %d, %s\n\n", b.options.events, b.streams, b.options.rounds,
		runtime.GOMAXPROCS(0), collect, runtime.Version())
	w := tabwriter.NewWriter(b.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "events/s\tmedian\tleast\tmost\tof reading\t")
	for _, name := range r.names {
		s := measure.SpreadOf(r.rates[name])
		fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%.0f\t%.2f\t\n", name, s.Median, s.Min, s.Max, r.ratio(name, onlyRead).Median)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(b.out, "\nA transaction an event: the first %d events. Other libraries: the first %d events, which they read from their own tables in Postgres.\n\n",
		b.options.singles, b.options.sample)
	for _, view := range slices.Sorted(maps.Keys(b.prints)) {
		for table, print := range b.prints[view] {
			fmt.Fprintf(b.out, "equal rows: %s.%s, %d rows, sha256 %.16s\n", view, table, print.Rows, print.Hash)
		}
	}
	fmt.Fprintln(b.out)
	for _, c := range [][2]string{
		{oneArchive, onlyCopy + " and indexes: one view"}, {allArchive, onlyCopy + " and indexes: all views"}, {onlyFold, onlyRead},
	} {
		s := r.ratio(c[0], c[1])
		fmt.Fprintf(b.out, "%s is %.2f (%.2f to %.2f) times %s\n", c[0], s.Median, s.Min, s.Max, c[1])
	}
	fmt.Fprintln(b.out)
	for _, t := range r.targets() {
		s := r.ratio(t.name, t.of)
		if len(r.rates[t.name]) == 0 || len(r.rates[t.of]) == 0 {
			continue
		}
		verdict := "met"
		if s.Median < t.least {
			verdict = "MISSED"
		}
		fmt.Fprintf(b.out, "%-6s %s is %.2f (%.2f to %.2f) times %s; the target is %.2f\n", verdict, t.name, s.Median, s.Min, s.Max, t.of, t.least)
	}
	return nil
}

// ratio divides within rounds.
func (r *report) ratio(name, of string) measure.Spread {
	return measure.SpreadOf(measure.Ratios(r.rates[name], r.rates[of]))
}

// target is how many times as fast something should be as something else.
type target struct {
	name, of string
	least    float64
}

func (r *report) targets() []target {
	all := []target{
		{oneStore, onlyRead, 0.75},
		{allStore, onlyRead, 0.6},
		{oneArchive, onlyRead, 3},
		{allArchive, onlyRead, 1.5},
		{oneArchive, transaction, 50},
		{oneStore, transaction, 50},
	}
	for _, peer := range peerNames() {
		all = append(all, target{summaryStore, peer, 1})
	}
	return all
}
