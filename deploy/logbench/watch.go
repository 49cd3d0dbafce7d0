package main

import (
	"sync"
	"sync/atomic"
	"time"

	"aftercare/deploy/logbench/process"
)

// watch follows the memory of a process.
type watch struct {
	pid  int
	peak atomic.Int64
	done chan struct{}
	loop sync.WaitGroup
}

// watchMemory looks ten times a second until it is stopped.
func watchMemory(pid int) *watch {
	w := &watch{pid: pid, done: make(chan struct{})}
	w.loop.Go(func() {
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			w.look()
			select {
			case <-ticker.C:
			case <-w.done:
				return
			}
		}
	})
	return w
}

func (w *watch) look() {
	bytes, err := process.AnonymousMemory(w.pid)
	if err != nil {
		return
	}
	for peak := w.peak.Load(); bytes > peak && !w.peak.CompareAndSwap(peak, bytes); {
		peak = w.peak.Load()
	}
}

// reset returns the most that was seen since the last time.
func (w *watch) reset() int64 {
	w.look()
	return w.peak.Swap(0)
}

func (w *watch) stop() {
	close(w.done)
	w.loop.Wait()
}
