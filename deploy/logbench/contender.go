package main

import "context"

// load is how a contender is written to.
type load struct {
	writers, batch int
	run            uint32 // no other load of this program has the same
}

// contender is something that stores appends and acknowledges them when they are safe.
type contender interface {
	name() string
	// open gets ready for a load, before the clock runs.
	open(ctx context.Context, l load) (session, error)
	// pid is the process whose CPU time counts as the server's; 0 for none of its own.
	pid() int
}

// session takes the appends of one load.
type session interface {
	// append stores the next events of a writer's own stream and returns when they are safe. A writer has one call at a time.
	append(ctx context.Context, writer int) error
	close(ctx context.Context) error
}
