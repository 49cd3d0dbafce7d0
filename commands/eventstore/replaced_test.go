package eventstore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"aftercare/commands"
	"aftercare/commands/eventstore"
	"aftercare/commands/logtest"
	"aftercare/deploy/faultproxy"
	"aftercare/domain"
)

// fill writes events to streams of their own.
func fill(t *testing.T, n *node, stream string, count int) domain.Position {
	t.Helper()
	log := openLog(t, n.url, logtest.Codec(), eventstore.Options{})
	var last commands.Receipt
	for i := range count {
		var err error
		event := []commands.Proposed{{ID: domain.DeriveUUID(domain.UUID{9}, stream+strconv.Itoa(i)), Event: logtest.Counted{N: i}}}
		if last, err = log.Append(t.Context(), stream, commands.Expected(i-1), event); err != nil {
			t.Fatal(err)
		}
	}
	return last.Position
}

// copied is a node with a copy of another's records. That other must be stopped.
func copied(t *testing.T, n *node) *node {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "copy"), os.DirFS(n.options.Dir)); err != nil {
		t.Fatal(err)
	}
	c := &node{options: n.options}
	c.options.Dir, c.options.Listen = filepath.Join(dir, "copy"), ""
	c.start(t)
	t.Cleanup(func() { c.stop() })
	return c
}

// A node answers at the address of another. Whoever follows must not sit there in silence, nor read on in another history.
func TestAFollowerNoticesAReplacedStore(t *testing.T) {
	t.Parallel()
	const patience = 300 * time.Millisecond
	tests := map[string]struct {
		with func(t *testing.T, old *node) *node
		// from is where a Follow starts that never saw an event, if it does.
		from func(last domain.Position) domain.Position
		want error
	}{
		"by an empty one": {with: func(t *testing.T, _ *node) *node { t.Helper(); return newNode(t) }, want: eventstore.ErrReplaced},
		"by one with less": {with: func(t *testing.T, _ *node) *node {
			t.Helper()
			other := newNode(t)
			fill(t, other, "other-1", 2)
			return other
		}, want: eventstore.ErrReplaced},
		"by one with more": {with: func(t *testing.T, _ *node) *node {
			t.Helper()
			other := newNode(t)
			fill(t, other, "a-longer-name-than-that-of-the-other-1", 20)
			return other
		}, want: eventstore.ErrReplaced},
		"by one with other events in the same places": {with: func(t *testing.T, _ *node) *node {
			t.Helper()
			other := newNode(t)
			fill(t, other, "other2-1", 12)
			return other
		}, want: eventstore.ErrReplaced},
		"by its copy": {with: func(t *testing.T, old *node) *node {
			t.Helper()
			old.stop()
			same := copied(t, old)
			fill(t, same, "logtest-1", 11) // one more than there are
			return same
		}},
		"by an empty one, for one that starts there": {
			with: func(t *testing.T, _ *node) *node { t.Helper(); return newNode(t) },
			from: func(last domain.Position) domain.Position { return last }, want: eventstore.ErrReplaced,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			last := fill(t, n, "logtest-1", 10)
			p := listen(t, n.options.Listen)
			log := openLog(t, through(n.url, p), logtest.Codec(), eventstore.Options{BehindFor: patience})
			replace := func() { p.Lead(test.with(t, n).options.Listen) }
			var after domain.Position
			if test.from != nil {
				after = test.from(last)
				replace()
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			seen, done := 0, errors.New("done")
			err := log.Follow(ctx, after, nil, func(batch []domain.Recorded, _ bool) error {
				for _, r := range batch {
					if r.Stream != "logtest-1" {
						t.Errorf("followed %d@%s of another store", r.Revision, r.Stream)
					}
					seen++
				}
				switch seen {
				case 10: // now
					seen++
					replace()
					p.Reset()
				case 12:
					return done
				}
				return nil
			})
			want := test.want
			if want == nil {
				want = done
			}
			if !errors.Is(err, want) {
				t.Errorf("follow: %v, want %v", err, want)
			}
		})
	}
}

// A node that is behind the others, as a replica may be, is waited for.
func TestAFollowerWaitsForAStoreThatIsBehind(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	fill(t, n, "logtest-1", 5)
	n.stop()
	behind := copied(t, n)
	n.start(t)
	p := listen(t, n.options.Listen)
	log := openLog(t, through(n.url, p), logtest.Codec(), eventstore.Options{})
	followed := follow(t, log)
	write := func(i int) {
		if _, err := log.Append(t.Context(), "logtest-2", commands.Expected(i-1), counted(i)); err != nil {
			t.Fatal(err)
		}
	}
	followed.wait(t, 5, 0)
	write(0)
	followed.wait(t, 1, 0)
	taken := p.Taken()
	p.Lead(behind.options.Listen)
	p.Reset()
	for tick := time.Tick(time.Millisecond); p.Taken() < taken+3; { // it looks again and again
		<-tick
	}
	p.Set(faultproxy.Faults{Refuse: true})
	p.Lead(n.options.Listen)
	p.Reset()
	p.Set(faultproxy.Faults{})
	write(1)
	followed.wait(t, 2, 0)
}
