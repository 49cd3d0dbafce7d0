package eventstore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"aftercare/commands"
	"aftercare/commands/eventstore"
	"aftercare/commands/logtest"
	"aftercare/deploy/eventnode/eventnodetest"
	"aftercare/deploy/faultproxy"
	"aftercare/deploy/faultproxy/faultproxytest"
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
			p := faultproxytest.Listen(t, n.options.Listen)
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
	p := faultproxytest.Listen(t, n.options.Listen)
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

// A node that was behind for a moment, and then an outage that is longer than a Follow waits for one that is behind, are no other store.
func TestAnOutageIsNotTakenForAStoreThatIsBehind(t *testing.T) {
	t.Parallel()
	var looks atomic.Int64
	s := (&eventnodetest.Stub{OnRead: func(r *streams.ReadReq, stream streams.Streams_ReadServer) error {
		if r.GetOptions().GetSubscription() == nil {
			switch n := looks.Add(1); {
			case n == 1:
				return stream.Send(at(50))
			case n < 4:
				return status.Error(codes.Unavailable, "Server Is Not Ready")
			default:
				return stream.Send(at(100))
			}
		}
		if err := stream.Send(eventnodetest.Confirmation()); err != nil {
			return err
		}
		if err := stream.Send(eventnodetest.CaughtUp()); err != nil {
			return err
		}
		<-stream.Context().Done()
		return nil
	}}).Start(t)
	log := openLog(t, s.URL(), logtest.Codec(), eventstore.Options{BehindFor: 100 * time.Millisecond})
	enough := errors.New("live")
	err := log.Follow(t.Context(), domain.Position{Commit: 100, Prepare: 100}, nil, func([]domain.Recorded, bool) error { return enough })
	if !errors.Is(err, enough) {
		t.Errorf("follow: %v", err)
	}
}

// A node that is behind gets the rest while a Follow looks at it: what was seen before does not come again.
func TestAStoreThatCatchesUpShowsNothingTwice(t *testing.T) {
	t.Parallel()
	s := (&eventnodetest.Stub{OnRead: func(r *streams.ReadReq, stream streams.Streams_ReadServer) error {
		if r.GetOptions().GetSubscription() == nil {
			return stream.Send(at(50))
		}
		caughtUp := eventnodetest.CaughtUp()
		for _, m := range []*streams.ReadResp{eventnodetest.Confirmation(), at(75), at(100), at(150), caughtUp} {
			if err := stream.Send(m); err != nil {
				return err
			}
		}
		<-stream.Context().Done()
		return nil
	}}).Start(t)
	log := openLog(t, s.URL(), logtest.Codec(), eventstore.Options{})
	enough := errors.New("live")
	var came []uint64
	err := log.Follow(t.Context(), domain.Position{Commit: 100, Prepare: 100}, nil, func(batch []domain.Recorded, live bool) error {
		for _, r := range batch {
			came = append(came, r.Position.Commit)
		}
		if live {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || !slices.Equal(came, []uint64{150}) {
		t.Errorf("the events at %v came, then %v, want only the one at 150", came, err)
	}
}

func at(position uint64) *streams.ReadResp {
	return eventnodetest.Event("logtest-1", "logtest-count.counted.v1", position)
}
