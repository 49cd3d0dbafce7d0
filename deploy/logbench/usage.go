package main

import (
	"os"
	"time"

	"aftercare/deploy/logbench/process"
)

// usage is what our process and a server have computed up to an instant.
type usage struct {
	at             time.Time
	client, server time.Duration
	known          bool // of both
}

// usageOf takes the usage now. A server without a process of its own has computed nothing.
func usageOf(now time.Time, server int) usage {
	u := usage{at: now}
	var err error
	if u.client, err = process.CPUTime(os.Getpid()); err != nil {
		return u
	}
	if server != 0 {
		if u.server, err = process.CPUTime(server); err != nil {
			return u
		}
	}
	u.known = true
	return u
}

// cores is how many cores were busy on average; negative when unknown.
type cores struct{ client, server float64 }

func usageBetween(from, to usage) cores {
	if !from.known || !to.known {
		return cores{-1, -1}
	}
	took := to.at.Sub(from.at).Seconds()
	return cores{(to.client - from.client).Seconds() / took, (to.server - from.server).Seconds() / took}
}
