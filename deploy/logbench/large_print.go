package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

const (
	targetStart  = 2.0   // seconds
	targetMemory = 512.0 // MiB
	targetTail   = 2.0   // milliseconds
)

// storeFigures is one large store.
type storeFigures struct {
	Events        int             `json:"events"`
	Streams       int             `json:"streams"`
	LoadPerSecond float64         `json:"load_events_per_second"`
	TailPerSecond float64         `json:"single_appends_per_second"`
	ReadPerSecond float64         `json:"read_events_per_second"`
	StopSeconds   float64         `json:"stop_seconds"`
	Starts        []startFigures  `json:"starts"`
	Memory        []memoryFigures `json:"memory"`
	Tails         []tailFigures   `json:"last_events"`
	Files         []fileFigures   `json:"files"`
}

// startFigures is the time from the start of the process to an acknowledged append.
type startFigures struct {
	When    string  `json:"when"`
	Seconds float64 `json:"seconds"`
}

// memoryFigures is the anonymous memory of the node after something, and at most while that was under way.
type memoryFigures struct {
	After   string  `json:"after"`
	MiB     float64 `json:"mib"`
	PeakMiB float64 `json:"peak_mib"`
}

// tailFigures is what reading the last events of a stream takes, in milliseconds.
type tailFigures struct {
	When string  `json:"when"`
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
	Max  float64 `json:"max_ms"`
}

type fileFigures struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

func (f *storeFigures) print(out io.Writer) {
	fmt.Fprintf(out, "\nA store of %d events in %d streams\n", f.Events, f.Streams)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "large appends\t%.0f events/s\t\n", f.LoadPerSecond)
	fmt.Fprintf(w, "single appends\t%.0f events/s\t\n", f.TailPerSecond)
	fmt.Fprintf(w, "read of $all\t%.0f events/s\t\n", f.ReadPerSecond)
	for _, file := range f.Files {
		fmt.Fprintf(w, "%s\t%.1f MiB, %.1f bytes an event\t\n", file.Name, mebibytes(file.Bytes), float64(file.Bytes)/float64(f.Events))
	}
	fmt.Fprintf(w, "clean stop\t%.2f s\t\n", f.StopSeconds)
	for _, s := range f.Starts {
		fmt.Fprintf(w, "start to first append, %s\t%.2f s\t%s\n", s.When, s.Seconds, below(s.Seconds, targetStart, "s"))
	}
	for _, t := range f.Tails {
		fmt.Fprintf(w, "last %d events of a stream, %s\tp50 %.2f ms, p99 %.2f ms, max %.2f ms\t%s\n", tailEvents, t.When, t.P50, t.P99, t.Max, below(t.P99, targetTail, "ms"))
	}
	for _, m := range f.Memory {
		fmt.Fprintf(w, "RssAnon after %s\t%.0f MiB, at most %.0f\t%s\n", m.After, m.MiB, m.PeakMiB, below(m.PeakMiB, targetMemory, "MiB"))
	}
	_ = w.Flush() // who reads it sees what is missing
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }
