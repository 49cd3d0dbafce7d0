package main

import (
	"fmt"
	"time"

	"aftercare/projections"
)

// pace tells how fast something goes on. It is asked now and then.
type pace struct {
	now   func() time.Time
	phase projections.Phase
	// began is when the phase did, with how much done; last is when it was asked last.
	began, last         time.Time
	beganDone, lastDone int
	current             float64
}

// paceEvery is the least time over which a current rate is reckoned.
const paceEvery = time.Second

// words tells the rate now and on average, and how long it takes yet.
func (p *pace) words(phase projections.Phase, done, total int) string {
	now := p.now()
	if phase != p.phase || done < p.lastDone {
		*p = pace{now: p.now, phase: phase, began: now, last: now, beganDone: done, lastDone: done}
	}
	if since := now.Sub(p.last); since >= paceEvery {
		p.current = float64(done-p.lastDone) / since.Seconds()
		p.last, p.lastDone = now, done
	}
	took := now.Sub(p.began).Seconds()
	if took < paceEvery.Seconds() {
		return fmt.Sprintf(", %d events", done)
	}
	average := float64(done-p.beganDone) / took
	words := fmt.Sprintf(", %d events, %.0f/s now, %.0f/s on average", done, p.current, average)
	if total > done && average > 0 {
		left := time.Duration(float64(total-done) / average * float64(time.Second))
		words += fmt.Sprintf(", %s to go", left.Round(time.Second))
	}
	return words
}
