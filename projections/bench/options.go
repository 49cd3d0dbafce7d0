package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

type options struct {
	dir     string
	events  int
	rounds  int
	sample  int // events that the slow ones get
	singles int // events that are folded in a transaction each
	peers   string
	memory  sizes
	profile string
	only    string
}

// wants reports whether something is to be measured.
func (o options) wants(name string) bool {
	return o.only == "" || slices.Contains(strings.Split(o.only, ","), name)
}

func parseOptions(args []string, log io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.StringVar(&o.dir, "dir", "/var/tmp", "folder on a real disk; everything is below a new folder in it, which is removed")
	flags.IntVar(&o.events, "events", 1_000_000, "events in the log")
	flags.IntVar(&o.rounds, "rounds", 5, "how often everything is measured, in turns")
	flags.IntVar(&o.sample, "sample", 50_000, "events of the log that other libraries get")
	flags.IntVar(&o.singles, "singles", 3000, "events of the log that are folded in a transaction each")
	flags.StringVar(&o.peers, "peers", "", "the program of package peers; without it other libraries are left out")
	flags.Var(&o.memory, "memory", "measure memory instead, for logs of so many events, a list")
	flags.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of each thing measured to this folder, in the last round")
	flags.StringVar(&o.only, "only", "", "measure only these, a list of names such as 'only reading,all views: archive'; raw COPY needs a rebuild of all views before it")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var errs []error
	if flags.NArg() > 0 {
		errs = append(errs, fmt.Errorf("takes no arguments besides options: %q", flags.Args()))
	}
	if o.events < 1 || o.rounds < 1 || o.sample < 1 || o.singles < 1 {
		errs = append(errs, errors.New("numbers of events and of rounds are positive"))
	}
	o.sample, o.singles = min(o.sample, o.events), min(o.singles, o.events)
	return o, errors.Join(errs...)
}

// sizes is a list of positive numbers as a flag.
type sizes []int

// String returns the list as it is given.
func (s *sizes) String() string { return fmt.Sprint([]int(*s)) }

// Set reads a list.
func (s *sizes) Set(text string) error {
	*s = nil
	for one := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(one)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no positive number", one)
		}
		*s = append(*s, n)
	}
	return nil
}

// workDir makes a new folder that the account of Postgres can reach.
func workDir(base string) (string, error) {
	base, err := filepath.Abs(base)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(base, "bench-rebuild-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711) //nolint:gosec // G302: see above
}
