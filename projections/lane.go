package projections

import (
	"context"
	"time"
)

// lane is a worker and the batches on their way to it.
type lane struct {
	*worker
	inbox chan *batch
	// out is closed when the lane takes no more batches, because its view has failed for too long.
	out      chan struct{}
	patience time.Duration
}

// run folds batches until ctx ends or the view may no longer be kept. A view that fails for longer than patience leaves
// the round, so that it does not hold up the others; run then returns nil once it has recovered.
func (l *lane) run(ctx context.Context) error {
	for {
		select {
		case b := <-l.inbox:
			left, err := l.take(ctx, b)
			if err != nil || left {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take folds one batch. It reports whether the lane has left the round meanwhile.
func (l *lane) take(ctx context.Context, b *batch) (left bool, err error) {
	defer b.release()
	if b.target.Compare(l.position) <= 0 {
		return false, nil
	}
	done := make(chan struct{})
	gone := make(chan bool)
	go func() { gone <- l.watch(done) }()
	err = l.process(ctx, l.wanted(b.entries), b.target)
	close(done)
	return <-gone, err
}

// watch closes out and empties the inbox when done does not come in time.
func (l *lane) watch(done <-chan struct{}) (left bool) {
	timer := time.NewTimer(l.patience)
	defer timer.Stop()
	select {
	case <-done:
		return false
	case <-timer.C:
	}
	close(l.out)
	for {
		select {
		case b := <-l.inbox:
			b.release()
		case <-done:
			return true
		}
	}
}

// wanted returns the entries after the checkpoint that the view handles.
func (l *lane) wanted(entries []entry) []entry {
	wanted := make([]entry, 0, len(entries))
	for _, e := range after(entries, l.position) {
		if l.view.Handles(e.Type) {
			wanted = append(wanted, e)
		}
	}
	return wanted
}
