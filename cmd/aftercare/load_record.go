package main

import (
	"slices"
	"sync"
	"time"
)

// recorder collects what a load measures. It keeps every value: percentiles are exact.
type recorder struct {
	mu                            sync.Mutex
	command, visible, whole, read []time.Duration
	failures                      map[string]int
	done, failed                  int
}

// into keeps a latency.
func (r *recorder) into(list *[]time.Duration, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*list = append(*list, d)
}

// ended counts an operation, by the code of its failure unless that is empty.
func (r *recorder) ended(failure string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if failure == "" {
		return
	}
	r.failed++
	if r.failures == nil {
		r.failures = make(map[string]int)
	}
	r.failures[failure]++
}

func (r *recorder) counts() (done, failed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done, r.failed
}

// summary is what became of one kind of latency, in milliseconds.
type summary struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
}

func summarize(all []time.Duration) *summary {
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	at := func(share float64) float64 {
		i := min(int(share*float64(len(all))), len(all)-1)
		return float64(all[i]) / float64(time.Millisecond)
	}
	return &summary{len(all), at(0.5), at(0.9), at(0.99), at(0.999), at(1)}
}

// loadResult is what a load measured.
type loadResult struct {
	// Commands and Reads are the rates asked for, CommandRate and ReadRate those that were answered without failure.
	Commands    int     `json:"commands"`
	Reads       int     `json:"reads"`
	CommandRate float64 `json:"commandsPerSecond"`
	ReadRate    float64 `json:"readsPerSecond"`
	Seconds     float64 `json:"seconds"`
	// Sustained says that nothing failed and at least 99 % of the rates were reached.
	Sustained bool           `json:"sustained"`
	Failures  map[string]int `json:"failures,omitempty"`
	// Command counts from when a command was due to its answer; Visible from there to an answer that shows it; Whole is both; Read counts
	// from when a query was due to its answer.
	Command *summary `json:"command,omitempty"`
	Visible *summary `json:"visible,omitempty"`
	Whole   *summary `json:"whole,omitempty"`
	Read    *summary `json:"read,omitempty"`
}

func (r *recorder) result(l loadPlan, took time.Duration) loadResult {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := took.Seconds()
	result := loadResult{
		Commands: l.commands, Reads: l.reads, Seconds: s, Failures: r.failures,
		CommandRate: float64(len(r.whole)) / s, ReadRate: float64(len(r.read)) / s,
		Command: summarize(r.command), Visible: summarize(r.visible), Whole: summarize(r.whole), Read: summarize(r.read),
	}
	result.Sustained = r.failed == 0 && result.CommandRate >= 0.99*float64(l.commands) && result.ReadRate >= 0.99*float64(l.reads)
	return result
}
