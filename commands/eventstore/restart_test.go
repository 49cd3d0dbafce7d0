package eventstore_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aftercare/commands"
	"aftercare/commands/eventstore"
	"aftercare/commands/logtest"
	"aftercare/domain"
)

// Writers and a follower go on while the server restarts under them: every event is there once and in order.
func TestRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	const writers, restarts, least = 12, 4, 40
	n := newNode(t)
	log := openLog(t, n.url, logtest.Codec(), eventstore.Options{RetryFor: time.Minute, MaxConnections: 6})

	followed := make(map[string]int)
	var total, seen atomic.Int64
	enough := errors.New("enough")
	var finished atomic.Bool
	ended := make(chan error, 1)
	go func() {
		ended <- log.Follow(t.Context(), domain.Position{}, nil, func(batch []domain.Recorded, _ bool) error {
			for _, r := range batch {
				if e, ok := r.Event.(logtest.Counted); ok && e.N == followed[r.Stream] {
					followed[r.Stream]++
				} else {
					return fmt.Errorf("%d@%s came out of turn: %+v", r.Revision, r.Stream, r.Event)
				}
			}
			if seen.Add(int64(len(batch))); finished.Load() && seen.Load() == total.Load() {
				return enough
			}
			return nil
		})
	}()

	stop, progress := make(chan struct{}), make(chan struct{})
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			stream := fmt.Sprintf("load-%d", w)
			for i := 0; ; i++ {
				select {
				case <-stop:
					if i >= least {
						return
					}
				default:
				}
				event := []commands.Proposed{{
					ID: domain.DeriveUUID(domain.UUID{1}, fmt.Sprintf("%s/%d", stream, i)), Event: logtest.Counted{N: i},
				}}
				if _, err := log.Append(t.Context(), stream, commands.Expected(i-1), event); err != nil {
					t.Errorf("append %d to %s: %v", i, stream, err)
					return
				}
				total.Add(1)
				select {
				case progress <- struct{}{}:
				default:
				}
			}
		})
	}
	for range restarts {
		for range 5 * writers {
			<-progress
		}
		n.stop()
		n.start(t)
	}
	close(stop)
	writing.Wait()
	finished.Store(true)
	// One more event, so that the follower looks again.
	total.Add(1)
	if _, err := log.Append(t.Context(), "load-last", commands.NoStream, []commands.Proposed{{ID: domain.UUID{2}, Event: logtest.Counted{}}}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, enough) {
		t.Errorf("follow: %v", err)
	}
}
