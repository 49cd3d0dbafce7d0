package logtest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/commands"
	"aftercare/domain"
)

// tail is a running Follow that keeps what concerns one stream.
type tail struct {
	t       *testing.T
	updates chan update
	ended   chan error
	stop    context.CancelFunc

	numbers []int
	live    bool
	empties int // empty batches
}

type update struct {
	batch []domain.Recorded
	live  bool
}

// newTail starts to follow. The test skips when the log is no follower.
func newTail(t *testing.T, log commands.Log, after domain.Position, prefixes []string, stream string) *tail {
	t.Helper()
	follower, ok := log.(commands.Follower)
	if !ok {
		t.Skip("this log is no follower")
	}
	ctx, stop := context.WithCancel(bounded(t))
	w := &tail{t: t, updates: make(chan update), ended: make(chan error, 1), stop: stop}
	go func() {
		w.ended <- follower.Follow(ctx, after, prefixes, func(batch []domain.Recorded, live bool) error {
			u := update{live: live}
			for _, r := range batch {
				if r.Stream == stream {
					u.batch = append(u.batch, r)
				}
			}
			if len(batch) > 0 && len(u.batch) == 0 && !live {
				return nil // others'
			}
			select {
			case w.updates <- u:
			case <-ctx.Done():
			}
			return nil
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-w.ended; !errors.Is(err, context.Canceled) {
			t.Errorf("follow ended with %v, want the context's error", err)
		}
	})
	return w
}

// wait blocks until n events of the stream came and the follower is live.
func (w *tail) wait(n int) {
	w.t.Helper()
	for len(w.numbers) < n || !w.live {
		select {
		case u := <-w.updates:
			if len(u.batch) == 0 {
				w.empties++
			}
			for _, r := range u.batch {
				w.numbers = append(w.numbers, number(w.t, r))
			}
			w.live = u.live
		case err := <-w.ended:
			w.ended <- err
			w.t.Fatalf("follow ended with %v after %d of %d events", err, len(w.numbers), n)
		}
	}
}

func (w *tail) want(numbers ...int) {
	w.t.Helper()
	w.wait(len(numbers))
	if diff := cmp.Diff(numbers, w.numbers); diff != "" {
		w.t.Errorf("followed (-want +got):\n%s", diff)
	}
}

func followFromPosition(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	start := headOf(t, log)
	first := mustAppend(t, log, stream, commands.NoStream, propose(note(0), note(1)))
	mustAppend(t, log, stream, 1, propose(note(2), note(3)))

	after := newTail(t, log, first.Position, nil, stream)
	after.want(2, 3)
	all := newTail(t, log, start, nil, stream)
	all.want(0, 1, 2, 3)

	want := []int{0, 1, 2, 3}
	for i := range 50 {
		mustAppend(t, log, stream, commands.Expected(3+i), propose(note(4+i)))
		want = append(want, 4+i)
	}
	all.want(want...)
	after.want(want[2:]...)
}

func followPrefix(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	start := mustAppend(t, log, newStream(), commands.NoStream, propose(note(0)))
	mustAppend(t, log, stream, commands.NoStream, propose(note(0), Counted{At: at, N: 1}, note(2)))
	counts := newTail(t, log, start.Position, []string{"logtest-count."}, stream)
	counts.want(1)
	both := newTail(t, log, start.Position, []string{"none.", "logtest-count.", "logtest.no"}, stream)
	both.want(0, 1, 2)
	mustAppend(t, log, stream, 2, propose(note(3), Counted{At: at, N: 4}))
	counts.want(1, 4)
	both.want(0, 1, 2, 3, 4)
}

func followEmpty(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	last := mustAppend(t, log, stream, commands.NoStream, propose(note(0)))
	w := newTail(t, log, last.Position, []string{"logtest-none."}, stream)
	w.wait(0)
	if w.empties != 1 {
		t.Errorf("told %d times", w.empties)
	}
}

func followError(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	follower, ok := log.(commands.Follower)
	if !ok {
		t.Skip("this log is no follower")
	}
	mustAppend(t, log, stream, commands.NoStream, propose(note(0)))
	enough := errors.New("enough")
	err := follower.Follow(bounded(t), domain.Position{}, nil, func([]domain.Recorded, bool) error { return enough })
	if !errors.Is(err, enough) {
		t.Errorf("follow returned %v, want the reader's error", err)
	}
}
