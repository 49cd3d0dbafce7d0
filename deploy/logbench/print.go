package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"aftercare/deploy/logbench/measure"
)

// What the figures are held against.
const (
	targetWriters  = 64
	targetPostgres = 5.0
	targetBare     = 0.5
	targetReads    = 0.9
)

// print writes the figures as tables: medians of the rounds, and the least and the most where they matter.
func (r *report) print(out io.Writer) {
	m := r.Machine
	fmt.Fprintf(out, "%s, %d cores, %s; events of %d bytes and %d of metadata\n", m.System, m.Cores, m.Go, m.PayloadBytes, m.MetadataBytes)
	if r.Store == nil {
		fmt.Fprintf(out, "medians (least–most) of %d rounds of %.1f s; connections of the client: %d; CPU time is that of an append, or of an event read,\n"+
			"and the client's includes the bare loop itself\n", m.Rounds, m.SecondsOfARun, m.Connections)
	}
	if m.Quick {
		fmt.Fprintln(out, "A quick run: its figures say nothing.")
	}
	if len(r.Disk.P50) > 0 {
		fmt.Fprintf(out, "write and fdatasync of 64 KiB: p50 %.2f ms, p99 %.2f ms\n", measure.SpreadOf(r.Disk.P50).Median, measure.SpreadOf(r.Disk.P99).Median)
	}
	if len(r.Appends) > 0 {
		r.printAppends(out)
	}
	if len(r.Reads) > 0 {
		r.printReads(out)
	}
	if r.Store != nil {
		r.Store.print(out)
	}
}

func (r *report) printAppends(out io.Writer) {
	fmt.Fprintln(out, "\nAppends")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "writers\tevents\t\tappends/s\tevents/s\tp50 ms\tp99 ms\tCPU µs client\tserver\tnode / this\ttarget\t")
	for _, f := range r.Appends {
		for _, name := range []string{nameNode, nameBare, namePostgres, nameStub} {
			c := f.Contenders[name]
			if c == nil {
				continue
			}
			perSecond := measure.SpreadOf(c.PerSecond)
			fmt.Fprintf(w, "%d\t%d\t%s\t%s\t%.0f\t%.2f\t%.2f\t%s\t%s\t", f.Writers, f.Batch, name, counts(perSecond),
				perSecond.Median*float64(f.Batch), measure.SpreadOf(c.P50).Median, measure.SpreadOf(c.P99).Median, known(cost(c.Client, c.PerSecond)), known(cost(c.Server, c.PerSecond)))
			if ratios := f.ratios(name); name != nameNode && len(ratios) > 0 {
				ratio := measure.SpreadOf(ratios)
				fmt.Fprintf(w, "%s\t%s\t", factors(ratio), appendVerdict(f, name, ratio.Median))
			} else {
				fmt.Fprint(w, "\t\t")
			}
			fmt.Fprintln(w)
		}
	}
	_ = w.Flush() // who reads it sees what is missing
}

// appendVerdict holds a ratio against its target, when it has one.
func appendVerdict(f appendFigures, name string, ratio float64) string {
	switch {
	case f.Writers != targetWriters:
		return ""
	case name == nameBare:
		return atLeast(ratio, targetBare)
	case name == namePostgres:
		return atLeast(ratio, targetPostgres)
	default:
		return ""
	}
}

func (r *report) printReads(out io.Writer) {
	fmt.Fprintf(out, "\nReads of %d events\n", r.Machine.EventsRead)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\t\tevents/s\tCPU µs client\tserver\tnode / this\ttarget\t")
	for _, f := range r.Reads {
		ratio := measure.SpreadOf(measure.Ratios(f.Node.PerSecond, f.Ceiling.PerSecond))
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t\t\t\n", f.Kind, nameNode, counts(measure.SpreadOf(f.Node.PerSecond)), known(cost(f.Node.Client, f.Node.PerSecond)), known(cost(f.Node.Server, f.Node.PerSecond)))
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", f.Kind, nameStub, counts(measure.SpreadOf(f.Ceiling.PerSecond)), known(cost(f.Ceiling.Client, f.Ceiling.PerSecond)), known(cost(f.Ceiling.Server, f.Ceiling.PerSecond)),
			factors(ratio), atLeast(ratio.Median, targetReads))
	}
	_ = w.Flush() // who reads it sees what is missing
}

func counts(s measure.Spread) string {
	return fmt.Sprintf("%.0f (%.0f–%.0f)", s.Median, s.Min, s.Max)
}

func factors(s measure.Spread) string {
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Min, s.Max)
}

// known prints the median, unless the system does not tell.
func known(values []float64) string {
	if median := measure.SpreadOf(values).Median; median > 0 {
		return fmt.Sprintf("%.1f", median)
	}
	return "-"
}

func atLeast(value, target float64) string {
	return fmt.Sprintf("≥ %g %s", target, met(value >= target))
}

func below(value, target float64, unit string) string {
	return fmt.Sprintf("< %g %s %s", target, unit, met(value < target))
}

func met(ok bool) string {
	if ok {
		return "met"
	}
	return "missed"
}
