package projections

import (
	"context"
	"sync"
	"time"
)

// lane is a worker and the batches on their way to it.
type lane struct {
	*worker
	inbox chan *batch
	// out is closed when the lane takes no more batches, because its view has failed for too long.
	out      chan struct{}
	leave    sync.Once
	patience time.Duration
}

// stay takes no more batches, and returns after a while or when ctx ends.
func (l *lane) stay(ctx context.Context, d time.Duration) {
	l.leave.Do(func() { close(l.out) })
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case b := <-l.inbox:
			b.release()
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// run folds batches until ctx ends, or the view is not as this runner left it. A batch under way goes on for as long as work does. A view that
// fails for longer than patience leaves the round, so that it does not hold up the others; run then returns nil once it has
// recovered.
func (l *lane) run(ctx, work context.Context) error {
	for {
		if ctx.Err() != nil { // what is in the inbox is not under way yet
			return ctx.Err()
		}
		select {
		case b := <-l.inbox:
			left, err := l.take(ctx, work, b)
			if err != nil || left {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take folds one batch. It reports whether the lane has left the round meanwhile.
func (l *lane) take(ctx, work context.Context, b *batch) (left bool, err error) {
	if b.target.Compare(l.position) <= 0 {
		b.release()
		return false, nil
	}
	done, gone := make(chan struct{}), make(chan bool)
	go func() { gone <- l.watch(b, done) }()
	var entries []entry
	if err = guard(func() error { entries = l.wanted(after(b.entries, l.position)); return nil }); err != nil {
		l.failing(err) // a view that cannot tell what it wants
	} else {
		err = l.process(ctx, work, entries, b.target)
	}
	close(done)
	return <-gone, err
}

// watch releases the batch when it is done. When that takes too long it leaves the round: it releases this batch and all
// others at once, so that the subscription goes on.
func (l *lane) watch(b *batch, done <-chan struct{}) (left bool) {
	timer := time.NewTimer(l.patience)
	defer timer.Stop()
	select {
	case <-done:
		b.release()
		return false
	case <-timer.C:
	}
	l.leave.Do(func() { close(l.out) })
	b.release()
	for {
		select {
		case b := <-l.inbox:
			b.release()
		case <-done:
			return true
		}
	}
}
