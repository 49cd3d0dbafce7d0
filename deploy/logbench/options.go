package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

type options struct {
	dir         string
	json        string
	profiles    string
	rounds      int
	duration    time.Duration
	warmup      time.Duration
	writers     []int
	batches     []int
	connections int
	only        []string
	parts       []string
	reads       int // events in the log that is read
	events      int // of the large store; 0 measures appends and reads instead
	perStream   int
	quick       bool
}

const (
	partAppends = "appends"
	partReads   = "reads"
)

func parseOptions(args []string, log io.Writer) (options, error) {
	o := options{writers: []int{1, 16, 64, 256}, batches: []int{1, 10}, parts: []string{partAppends, partReads}}
	flags := flag.NewFlagSet("logbench", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.StringVar(&o.dir, "dir", defaultDir(), "folder on a real disk; everything is below a new folder in it, which is removed")
	flags.StringVar(&o.json, "json", "", "also write the figures to this file")
	flags.StringVar(&o.profiles, "cpuprofile", "", "write CPU profiles of the client and of the node to this folder")
	flags.IntVar(&o.rounds, "rounds", 3, "how often everything is measured, in turns")
	flags.DurationVar(&o.duration, "duration", 2*time.Second, "measured time of one load in one round")
	flags.DurationVar(&o.warmup, "warmup", 500*time.Millisecond, "time before that, not measured")
	flags.Var((*numbers)(&o.writers), "writers", "concurrent writers, a list")
	flags.Var((*numbers)(&o.batches), "batches", "events of one append, a list")
	flags.IntVar(&o.connections, "connections", 1, "connections of the official client that the writers share")
	flags.Var((*words)(&o.only), "only", "contenders to measure, a list of node, bare loop, postgres, no log (all)")
	flags.Var((*words)(&o.parts), "parts", "what to measure, a list of appends, reads")
	flags.IntVar(&o.reads, "read-events", 600_000, "events in the log that is read")
	flags.IntVar(&o.events, "events", 0, "measure a store of so many events instead")
	flags.IntVar(&o.perStream, "events-per-stream", 200, "with --events: events in each stream")
	flags.BoolVar(&o.quick, "quick", false, "a short run that only shows that everything works")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.quick {
		o.rounds, o.duration, o.warmup, o.reads = 1, 100*time.Millisecond, 50*time.Millisecond, 10_000
		o.events = min(o.events, 100_000)
	}
	return o, o.validate(flags.Args())
}

func (o options) validate(rest []string) error {
	var errs []error
	refuse := func(refused bool, text string) {
		if refused {
			errs = append(errs, errors.New(text))
		}
	}
	refuse(len(rest) > 0, fmt.Sprintf("takes no arguments besides options: %q", rest))
	refuse(o.rounds < 1 || o.duration <= 0 || o.warmup < 0 || o.connections < 1 || o.reads < 1, "rounds, durations, connections and events are positive")
	refuse(o.events < 0 || o.events > 0 && o.perStream <= tailEvents, fmt.Sprintf("a stream of a large store has more than %d events", tailEvents))
	refuse(slices.Max(o.writers) > maxWriters, fmt.Sprintf("at most %d writers", maxWriters))
	for _, part := range o.parts {
		refuse(part != partAppends && part != partReads, "no part "+strconv.Quote(part))
	}
	return errors.Join(errs...)
}

// wants reports whether a contender is to be measured.
func (o options) wants(name string) bool { return len(o.only) == 0 || slices.Contains(o.only, name) }

// numbers is a list of positive numbers as a flag.
type numbers []int

func (n *numbers) String() string {
	var texts []string
	for _, value := range *n {
		texts = append(texts, strconv.Itoa(value))
	}
	return strings.Join(texts, ",")
}

// Set implements flag.Value.
func (n *numbers) Set(text string) error {
	*n = nil
	for part := range strings.SplitSeq(text, ",") {
		value, err := strconv.Atoi(part)
		if err != nil || value < 1 {
			return fmt.Errorf("%q is not a positive number", part)
		}
		*n = append(*n, value)
	}
	return nil
}

// words is a list of names as a flag.
type words []string

func (w *words) String() string { return strings.Join(*w, ",") }

// Set implements flag.Value.
func (w *words) Set(text string) error {
	*w = strings.Split(text, ",")
	return nil
}

// defaultDir is where the system keeps temporary files on disk. The usual folder is often in memory.
func defaultDir() string {
	if runtime.GOOS == "windows" {
		return "."
	}
	return "/var/tmp"
}
