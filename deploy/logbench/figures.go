package main

import (
	"runtime"
	"time"

	"aftercare/deploy/logbench/measure"
)

// report is everything that a run measured. Lists hold one figure for each round.
type report struct {
	Machine machine         `json:"machine"`
	Disk    diskFigures     `json:"disk"`
	Appends []appendFigures `json:"appends,omitempty"`
	Reads   []readFigures   `json:"reads,omitempty"`
	Store   *storeFigures   `json:"store,omitempty"`
}

type machine struct {
	System        string    `json:"system"`
	Cores         int       `json:"cores"`
	Go            string    `json:"go"`
	At            time.Time `json:"at"`
	Connections   int       `json:"connections"`
	PayloadBytes  int       `json:"payload_bytes"`
	MetadataBytes int       `json:"metadata_bytes"`
	Rounds        int       `json:"rounds"`
	SecondsOfARun float64   `json:"seconds_of_a_run"`
	EventsRead    int       `json:"events_read"`
	Quick         bool      `json:"quick,omitempty"`
}

func (r *report) describe(b *bench) {
	o := b.options
	r.Machine = machine{
		System: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version(), At: b.now().UTC(),
		Connections: o.connections, PayloadBytes: payloadBytes, MetadataBytes: metadataBytes,
		Rounds: o.rounds, SecondsOfARun: o.duration.Seconds(), EventsRead: o.reads, Quick: o.quick,
	}
}

// diskFigures is what a write of 64 KiB with its sync takes, in milliseconds.
type diskFigures struct {
	P50 []float64 `json:"p50_ms"`
	P99 []float64 `json:"p99_ms"`
}

// appendFigures is one load.
type appendFigures struct {
	Writers    int                      `json:"writers"`
	Batch      int                      `json:"events_per_append"`
	Contenders map[string]*appendRounds `json:"contenders"`
}

// appendRounds is one contender under a load, latencies in milliseconds.
type appendRounds struct {
	PerSecond []float64 `json:"appends_per_second"`
	P50       []float64 `json:"p50_ms"`
	P99       []float64 `json:"p99_ms"`
	Client    []float64 `json:"client_cores"`
	Server    []float64 `json:"server_cores"`
}

func (a *appendRounds) add(r measure.Result, used cores) {
	a.PerSecond = append(a.PerSecond, r.PerSecond)
	a.P50 = append(a.P50, milliseconds(r.P50))
	a.P99 = append(a.P99, milliseconds(r.P99))
	a.Client = append(a.Client, used.client)
	a.Server = append(a.Server, used.server)
}

// ratios are those of the node to a contender, round by round; none when either was not measured.
func (f appendFigures) ratios(other string) []float64 {
	node, against := f.Contenders[nameNode], f.Contenders[other]
	if node == nil || against == nil {
		return nil
	}
	return measure.Ratios(node.PerSecond, against.PerSecond)
}

// readFigures is one way to read everything.
type readFigures struct {
	Kind    string     `json:"kind"`
	Events  int        `json:"events"`
	Node    readRounds `json:"node"`
	Ceiling readRounds `json:"ceiling"`
}

type readRounds struct {
	PerSecond []float64 `json:"events_per_second"`
	Client    []float64 `json:"client_cores"`
	Server    []float64 `json:"server_cores"`
}

func (r *readRounds) add(perSecond float64, used cores) {
	r.PerSecond = append(r.PerSecond, perSecond)
	r.Client = append(r.Client, used.client)
	r.Server = append(r.Server, used.server)
}

// cost is the CPU time of one operation in microseconds, round by round; none where the system does not tell.
func cost(cores, perSecond []float64) []float64 {
	var each []float64
	for i, busy := range cores {
		if busy > 0 && perSecond[i] > 0 {
			each = append(each, busy/perSecond[i]*1e6)
		}
	}
	return each
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
